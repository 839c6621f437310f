"""An object while it streams: partial instances, and the finished items of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from typing_extensions import get_type_hints, is_typeddict

from headrace.messages.growing import partial_json
from headrace.output_parsers.json import replacing
from headrace.output_parsers.salvage import ArrayReader, growing_document

if TYPE_CHECKING:
    from headrace.chat_models.schema import OutputSchema
    from headrace.messages import AIMessageChunk

_NOT_YET: Any = object()


class Growing:
    """What is shown of the answer of one request, chunk by chunk.

    Of `list[T]` each item once, as soon as it is whole, in a list of its own: these add up to
    the answer. Of other schemas the object so far, whenever it has changed; the last one is it.
    `among`: other things come in the same stream, so of a list, too, all so far is shown, and
    at last the answer again, whatever came before it.
    """

    def __init__(self, schema: OutputSchema, among: bool = False) -> None:
        self.schema, self._among = schema, among
        self._array = None if schema.item is None else ArrayReader()
        self._shown: Any = _NOT_YET
        self.items = 0

    def feed(self, total: AIMessageChunk) -> list[Any]:
        """The values that the sum of the chunks so far adds to those shown before."""
        document = document_of(total, self.schema.name)
        if not document:
            return []
        if self._array is not None:
            return self._items(self._array, document)
        value = self.schema.unwrapped(partial_json(document))
        if value is None or (self.schema.wrapped and value == {}):
            return []
        shown = partial_of(self.schema.kind, value)
        if shown is _NOT_YET or (type(shown) is type(self._shown) and shown == self._shown):
            return []
        self._shown = shown
        return [replacing(shown)]

    def _items(self, array: ArrayReader, document: str) -> list[Any]:
        found: list[Any] = []
        assert self.schema.item is not None
        for item in array.feed(document):
            try:
                found.append([self.schema.item.validate_json(to_json(item))])
            except ValidationError:
                array.done = True  # perhaps it can be mended when all of it is there
                break
        self.items += len(found)
        if not self._among or not found:
            return found
        self._shown = [*([] if self._shown is _NOT_YET else self._shown), *(i for [i] in found)]
        return [replacing(self._shown)]

    def finish(self, value: Any) -> list[Any]:
        """What is left to show of the whole answer."""
        if self._array is not None and not self._among:
            return [[item] for item in value[self.items :]] if value else [[]]
        if self._among or type(value) is not type(self._shown) or value != self._shown:
            return [replacing(value)]
        return []


def document_of(total: AIMessageChunk, name: str) -> str:
    """The JSON so far: the arguments of the call of `name`, else what the text holds."""
    pieces = total.tool_call_chunks
    if pieces:
        return next((piece["args"] or "" for piece in pieces if piece["name"] == name), "")
    return growing_document(total.text)


def partial_of(kind: Any, value: Any) -> Any:
    """The value as an instance of `kind` that lacks what has not come, and so within it.

    A pydantic model is made as by `model_construct`, unvalidated; of a dataclass what has not
    come and has no default is None. What fits no model stays as it is.
    """
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return partial_of(args[0], value)
    if origin in (Union, UnionType):
        return _of_union(args, value)
    if isinstance(value, list):
        inner = args[0] if origin in (list, set, frozenset, tuple) and args else None
        return [partial_of(inner, item) for item in value]
    if not isinstance(value, dict):
        return value
    if origin is dict and len(args) == 2:
        return {key: partial_of(args[1], item) for key, item in value.items()}
    if is_model(kind):
        return _partial_model(kind, value)
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        return {key: partial_of(hints.get(key), item) for key, item in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return _partial_dataclass(kind, value)
    return value


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _partial_model(kind: type[BaseModel], value: Mapping[str, Any]) -> Any:
    keys: dict[str, str] = {}
    for name, item in kind.model_fields.items():
        for key in (item.alias, item.validation_alias, name):
            if isinstance(key, str):
                keys.setdefault(key, name)
    found = {}
    for key, item in value.items():
        name = keys.get(key, key)
        known = kind.model_fields.get(name)
        found[key] = partial_of(known.annotation, item) if known is not None else item
    try:
        return kind.model_construct(**found)
    except Exception:  # noqa: BLE001 - a `model_post_init` need not take half an object
        return _NOT_YET


def _partial_dataclass(kind: Any, value: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    made = object.__new__(kind)
    for item in fields(kind):
        if item.name in value:
            found = partial_of(hints.get(item.name), value[item.name])
        elif item.default is not MISSING:
            found = item.default
        else:
            found = item.default_factory() if item.default_factory is not MISSING else None
        object.__setattr__(made, item.name, found)
    return made


def _of_union(members: tuple[Any, ...], value: Any) -> Any:
    """By the member whose fields, and whose literal values, the object so far agrees with."""
    if isinstance(value, dict):
        for member in members:
            if is_model(member) and _agrees(member, value):
                return _partial_model(member, value)
        others = [m for m in members if m is not type(None) and not is_model(m)]
    else:
        others = [m for m in members if get_origin(m) is list] if isinstance(value, list) else []
    return partial_of(others[0], value) if len(others) == 1 else value


def _agrees(kind: type[BaseModel], value: Mapping[str, Any]) -> bool:
    known = {item.alias or name: item for name, item in kind.model_fields.items()}
    for key, item in value.items():
        if key not in known:
            return False
        hint = known[key].annotation
        if get_origin(hint) is Literal and item not in get_args(hint):
            return False
    return True
