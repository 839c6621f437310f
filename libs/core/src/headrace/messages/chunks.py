"""AIMessageChunk: a piece of a streamed answer, and the sum of pieces.

`a + b` makes a node that only knows its two sides. When first read it folds from left to right,
going on from the nearest total that was read before and taking over its running fold; then it
drops its sides. All walks are loops. Nodes share nothing that changes: a fold in progress has
one owner (it changes hands by `list.pop`, which is atomic), so threads may add to and read the
same total, and an old total does not hold what was added after it.

A chain is packed while it grows: a node over `PACKED_AFTER` loose chunks replaces each run of
them by one folded chunk. So of n chunks the garbage collector finds n / PACKED_AFTER, and
freeing a long chain is shallow. Packed runs are never folded again before a read: the work
stays linear. Edits to a total's fields show in later sums; edits inside its lists do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Literal, cast

from headrace.errors import InputError
from headrace.messages.blocks import (
    ContentBlock,
    InvalidToolCall,
    ToolCall,
    ToolCallChunk,
)
from headrace.messages.calls import read_tool_call_chunk, resolve, split_calls
from headrace.messages.canonical import canonical_block
from headrace.messages.joining import Fold, loose_pieces
from headrace.messages.kinds import AIMessage
from headrace.messages.message import (
    BaseMessage,
    BlocksInput,
    Content,
    ContentInput,
    read_content,
)
from headrace.messages.usage import UsageKind, UsageMetadata

PACKED_AFTER = 256


def _fold(chunk: AIMessageChunk) -> AIMessageChunk:
    if chunk._left is not None:
        _settle(chunk)
    return chunk


def _folding(slot: str, empty: Callable[[], Any] | None = None) -> Any:
    """A property over `slot` that folds a total first, and makes an absent value when asked."""
    read, write = attrgetter(slot), slot

    def get(self: AIMessageChunk) -> Any:
        if self._left is not None:
            _settle(self)
        value = read(self)
        if value is None and empty is not None:
            value = empty()
            setattr(self, write, value)
        return value

    def put(self: AIMessageChunk, value: Any) -> None:
        setattr(_fold(self), write, value)

    return property(get, put)


class AIMessageChunk(AIMessage):
    """A piece of an AIMessage; pieces add up by `+`, `sum(chunks)` and `chunk + [chunks]`.

    `usage_kind` says if the usage is to be added ("delta") or replaces what came before
    ("snapshot"). `chunk_position="last"` ends the stream: only then is a tool call that cannot
    be read an `invalid_tool_call`. Reading is lazy; compares by value, pickles folded.
    """

    __slots__ = (
        "_cell", "_left", "_pieces", "_position", "_right", "_usage_kind", "_weight",
    )  # fmt: skip
    __hash__ = None  # type: ignore[assignment]  # mutable values compare by value

    type: ClassVar[str] = "AIMessageChunk"
    _fields: ClassVar[tuple[str, ...]] = (
        *BaseMessage._fields, "tool_call_chunks", "usage_metadata", "usage_kind",
        "chunk_position",
    )  # fmt: skip
    # The slots of the bases under private names; the public names are properties, which fold
    # first. (A `__getattr__` for unset slots would do, but slows every read fourfold.)
    _content: Any = BaseMessage.__dict__["content"]
    _id: Any = BaseMessage.__dict__["id"]
    _name: Any = BaseMessage.__dict__["name"]
    _meta: Any = BaseMessage.__dict__["response_metadata"]
    _kwargs: Any = BaseMessage.__dict__["additional_kwargs"]
    _usage: Any = AIMessage.__dict__["usage_metadata"]
    _calls: Any = AIMessage.__dict__["tool_calls"]
    _invalid: Any = AIMessage.__dict__["invalid_tool_calls"]

    _pieces: list[Any] | None
    _position: Literal["last"] | None
    _usage_kind: Any  # "delta", "snapshot", or the set of the fields that are snapshots
    _left: AIMessageChunk | None
    _right: AIMessageChunk | None
    _cell: list[Fold] | None
    _weight: int  # loose chunks under this node; 0 if packed or read

    content: Content = _folding("_content")
    id: str | None = _folding("_id")
    name: str | None = _folding("_name")
    usage_metadata: UsageMetadata | None = _folding("_usage")
    chunk_position: Literal["last"] | None = _folding("_position")
    response_metadata: dict[str, Any] = _folding("_meta", dict)
    additional_kwargs: dict[str, Any] = _folding("_kwargs", dict)

    def __init__(
        self,
        content: ContentInput = "",
        *,
        content_blocks: BlocksInput = None,
        tool_call_chunks: Sequence[Mapping[str, object]] | None = None,
        usage_metadata: UsageMetadata | None = None,
        usage_kind: UsageKind = "delta",
        response_metadata: Mapping[str, Any] | None = None,
        id: str | None = None,
        name: str | None = None,
        chunk_position: Literal["last"] | None = None,
        additional_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if content.__class__ is str and content_blocks is None:
            self._content = content
        else:
            self._content = read_content(content, content_blocks, "AIMessageChunk")
        self._pieces = (
            [read_tool_call_chunk(p) for p in tool_call_chunks] if tool_call_chunks else None
        )
        self._usage = usage_metadata
        self._usage_kind = usage_kind
        self._meta = None if response_metadata is None else dict(response_metadata)
        self._kwargs = None if additional_kwargs is None else dict(additional_kwargs)
        self._id = id
        self._name = name
        self._position = chunk_position
        self._left = self._cell = None
        self._weight = 1
        if chunk_position is not None or usage_kind != "delta":
            _check_words(chunk_position, usage_kind)

    @property
    def tool_call_chunks(self) -> list[ToolCallChunk]:
        """The pieces of tool calls, joined in a total."""
        parts = self.content
        if self._pieces is None:
            self._pieces = [
                read_tool_call_chunk(part)
                for part in (parts if parts.__class__ is list else ())
                if part.__class__ is dict and part.get("type") == "tool_call_chunk"
            ]
        return self._pieces

    @tool_call_chunks.setter
    def tool_call_chunks(self, value: list[ToolCallChunk]) -> None:
        _fold(self)._pieces = value

    @property
    def usage_kind(self) -> UsageKind:
        """How the usage adds: a total that holds a snapshot is a snapshot."""
        return "delta" if _fold(self)._usage_kind == "delta" else "snapshot"

    @usage_kind.setter
    def usage_kind(self, value: UsageKind) -> None:
        _check_words(None, value)
        _fold(self)._usage_kind = value

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The calls that can be read; an unfinished one is not among them."""
        try:
            return cast("list[ToolCall]", self._calls)
        except AttributeError:
            self._calls, self._invalid = self._read_calls(False)
            return cast("list[ToolCall]", self._calls)

    @tool_calls.setter
    def tool_calls(self, value: list[ToolCall]) -> None:
        self._calls, self._invalid = value, self.invalid_tool_calls

    @property
    def invalid_tool_calls(self) -> list[InvalidToolCall]:
        """At the end of the stream, the calls that cannot be read."""
        try:
            return cast("list[InvalidToolCall]", self._invalid)
        except AttributeError:
            self._calls, self._invalid = self._read_calls(False)
            return cast("list[InvalidToolCall]", self._invalid)

    @invalid_tool_calls.setter
    def invalid_tool_calls(self, value: list[InvalidToolCall]) -> None:
        self._calls, self._invalid = self.tool_calls, value

    @property
    def content_blocks(self) -> list[ContentBlock]:
        """The content as canonical blocks; at the end of the stream calls are read."""
        content = self._parts()
        final = self.chunk_position == "last"
        pieces: list[Any] = [*content, *loose_pieces(self.tool_call_chunks, content)]
        blocks = [canonical_block(block) for block in pieces]
        return [self._resolved(block) for block in blocks] if final else blocks

    def _resolved(self, block: Any) -> ContentBlock:
        """The block of a piece as the call it makes, any other as it is."""
        if block["type"] == "tool_call_chunk":
            block = resolve(read_tool_call_chunk(block), reason=self._reason())
        return cast("ContentBlock", block)

    def _read_calls(self, final: bool) -> tuple[list[ToolCall], list[InvalidToolCall]]:
        final = final or self.chunk_position == "last"
        calls, invalid = split_calls(self._parts())
        reason = self._reason() if final else ""
        for piece in self.tool_call_chunks:
            call = resolve(piece, final=final, reason=reason)
            if call is None:
                continue
            if call["type"] == "tool_call":
                calls.append(call)
            else:
                invalid.append(call)
        return calls, invalid

    def _reason(self) -> str:
        """Why a call may be cut, for the error of an invalid one."""
        if self.response_metadata.get("finish_reason") == "length":
            return "the answer was cut at the token limit (finish_reason `length`)"
        return "" if self.chunk_position == "last" else "the stream ended early"

    def __add__(self, other: Any) -> AIMessageChunk:
        if other.__class__ is not AIMessageChunk:
            total: AIMessageChunk = self._add_other(other)
            return total
        node = _new(AIMessageChunk)
        node._left = self
        node._right = other
        weight = self._weight + other._weight
        node._weight = weight
        if weight >= PACKED_AFTER:
            _pack(node)
        return node

    def _add_other(self, other: Any) -> Any:
        if isinstance(other, AIMessageChunk):
            return self + sum_chunks([other])
        if not isinstance(other, list | tuple):
            return NotImplemented
        total = self
        for chunk in other:
            if not isinstance(chunk, AIMessageChunk):
                return NotImplemented
            total = total + chunk
        return total

    def __radd__(self, other: int) -> AIMessageChunk:
        if other.__class__ is int and other == 0:  # where sum() starts
            return self
        return NotImplemented

    @staticmethod
    def __headrace_sum__(chunks: Iterable[AIMessageChunk]) -> AIMessageChunk:
        """How `engine.sums` adds up many at once: a third of the price of as many `+`."""
        return sum_chunks(chunks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AIMessageChunk):
            return NotImplemented
        return _normal(self) == _normal(other)

    def __getstate__(self) -> Any:
        _fold(self)
        return None, {
            **{name: getattr(self, name) for name in _VALUES},
            "_left": None, "_cell": None, "_weight": 1,
        }  # fmt: skip

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Any:
        """A copy with fields replaced; containers are shared with this one unless `deep`."""
        copy = super().model_copy(update=update, deep=deep)
        if "usage_kind" not in (update or ()):
            copy._usage_kind = self._usage_kind
        return copy

    def _repr_parts(self) -> list[str]:
        return [p for p in super()._repr_parts() if p != "usage_kind='delta'"]


