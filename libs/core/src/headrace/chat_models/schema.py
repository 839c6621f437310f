"""The schema of an answer: what is sent to the model, and the object made of what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic_core import ValidationError, to_json

from headrace.chat_models.describing import schema_of_mapping, schema_of_type
from headrace.deferred import root_model
from headrace.errors import InputError
from headrace.tools.conforming import Mender, faults, with_defaults
from headrace.tools.modern import modern_schema
from headrace.tools.portable import portable
from headrace.tools.strict import strict_schema

Method = Literal["auto", "json_schema", "function_calling", "json_mode", "prompted"]
METHODS = ("auto", "json_schema", "function_calling", "json_mode", "prompted")
WRAPPED = "value"  # the one key of the object in which other values are asked for


class MisfitError(ValueError):
    """A value is not of the schema; `errors` say where and why."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class OutputSchema:
    """A pydantic model, dataclass, TypedDict, union or any type, or a JSON Schema.

    `request_schema()` is always that of an object, as providers want it: other values are
    wrapped in {"value": …}. With `strict` it is rewritten as strict modes take it.
    """

    def __init__(
        self,
        schema: Any,
        method: Method = "auto",
        strict: bool | None = None,
        repair: bool = True,
    ) -> None:
        if method not in METHODS:
            raise InputError(f"`method` is one of {', '.join(METHODS)}, not {method!r}")
        self.source, self.method, self.repair = schema, method, repair
        around: Mapping[str, Any] = {}
        if isinstance(schema, Mapping):
            self._adapter, self.kind = None, None
            self.json_schema, around = schema_of_mapping(schema)
        else:
            self.kind = portable(schema)
            self._adapter, self.json_schema = _adapted(self.kind)
        self.strict = around.get("strict") if strict is None else strict
        name = around.get("name") or getattr(schema, "__name__", None)
        self.name = _tool_name(str(name if get_origin(schema) is None and name else "output"))
        said = around.get("description") or self.json_schema.get("description")
        self.description = str(said or f"The answer as `{self.name}`.")
        self._modern = modern_schema(self.json_schema)
        self.wrapped = not _is_object(self._modern)
        self.item = _item_adapter(self.kind)
        self._request = self._made()

    def __reduce__(self) -> tuple[Any, ...]:
        return OutputSchema, (self.source, self.method, self.strict, self.repair)

    def tool(self) -> dict[str, Any]:
        """The tool through which a model gives the object, under `function_calling`."""
        neutral = {
            "name": self.name,
            "description": self.description,
            "parameters": self.request_schema(),
        }
        return neutral if self.strict is None else {**neutral, "strict": self.strict}

    def request_schema(self) -> dict[str, Any]:
        """The JSON Schema that is sent, which is always of an object."""
        return self._request

    def instruction(self) -> str:
        """Words that ask for the object where no parameter does."""
        return (
            "Answer with one JSON object that fits this JSON Schema, and with nothing else:\n"
            + to_json(self._request).decode()
        )

    def _made(self) -> dict[str, Any]:
        made = self.json_schema
        if self.wrapped:
            inner = {k: v for k, v in made.items() if k not in ("$defs", "definitions", "$schema")}
            kept = {k: v for k, v in made.items() if k in ("$defs", "definitions")}
            properties = {WRAPPED: inner}
            made = {"type": "object", "properties": properties, "required": [WRAPPED], **kept}
        return strict_schema(made) if self.strict else made

    def unwrapped(self, value: Any) -> Any:
        """What stands in {"value": …}, if that is how it was asked for."""
        if self.wrapped and isinstance(value, dict) and set(value) == {WRAPPED}:
            return value[WRAPPED]
        return value

    def made_of(self, value: Any) -> tuple[Any, list[str]]:
        """The object that a JSON value makes, and what was mended; MisfitError if it is none."""
        value = self.unwrapped(value)
        try:
            return self._validated(value), []
        except MisfitError as misfit:
            first = misfit
        for inside, told in _readings(value) if self.repair else [(value, [])]:
            mender = Mender(self._modern)
            changed = mender.value(inside, self._modern)
            notes = [*told, *mender.mended]
            if changed == value or (notes and not self.repair):
                continue
            try:
                return self._validated(changed), notes
            except MisfitError as misfit:
                first = first if told else misfit
        raise first

    def named_by(self, text: str) -> tuple[Any, list[str]] | None:
        """The value that a plain text names, such as a member of an enum; None if it may be any."""
        said = text.strip().strip("`\"'.*").strip()
        if not self.wrapped or not said or not faults("\0", self._modern, self._modern):
            return None
        try:
            value, mended = self.made_of(said)
        except MisfitError:
            return None
        return value, ["took the text for the value", *mended]

    def _validated(self, value: Any) -> Any:
        if self._adapter is None:
            found = faults(value, self._modern, self._modern)
            if found:
                raise MisfitError(found)
            return value
        try:
            found = self._adapter.validate_json(to_json(value))
        except ValidationError as error:
            told = error.errors(include_url=False, include_context=False)
            if any(item["type"] == "missing" for item in told):
                filled = with_defaults(value, self._modern, self._modern)
                if filled != value:
                    return self._validated(filled)
            raise MisfitError([f"{_path(item['loc'])}: {item['msg']}" for item in told]) from error
        if isinstance(found, BaseModel) and value and _is_empty(found):
            keys = ", ".join(f"`{key}`" for key in value)
            raise MisfitError([f"it has no key of the schema, only {keys}"])
        return found


def _readings(value: Any) -> Iterator[tuple[Any, list[str]]]:
    """What an answer may mean: itself, or the one thing that it holds."""
    yield value, []
    if isinstance(value, dict) and len(value) == 1:
        ((key, inside),) = value.items()
        if isinstance(inside, dict | list):
            yield inside, [f"taken out of {key!r}"]
    if isinstance(value, list) and len(value) == 1:
        yield value[0], ["taken out of a list"]


def _adapted(schema: Any) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    if isinstance(schema, FunctionType):
        raise InputError(f"{schema!r} has no JSON Schema of an answer; it is a function")
    try:
        adapter = TypeAdapter(schema)
        return adapter, schema_of_type(adapter)
    except Exception as error:  # pydantic has several ways to say that a type is none
        raise InputError(f"{schema!r} has no JSON Schema: {error}") from error


def _item_adapter(schema: Any) -> TypeAdapter[Any] | None:
    """How an item of `list[T]` is read; None for other schemas."""
    if get_origin(schema) is not list or len(get_args(schema)) != 1:
        return None
    return TypeAdapter(get_args(schema)[0])


def _is_object(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "object" or ("properties" in schema and "type" not in schema)


def _is_empty(found: BaseModel) -> bool:
    return not (
        found.model_fields_set or found.model_extra or isinstance(found, root_model.RootModel)
    )


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "value"


def _tool_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "output"
