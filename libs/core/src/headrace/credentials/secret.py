"""Secrets as values: a text, a function asked at each request, or the name of a variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
)


class EnvReference(BaseModel):
    """A value that stands in an environment variable, read at each request: {"env": "NAME"}."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    env: str = Field(min_length=1, description="Name of the environment variable.")


class _Mark:
    """Says that a field holds a secret."""


def _bare(value: Any) -> Any:
    return {"env": value.env} if isinstance(value, EnvReference) else None


_SCHEMA = {
    "anyOf": [
        {"type": "string", "format": "password", "writeOnly": True},
        {
            "type": "object",
            "properties": {"env": {"type": "string", "minLength": 1}},
            "required": ["env"],
            "additionalProperties": False,
        },
    ]
}

if TYPE_CHECKING:  # what may be given, for checkers; what is kept, for pydantic
    Secret = str | SecretStr | EnvReference | Mapping[str, str] | Callable[[], Any]
else:
    Secret = Annotated[
        EnvReference | SecretStr | Callable[[], Any],
        _Mark(),
        PlainSerializer(_bare),
        WithJsonSchema(_SCHEMA),
    ]


@cache  # classes, not instances: there are few and they stay
def secret_fields(cls: type[BaseModel]) -> frozenset[str]:
    """The fields of a class that are declared to hold a secret."""
    return frozenset(
        name
        for name, info in cls.model_fields.items()
        if _marked(info.annotation) or _has_mark(info.metadata)
    )


def _marked(annotation: Any) -> bool:
    return _has_mark(getattr(annotation, "__metadata__", ())) or any(
        _marked(part) for part in get_args(annotation)
    )


def _has_mark(metadata: Any) -> bool:
    return any(isinstance(one, _Mark) for one in metadata)


def is_given(value: Any) -> bool:
    """Whether there is a value: None and an empty text are none."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return value is not None and value != ""


def reference_to(value: Any, variable: str | None) -> EnvReference | None:
    """What may be written down in a secret's place: a reference, never the secret.

    A text or function becomes a reference to `variable`, where it would be looked for.
    """
    if isinstance(value, EnvReference):
        return value
    return EnvReference(env=variable) if is_given(value) and variable else None


def dumped(value: Any, variable: str | None) -> dict[str, str] | None:
    """A secret as a dump holds it: a reference, or None."""
    reference = reference_to(value, variable)
    return None if reference is None else {"env": reference.env}
