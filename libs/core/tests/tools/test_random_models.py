"""200 random pydantic models: the schemas made of them accept what their instances dump."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from random import Random
from typing import Annotated, Any, Literal, TypeAlias, Union
from uuid import UUID

import jsonschema
import pytest
from pydantic import Field, create_model
from pydantic_core import to_json

from headrace.chat_models.schema import OutputSchema
from headrace.errors import InputError
from headrace.tools import SCHEMA_DIALECTS, compile_schema
from headrace.tools.schema import schema_of

Values: TypeAlias = Callable[[Random], Any]
Kind: TypeAlias = tuple[Any, Values]  # an annotation, and what makes values of it


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


def text(alphabet: str, least: int = 0, most: int = 3) -> Values:
    return lambda r: "".join(r.choices(alphabet, k=r.randint(least, most)))


def one_of(*choices: Any) -> Values:
    return lambda r: r.choice(choices)


def many(values: Values, most: int = 2) -> Values:
    return lambda r: [values(r) for _ in range(r.randint(0, most))]


def keyed(values: Values) -> Values:
    return lambda r: {text("xyz")(r): values(r) for _ in range(r.randint(0, 2))}


SIMPLE: list[Kind] = [
    (str, text('aé"\\\n漢 ')),
    (int, lambda r: r.randint(-(2**53), 2**53)),
    (bool, one_of(True, False)),
    (float, lambda r: r.choice([0.0, -1.5, 1e300, 3.0, r.random()])),
    (date, lambda r: date.fromordinal(r.randint(1, 10**6))),
    (datetime, lambda r: datetime(r.randint(1, 9999), 2, 28, r.randint(0, 23))),
    (UUID, lambda r: UUID(int=r.getrandbits(128))),
    (Decimal, lambda r: Decimal(r.randint(-999, 999)) / 100),
    (Mood, one_of(*Mood)),
    (Level, one_of(*Level)),
    (Literal["a", "b"], one_of("a", "b")),
    (Literal[1, "b", None], one_of(1, "b", None)),
    (Annotated[str, Field(min_length=1, max_length=3)], text("ab", 1)),
    (Annotated[str, Field(pattern="^[a-c]+$")], text("abc", 1)),
    (Annotated[int, Field(ge=-5, lt=100)], lambda r: r.randint(-5, 99)),
    (Annotated[int, Field(gt=0, multiple_of=3)], lambda r: 3 * r.randint(1, 9)),
    (Annotated[float, Field(gt=0, le=1)], one_of(0.25, 1.0)),
    (Annotated[list[int], Field(max_length=2)], many(one_of(1, 2))),
]


def kind_by(r: Random, depth: int) -> Kind:
    """A random type, of other types up to this depth."""
    if not depth or r.random() < 0.4:
        return r.choice(SIMPLE)
    inner, values = model_by(r, depth - 1) if r.random() < 0.4 else kind_by(r, depth - 1)
    other, others = kind_by(r, depth - 1)
    wider: list[Kind] = [
        (list[inner], many(values)),
        (inner | None, lambda r: values(r) if r.random() < 0.7 else None),
        (dict[str, inner], keyed(values)),
        (tuple[inner, other], lambda r: (values(r), others(r))),
        (Union[inner, other], lambda r: r.choice([values, others])(r)),  # noqa: UP007 - of values
        (inner, values),
    ]
    return r.choice(wider)


def link_by(r: Random, mine: Values) -> tuple[str, Any, Values]:
    """How a model contains itself: the annotation, a default, what makes values of it."""
    shallow: Values = lambda r: mine(r) if r.random() < 0.3 else None  # noqa: E731 - a value
    few: Values = lambda r: [mine(r)] if r.random() < 0.3 else []  # noqa: E731 - a value
    links = [
        ("Me | None", None, shallow),
        ("list[Me]", [], few),
        ("dict[str, list[Me]]", {}, lambda r: {"k": few(r)}),
    ]
    return r.choice(links)


def model_by(r: Random, depth: int = 2) -> Kind:
    """A model and what makes its input: defaults, aliases, descriptions, models, and itself."""
    fields: dict[str, Any] = {}
    keys: dict[str, tuple[bool, Values]] = {}

    def mine(r: Random) -> dict[str, Any]:
        given = {k: v for k, v in keys.items() if not v[0] or r.random() < 0.7}
        return {key: values(r) for key, (_, values) in given.items()}

    for name in r.sample("abcdef", r.randint(1, 4)):
        optional, default = r.random() < 0.4, None
        if r.random() < 0.04:
            kind, default, values = link_by(r, mine)
        else:
            kind, values = kind_by(r, depth)
            kind = kind | None if optional else kind
        alias = r.choice([None, f"{name}-out"])
        said = r.choice([None, "what it is"])
        given = default if optional else ...
        fields[name] = (kind, Field(given, alias=alias, description=said))
        keys[alias or name] = optional, values
    made = create_model(f"M{r.randint(0, 999)}", **fields)
    made.model_rebuild(_types_namespace={"Me": made})
    return made, mine


def enforced(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema as each service takes it, where it can be said so."""
    found = []
    for dialect in SCHEMA_DIALECTS.values():
        try:
            compiled = compile_schema(schema, dialect).schema
        except InputError:  # any keys, or a schema within itself
            continue
        assert compile_schema(compiled, dialect).schema == compiled
        found.append(compiled)
    return found


@pytest.mark.parametrize("seed", range(200))
def test_the_schemas_of_a_random_model_accept_what_its_instances_dump(seed: int) -> None:
    r = Random(seed)
    model, inputs = model_by(r)
    schema = OutputSchema(model)
    request = schema.request_schema()
    schemas = [request, schema_of(model), *enforced(request)]
    jsonschema.Draft202012Validator.check_schema(request)
    for _ in range(2):
        dumped = model.model_validate(inputs(r)).model_dump(mode="json", by_alias=True)
        for made in schemas:
            jsonschema.Draft202012Validator(made).validate(dumped)
        assert schema.made_of(dumped) == (model.model_validate_json(to_json(dumped)), [])