def sum_chunks(chunks: Iterable[AIMessageChunk]) -> AIMessageChunk:
    """The total of `chunks`, folded at once; an empty chunk for none."""
    fold = Fold()
    for chunk in chunks:
        fold.feed(_fold(chunk))
    return _folded(fold)


def message_chunk_to_message(chunk: BaseMessage) -> BaseMessage:
    """The AIMessage that a total makes, calls read as at the end; another message as it is.

    The places of blocks in the stream (`index`) and empty text are dropped.
    """
    if not isinstance(chunk, AIMessageChunk):
        return chunk
    calls, invalid = chunk._read_calls(True)
    if chunk.content.__class__ is str:
        content: Any = chunk.content
    else:
        content = _finished_content(chunk)
    return AIMessage(
        content,
        tool_calls=_without_index(calls),
        invalid_tool_calls=_without_index(invalid),
        usage_metadata=chunk.usage_metadata,
        response_metadata=chunk.response_metadata,
        additional_kwargs=chunk.additional_kwargs,
        id=chunk.id,
        name=chunk.name,
    )


def _finished_content(chunk: AIMessageChunk) -> Any:
    content = _normal(chunk)[0]
    parts: list[Any] = []
    for part in content if content.__class__ is list else [{"type": "text", "text": content}]:
        if part.get("type") == "tool_call_chunk":
            part = chunk._resolved(part)
        part = {key: value for key, value in part.items() if key != "index"}
        if part.get("type") != "text" or part.get("text") or len(part) > 2:
            parts.append(part)
    if not parts:
        return ""
    only = parts[0]
    return only["text"] if len(parts) == 1 and len(only) == 2 and "text" in only else parts


