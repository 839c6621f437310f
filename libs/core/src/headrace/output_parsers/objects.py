"""PydanticOutputParser: the JSON in a model's text as an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic_core import ValidationError

from headrace.errors import InputError, OutputParserError
from headrace.output_parsers.base import BaseOutputParser, shown
from headrace.output_parsers.json import instructions, read_json

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Output = TypeVar("Output", covariant=True)


class PydanticOutputParser(BaseOutputParser[Output]):
    """An instance of a pydantic model, or what a TypeAdapter makes of the JSON.

    `pydantic_object` is another name of `schema`. Raises OutputParserError, naming each field
    that is wrong.
    """

    __slots__ = ("schema",)

    def __init__(
        self,
        schema: type[Output] | TypeAdapter[Output] | None = None,
        *,
        pydantic_object: type[Output] | None = None,
    ) -> None:
        given: Any = pydantic_object if schema is None else schema
        if not hasattr(given, "model_validate") and not hasattr(given, "validate_python"):
            raise InputError(
                f"a PydanticOutputParser takes a pydantic model, not {given!r}; "
                "wrap other types: TypeAdapter(list[int])"
            )
        self.schema: type[Output] | TypeAdapter[Output] = given

    def parse(self, text: str) -> Output:
        value, schema = read_json(text), cast("Any", self.schema)
        validate = getattr(schema, "model_validate", None) or schema.validate_python
        try:
            return cast("Output", validate(value))
        except ValidationError as error:
            wrong = "; ".join(
                f"`{'.'.join(map(str, item['loc'])) or 'the value'}`: {item['msg']}"
                for item in error.errors(include_url=False, include_context=False)
            )
            raise OutputParserError(
                f"the JSON is no {self._name()}: {wrong}; found {shown(text)}"
            ) from error

    def get_format_instructions(self) -> str:
        """Words for a prompt that say what to answer with, by the JSON Schema."""
        return instructions(self.schema)

    def _name(self) -> str:
        return str(getattr(self.schema, "__name__", None) or self.schema)

    def __repr__(self) -> str:
        return f"PydanticOutputParser({self._name()})"
