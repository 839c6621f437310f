"""The schema of an answer: what is sent to the model, and the object made of what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from headrace.errors import InputError, StructuredOutputError
from headrace.messages import AIMessage, AIMessageChunk, partial_tool_calls

Method = Literal["auto", "json_schema", "function_calling", "json_mode", "prompted"]
METHODS = ("auto", "json_schema", "function_calling", "json_mode", "prompted")


class OutputSchema:
    """A pydantic model, dataclass, TypedDict, any type, or a JSON Schema with a title."""

    def __init__(self, schema: Any, method: Method = "auto", strict: bool | None = None) -> None:
        if method not in METHODS:
            raise InputError(f"`method` is one of {', '.join(METHODS)}, not {method!r}")
        self.source, self.method, self.strict = schema, method, strict
        if isinstance(schema, Mapping):
            self._adapter, self.json_schema = None, dict(schema)
            self.name = _tool_name(str(schema.get("title") or schema.get("name") or "output"))
        else:
            try:
                self._adapter = TypeAdapter(schema)
                self.json_schema = self._adapter.json_schema()
            except Exception as error:
                raise InputError(f"{schema!r} has no JSON Schema: {error}") from error
            self.name = _tool_name(getattr(schema, "__name__", None) or "output")
        self.description = str(
            self.json_schema.get("description") or f"The answer as `{self.name}`."
        )

    def tool(self) -> dict[str, Any]:
        """The tool through which a model gives the object, under `function_calling`."""
        neutral = {
            "name": self.name,
            "description": self.description,
            "parameters": self._object_schema(),
        }
        return neutral if self.strict is None else {**neutral, "strict": self.strict}

    def _object_schema(self) -> dict[str, Any]:
        if "properties" in self.json_schema or self.json_schema.get("type") == "object":
            return self.json_schema
        inner = {k: v for k, v in self.json_schema.items() if k != "$defs"}
        wrapped = {"type": "object", "properties": {"value": inner}, "required": ["value"]}
        return {**wrapped, **{k: v for k, v in self.json_schema.items() if k == "$defs"}}

    @property
    def _wrapped(self) -> bool:
        return self._object_schema() is not self.json_schema

    def request_schema(self) -> dict[str, Any]:
        """The JSON Schema of a response format, which is always of an object."""
        return self._object_schema()

    def read(self, message: AIMessage) -> Any:
        """The object in a finished message.

        Raises StructuredOutputError with the raw message and the errors; a cut-off JSON is
        never completed.
        """
        for call in message.tool_calls:
            if call["name"] == self.name:
                return self._object(call["args"], message)
        if message.tool_calls:
            names = ", ".join(f"`{call['name']}`" for call in message.tool_calls)
            raise self._failure(message, f"the model called {names} instead")
        if message.invalid_tool_calls:
            raise self._failure(message, str(message.invalid_tool_calls[0].get("error")))
        text = message.text.strip()
        if not text:
            raise self._failure(message, "the model answered with no text and no call")
        try:
            value = from_json(_unfenced(text))
        except ValueError as error:
            raise self._failure(message, f"not JSON: {error}") from error
        return self._object(value, message)

    def _object(self, value: Any, message: AIMessage) -> Any:
        if self._wrapped and isinstance(value, dict) and set(value) == {"value"}:
            value = value["value"]
        if self._adapter is None:
            if not isinstance(value, dict) and not self._wrapped:
                raise self._failure(message, f"expected an object, found {type(value).__name__}")
            return value
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            found = [f"{_path(item['loc'])}: {item['msg']}" for item in error.errors()]
            raise self._failure(message, *found) from error

    def _failure(self, message: AIMessage, *errors: str) -> StructuredOutputError:
        refusal = next(
            (b.get("refusal") for b in message.content_blocks if b["type"] == "refusal"), None
        )
        told = [f"the model refused: {refusal}"] if refusal else list(errors)
        return StructuredOutputError(
            f"no `{self.name}` in the model's answer: {'; '.join(told)}; the message is in `.raw`",
            raw=message,
            errors=told,
        )

    def partial(self, total: AIMessageChunk) -> Any:
        """The object as far as it has come, or None; not yet validated."""
        value: Any = None
        calls = partial_tool_calls(total)
        if calls:
            value = next((c["args"] for c in calls if c["name"] == self.name), None)
        else:
            text = _unfenced(total.text.lstrip())
            if text[:1] in ("{", "["):
                try:
                    value = from_json(text, allow_partial="trailing-strings")
                except ValueError:
                    return None
        if self._wrapped and isinstance(value, dict):
            value = value.get("value")
        if isinstance(value, dict) and _is_model(self.source):
            return self.source.model_construct(**value)
        return value


def _is_model(source: Any) -> bool:
    return isinstance(source, type) and issubclass(source, BaseModel)


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "value"


def _tool_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "output"


_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)(?:\n?```|$)", re.DOTALL)


def _unfenced(text: str) -> str:
    """The content of the first fenced block, if the text has one and is not JSON itself."""
    if text[:1] in ("{", "["):
        return text
    found = _FENCE.search(text)
    return found.group(1) if found else text
