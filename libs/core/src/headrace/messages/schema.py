"""How messages meet pydantic: instances pass through, dicts are read, types are told apart.

Built on pydantic_core alone, so that importing messages does not import pydantic. The reader
of dicts stands above the message classes and is handed in by `use_reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.deferred import core_schema as cs
from headrace.errors import InputError

_reader: list[Callable[[Mapping[str, Any]], Any]] = []
_kinds: dict[str, Any] = {}


def use_reader(reader: Callable[[Mapping[str, Any]], Any], kinds: Mapping[str, Any]) -> None:
    """Name the function that reads a dict, and the class of each message type."""
    _reader[:] = [reader]
    _kinds.update(kinds)


def validate(cls: Any, value: Any) -> Any:
    """`value` if it is a `cls`, else the `cls` that a mapping describes."""
    if isinstance(value, cls):
        return value
    if not isinstance(value, Mapping):
        raise InputError(f"{cls.__name__} is made from a message or a dict, not {value!r}")
    if "type" not in value and "role" not in value and cls.type:
        value = {**value, "type": cls.type}
    message = _reader[0](value)
    if not isinstance(message, cls):
        raise InputError(f"a dict of type `{message.type}` is not {cls.__name__}")
    return message


def core_schema_of(cls: Any) -> cs.CoreSchema:
    """The pydantic-core schema of one message class; of all of them for BaseMessage."""
    return _schema_of_class(cls) if cls.type else union_schema()


class AnyOf:
    """Annotation that makes pydantic pick the message class by `type` (or `role`)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> cs.CoreSchema:
        return union_schema()


def union_schema() -> cs.CoreSchema:
    """The union of all kinds, told apart by `type`."""
    choices = {name: _schema_of_class(cls) for name, cls in _kinds.items()}
    return cs.tagged_union_schema(choices, discriminator=_tag)


def _tag(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        tag = getattr(value, "type", None)
        return tag if isinstance(tag, str) else None
    tag = value.get("type")
    if tag not in _kinds and "role" in value:
        tag = ROLES.get(str(value["role"]).lower(), value["role"])
    return tag


# What people and wire formats call the speakers, and the type that each becomes.
ROLES: dict[str, str] = {
    "system": "system",
    "developer": "developer",
    "user": "human",
    "human": "human",
    "assistant": "ai",
    "ai": "ai",
    "tool": "tool",
    "function": "tool",
}


def _schema_of_class(cls: Any) -> cs.CoreSchema:
    shape = _shape_of_class(cls)
    return cs.no_info_wrap_validator_function(
        lambda value, _: validate(cls, value),
        shape,
        serialization=cs.plain_serializer_function_ser_schema(
            _dump, info_arg=True, return_schema=shape
        ),
    )


def _dump(message: Any, info: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = message.model_dump(
        mode="json" if info.mode == "json" else "python", exclude_none=info.exclude_none
    )
    return dumped


def _shape_of_class(cls: Any) -> cs.CoreSchema:
    """A typed dict: it stands for the class in JSON Schema and when dumping."""
    fields = {
        "type": cs.typed_dict_field(
            cs.with_default_schema(cs.literal_schema([cls.type]), default=cls.type),
            required=False,
        )
    }
    required = ("tool_call_id", "role") if cls.type != "remove" else ("id",)
    for name in cls._fields:
        fields[name] = cs.typed_dict_field(_FIELD_SHAPES[name](), required=name in required)
    return cs.typed_dict_schema(
        fields, cls_name=cls.__name__, extra_behavior="allow", ref=f"headrace.{cls.__name__}"
    )


def _any_dict() -> cs.CoreSchema:
    return cs.dict_schema(cs.str_schema(), cs.any_schema())


def _text() -> cs.CoreSchema:
    return cs.nullable_schema(cs.str_schema())


def _content() -> cs.CoreSchema:
    part = cs.union_schema([cs.str_schema(), _any_dict()])
    return cs.union_schema([cs.str_schema(), cs.list_schema(part)])


def _dicts() -> cs.CoreSchema:
    return cs.list_schema(_any_dict())


_FIELD_SHAPES: dict[str, Callable[[], cs.CoreSchema]] = {
    "content": _content,
    "name": _text,
    "id": _text,
    "additional_kwargs": _any_dict,
    "response_metadata": _any_dict,
    "tool_calls": _dicts,
    "invalid_tool_calls": _dicts,
    "tool_call_chunks": _dicts,
    "usage_metadata": lambda: cs.nullable_schema(_any_dict()),
    "usage_kind": lambda: cs.literal_schema(["delta", "snapshot"]),
    "chunk_position": lambda: cs.nullable_schema(cs.literal_schema(["last"])),
    "tool_call_id": lambda: cs.str_schema(),
    "artifact": lambda: cs.any_schema(),
    "status": lambda: cs.literal_schema(["success", "error"]),
    "role": lambda: cs.str_schema(),
}