def _without_index(calls: Any) -> Any:
    return [{key: value for key, value in call.items() if key != "index"} for call in calls]


def _normal(chunk: AIMessageChunk) -> tuple[Any, ...]:
    """The values of `chunk` as folding shows them: the form in which chunks are compared."""
    total = sum_chunks([chunk])
    return (
        total._content, total._pieces, total._usage, total.usage_kind, total._meta,
        total._kwargs, total._id, total._name, total._position,
    )  # fmt: skip


def _settle(node: AIMessageChunk) -> None:
    """Fold `node` and drop its sides.

    Two threads may do so at once: both write equal values, and the sides go last, so whoever
    finds them gone finds the values.
    """
    todo: list[AIMessageChunk] = []
    at = _leftmost(node, todo)
    fold = _take_over(at)
    if fold is None:
        fold = Fold()
        fold.feed(at)
    while todo:
        at = todo.pop()
        fold.feed(at if at._left is None else _leftmost(at, todo))
    _publish(node, fold)


def _leftmost(node: AIMessageChunk, todo: list[AIMessageChunk]) -> AIMessageChunk:
    """The first folded chunk under `node`; what stands to its right is left in `todo`."""
    while (left := node._left) is not None and (right := node._right) is not None:
        todo.append(right)
        node = left
    return node


