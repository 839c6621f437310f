"""The sum of chunks as a running fold: fed one chunk at a time, shown when somebody reads.

Pieces are kept in lists and joined when shown, so n chunks cost n steps. Every rule is
associative (docs: DESIGN 4), which is what lets any stretch of a stream be folded on its own:
- text and reasoning without index join the run they touch, if they carry nothing else;
- a block with an index joins the newest block of its type and index, unless it brings another
  `id`; any other block stands alone;
- of a joined block only text, reasoning, arguments and sound concatenate; for other fields the
  last wins, for `id` and `name` the first;
- usage figures add, or replace, each by its own kind; metadata: the last wins.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from headrace.messages.calls import read_tool_call_chunk
from headrace.messages.usage import add_usage, fields_of, replace_usage

Block = dict[str, Any]

# What concatenates, by type of block.
_JOINED: dict[Any, tuple[str, ...]] = {
    "text": ("text",),
    "reasoning": ("reasoning",),
    "refusal": ("refusal",),
    "tool_call_chunk": ("args",),
    "server_tool_call_chunk": ("args",),
    "audio": ("base64", "transcript"),
}
_RUNS = frozenset({"text", "reasoning", "refusal"})  # join what they touch, by a field so named
_PIECE = "tool_call_chunk"
_FIRST_WINS = ("id", "name", "type", "index")


class Fold:
    """A running sum; it belongs to one owner at a time."""

    __slots__ = (
        "_blocks", "_calls", "_newest", "_run", "_run_at", "_run_kind", "_tail", "_tail_type",
        "chunk_position", "id", "kwargs", "logprobs", "meta", "name", "shown", "usage",
        "usage_kind",
    )  # fmt: skip

    def __init__(self) -> None:
        self._blocks: list[Block | _Joined] = []
        self._calls: list[_Joined] = []
        self._newest: dict[tuple[Any, Any], _Joined] = {}
        self._run_kind: str | None = None  # the indexed run that was added to last, its text
        self._run_at: Any = None
        self._run: list[str] = []
        self._tail: list[str] | None = None
        self._tail_type: str | None = None
        self.shown: tuple[Any, int, Any, int] | None = None
        self.chunk_position: Any = None
        self.id: str | None = None
        self.name: str | None = None
        self.kwargs: dict[str, Any] | None = None
        self.meta: dict[str, Any] | None = None
        self.logprobs: dict[str, Any] | None = None
        self.usage: Any = None
        self.usage_kind: Any = "delta"

    def feed(self, chunk: Any) -> None:
        """Add one folded chunk; a chunk of text alone is a handful of attribute reads."""
        content = chunk._content
        if content.__class__ is str:
            if content:
                if self._tail_type == "text":
                    self._tail.append(content)  # type: ignore[union-attr]  # set with its type
                else:
                    self._open_run("text", content)
            if chunk._pieces:
                for piece in chunk._pieces:
                    self._join(piece)
        else:
            self._add_parts(content, chunk._pieces)
        if chunk._usage:
            self._add_usage(chunk._usage, chunk._usage_kind)
        if chunk._meta:
            self._add_meta(chunk._meta)
        if chunk._kwargs:
            self.kwargs = {**(self.kwargs or {}), **chunk._kwargs}
        if chunk._id is not None and self.id is None:
            self.id = chunk._id
        if chunk._name is not None and self.name is None:
            self.name = chunk._name
        if chunk._position is not None:
            self.chunk_position = chunk._position

    def resume(self, chunk: Any) -> bool:
        """Take on what `chunk`, the total shown last, says now; False if its lists were edited.

        Users assign to totals and change their metadata: the small fields are read again.
        """
        content, length, pieces, count = self.shown or (None, 0, None, 0)
        if (
            chunk._content is not content or len(content) != length
            or (chunk._pieces or None) is not pieces or len(pieces or ()) != count
        ):  # fmt: skip
            return False
        self.id, self.name, self.chunk_position = chunk._id, chunk._name, chunk._position
        self.kwargs = dict(chunk._kwargs) if chunk._kwargs else None
        self.usage, self.usage_kind = chunk._usage, chunk._usage_kind
        self.meta = self.logprobs = None
        if chunk._meta:
            self._add_meta(chunk._meta)
        return True

    def show(self, chunk: Any, *, private: bool = False) -> None:
        """Write the sum so far into the slots of `chunk`, blocks copied unless `private`."""
        chunk._content = content = self._content(private)
        chunk._pieces = pieces = [call.block() for call in self._calls] or None
        self.shown = (content, len(content), pieces, len(pieces or ()))
        chunk._usage = None if self.usage is None else add_usage(self.usage, None)
        chunk._usage_kind = self.usage_kind
        meta = self.meta
        if self.logprobs is not None:
            joined = {k: list(v) if v.__class__ is list else v for k, v in self.logprobs.items()}
            meta = {**(meta or {}), "logprobs": joined}
        chunk._meta = dict(meta) if meta else None
        chunk._kwargs = dict(self.kwargs) if self.kwargs else None
        chunk._id, chunk._name, chunk._position = self.id, self.name, self.chunk_position

    def _content(self, private: bool) -> str | list[Block]:
        blocks = self._blocks
        if not blocks:
            return ""
        first = blocks[0]
        if len(blocks) == 1 and first.__class__ is _Joined and first.is_text_run():
            return str(first.block()["text"])
        if private:
            return [b if b.__class__ is dict else b.block() for b in blocks]  # type: ignore[union-attr]  # told apart by class
        return [b.copy() if b.__class__ is dict else b.block() for b in blocks]  # type: ignore[union-attr]  # as above

    def _open_run(self, kind: str, text: str) -> None:
        run = _Joined({"type": kind}, {kind: [text]})
        self._blocks.append(run)
        self._tail, self._tail_type = run.parts[kind], kind

    def _add_parts(self, parts: list[Any], pieces: list[Any] | None) -> None:
        """Add a list content; the `pieces` are joined first, in their own order.

        A piece may also stand in the content as a block: then that is its place, not another.
        """
        waiting = [(piece, *self._join(piece)) for piece in pieces] if pieces else []
        for part in parts:
            if part.__class__ is str:
                self._add_block("text", {"type": "text", "text": part})
                continue
            kind = part.get("type")
            if kind != _PIECE:
                # The usual piece goes on with the text of the same block and brings nothing else;
                # what this spares it is half of what its sum costs.
                if len(part) == 3 and kind == self._run_kind and part.get("index") == self._run_at:
                    text = part.get(kind)
                    if text.__class__ is str:
                        self._run.append(text)
                        continue
                self._add_block(kind, part)
                continue
            piece = read_tool_call_chunk(part)
            same = next((entry for entry in waiting if entry[0] == piece), None)
            if same is not None:
                waiting.remove(same)
            call, is_new = same[1:] if same else self._join(piece)
            if is_new:
                self._blocks.append(call)
                self._tail_type = None

    def _add_block(self, kind: Any, block: Any) -> None:
        index = block.get("index")
        if index.__class__ is int or index.__class__ is str:
            self._join_keyed(kind, block)
            return
        text = _bare_text(kind, block) if kind in _RUNS else None
        if text is None:
            self._blocks.append(block)
            self._tail_type = None
        elif text:
            if self._tail_type == kind:
                self._tail.append(text)  # type: ignore[union-attr]  # set with its type
            else:
                self._open_run(kind, text)

    def _join_keyed(self, kind: Any, block: Block) -> None:
        key = (kind, block["index"])
        joined = self._newest.get(key)
        if joined is not None and joined.takes(block):
            joined.add(block)
        else:
            self._newest[key] = joined = _Joined.of(block)
            self._blocks.append(joined)
            self._tail_type = None
        is_run = kind in _RUNS and kind in joined.parts
        self._run_kind, self._run_at = (kind, key[1]) if is_run else (None, None)
        self._run = joined.parts[kind] if is_run else []

    def _join(self, piece: Any) -> tuple[_Joined, bool]:
        """The call that `piece` belongs to, and whether it began with it."""
        index = piece["index"]
        newest = None if index is None else self._newest.get((_PIECE, index))
        if newest is not None and newest.takes(piece):
            if piece["name"] is None and len(piece) == 5:  # the usual piece: only arguments
                newest.append("args", piece["args"])
            else:
                newest.add(piece)
            return newest, False
        call = _Joined.of(piece)
        self._calls.append(call)
        if index is not None:
            self._newest[_PIECE, index] = call
        return call, True

    def _add_usage(self, usage: Any, kind: Any) -> None:
        if not fields_of(usage):
            return
        if self.usage is None:
            self.usage, self.usage_kind = usage, kind
            return
        if kind == "delta":
            old = self.usage
            self.usage = add_usage(old, usage)
            if self.usage_kind == "snapshot":
                added = fields_of(usage) - fields_of(old)
                if added:
                    self.usage_kind = fields_of(old)
            return
        replaced = fields_of(usage) if kind == "snapshot" else kind
        old_kind = self.usage_kind
        kept = fields_of(self.usage)
        kept = kept if old_kind == "snapshot" else frozenset() if old_kind == "delta" else old_kind
        self.usage = replace_usage(self.usage, usage, replaced)
        snapshots = kept | replaced
        self.usage_kind = "snapshot" if snapshots >= fields_of(self.usage) else snapshots

    def _add_meta(self, given: dict[str, Any]) -> None:
        for key, value in given.items():
            if value is None:
                continue
            if key == "logprobs" and value.__class__ is dict:
                self._add_logprobs(value)
                continue
            if self.meta is None:
                self.meta = {}
            self.meta[key] = value
            if key == "logprobs":
                self.logprobs = None

    def _add_logprobs(self, given: dict[str, Any]) -> None:
        if self.logprobs is None:
            self.logprobs = {}
        for key, value in given.items():
            old = self.logprobs.get(key)
            if value.__class__ is not list:
                if value is not None or key not in self.logprobs:
                    self.logprobs[key] = value
            elif old.__class__ is list:
                old.extend(value)
            else:
                self.logprobs[key] = list(value)


class _Joined:
    """A block in the making: its settled fields, and the parts of those that concatenate."""

    __slots__ = ("head", "parts")

    def __init__(self, head: Block, parts: dict[str, list[str]]) -> None:
        self.head, self.parts = head, parts

    @classmethod
    def of(cls, block: Any) -> _Joined:
        joined = cls({}, {})
        joined.add(block)
        return joined

    def takes(self, block: Any) -> bool:
        """Whether `block` continues this one: it brings no id, or the same."""
        id = block.get("id")
        return not id or bool(id == self.head.get("id"))

    def append(self, field: str, text: str | None) -> None:
        """Add `text` to a field that concatenates."""
        parts = self.parts.get(field)
        if parts is None:
            parts = self.parts[field] = []
        if text:
            parts.append(text)

    def add(self, block: Any) -> None:
        """Take in `block`, field by field."""
        head = self.head
        concatenated = _JOINED.get(block.get("type"), ())
        for key, value in block.items():
            if key in concatenated and (value is None or value.__class__ is str):
                self.append(key, value)
            elif key not in head:
                head[key] = value
            elif value is None or key in _FIRST_WINS:
                if value is not None and not head[key]:
                    head[key] = value
            elif value.__class__ is dict and key == "extras" and isinstance(head[key], dict):
                head[key] = {**head[key], **value}
            elif value.__class__ is list and key == "annotations" and isinstance(head[key], list):
                head[key] = [*head[key], *value]
            else:
                head[key] = value

    def is_text_run(self) -> bool:
        """Whether this is text and nothing else."""
        return len(self.head) == 1 and self.head.get("type") == "text" and "text" in self.parts

    def block(self) -> Block:
        """The block so far, as a new dict."""
        block = dict(self.head)
        for key, parts in self.parts.items():
            if len(parts) > 1:
                parts[:] = [_join_base64(parts) if key == "base64" else "".join(parts)]
            block[key] = parts[0] if parts else ""
        return block


def _bare_text(kind: Any, block: Block) -> str | None:
    """The text of a block that carries nothing else, None for any other block."""
    text = block.get(kind)
    if text.__class__ is not str:
        return None
    if len(block) > 2:
        for key, value in block.items():
            if value is not None and key != "type" and key != kind:
                return None
    return str(text)


def loose_pieces(pieces: list[Any], content: list[Any]) -> list[Any]:
    """The `pieces` that do not stand as a block in `content`."""
    standing = [
        read_tool_call_chunk(part)
        for part in content
        if part.__class__ is dict and part.get("type") == _PIECE
    ]
    loose = []
    for piece in pieces:
        if piece in standing:
            standing.remove(piece)
        else:
            loose.append(piece)
    return loose


def _join_base64(parts: list[str]) -> str:
    """The encoding of the joined bytes: a padded piece cannot be followed by another as text."""
    if not any(part.endswith("=") or len(part) % 4 for part in parts[:-1]):
        return "".join(parts)
    try:
        return b64encode(b"".join(b64decode(part, validate=True) for part in parts)).decode()
    except ValueError:
        return "".join(parts)