def _take_over(total: AIMessageChunk) -> Fold | None:
    cell = total._cell
    if not cell:
        return None
    try:
        fold = cell.pop()
    except IndexError:  # another thread was faster
        return None
    return fold if fold.resume(total) else None


def _publish(node: AIMessageChunk, fold: Fold) -> None:
    fold.show(node)
    node._cell = [fold]
    node._weight = 0
    node._left = node._right = None


def _pack(node: AIMessageChunk) -> None:
    """Replace each run of loose chunks under `node` by one folded chunk."""
    units: list[AIMessageChunk] = []
    todo: list[AIMessageChunk] = [node]
    run: Fold | None = None
    while todo:
        at = todo.pop()
        while at._weight and (left := at._left) is not None and (right := at._right) is not None:
            todo.append(right)
            at = left
        if at._weight:
            run = run or Fold()
            run.feed(at)
        else:
            if run is not None:
                units.append(_folded(run, private=True))
                run = None
            units.append(at)
    if run is not None:
        if not units:
            _publish(node, run)
            return
        units.append(_folded(run, private=True))
    left = units[0]
    for unit in units[1:-1]:
        inner = _new(AIMessageChunk)
        inner._left, inner._right, inner._weight = left, unit, 0
        left = inner
    node._left, node._right, node._weight = left, units[-1], 0


def _folded(fold: Fold, *, private: bool = False) -> AIMessageChunk:
    chunk = _new(AIMessageChunk)
    chunk._left = None
    fold.show(chunk, private=private)
    chunk._cell, chunk._weight = None, 0
    return chunk


def telling(chunks: Iterable[AIMessageChunk]) -> list[AIMessageChunk]:
    """Those of the chunks that hold usage or metadata, without a look at the content of others."""
    return [one for one in chunks if one._usage or one._meta or one._left is not None]


def _check_words(chunk_position: object, usage_kind: object) -> None:
    if chunk_position not in (None, "last"):
        raise InputError(f"`chunk_position` is None or 'last', not {chunk_position!r}")
    if usage_kind not in ("delta", "snapshot"):
        raise InputError(f"`usage_kind` is 'delta' or 'snapshot', not {usage_kind!r}")


_new = AIMessageChunk.__new__
_VALUES = (
    "_content", "_id", "_name", "_meta", "_kwargs", "_usage", "_position", "_pieces",
    "_usage_kind",
)  # fmt: skip
