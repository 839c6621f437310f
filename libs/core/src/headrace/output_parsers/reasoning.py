"""ReasoningSplitter: `<think>`-style tags in a model's text as reasoning blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run

TAGS = ("think",)


class TagSplitter:
    """Text in pieces of any size to runs of ("text" | "reasoning", text), tags taken out.

    No other character is changed, added or lost. `inside`: the text begins within reasoning,
    as where the prompt holds the opening tag.
    """

    __slots__ = ("_close", "_held", "_pairs", "inside")

    def __init__(self, tags: Iterable[str] = TAGS, *, inside: bool = False) -> None:
        names: list[Any] = list(tags)
        if not names or not all(name and isinstance(name, str) for name in names):
            raise InputError(
                f"the tags of a ReasoningSplitter are names, such as 'think', not {names!r}"
            )
        self._pairs = {f"<{name}>": f"</{name}>" for name in names}
        self._close = next(iter(self._pairs.values()))
        self._held, self.inside = "", inside

    def feed(self, text: str) -> list[tuple[str, str]]:
        """The runs that are certain; what may be the beginning of a tag is held back."""
        return list(self._runs(self._held + text))

    def flush(self) -> list[tuple[str, str]]:
        """What was held back, as the text that it is after all."""
        held, self._held = self._held, ""
        return [(self._kind(), held)] if held else []

    def _kind(self) -> str:
        return "reasoning" if self.inside else "text"

    def _runs(self, text: str) -> Iterator[tuple[str, str]]:
        position = 0
        while True:
            tags = (self._close,) if self.inside else tuple(self._pairs)
            found = [(at, tag) for tag in tags if (at := text.find(tag, position)) >= 0]
            if not found:
                break
            at, tag = min(found)
            if at > position:
                yield self._kind(), text[position:at]
            position = at + len(tag)
            self._close = self._pairs.get(tag, self._close)
            self.inside = not self.inside
        rest = text[position:]
        kept = _beginning(rest, tags)
        self._held = rest[len(rest) - kept :]
        if len(rest) > kept:
            yield self._kind(), rest[: len(rest) - kept]


def _beginning(text: str, tags: tuple[str, ...]) -> int:
    """How many characters at the end of a text may be the beginning of a tag."""
    longest = min(len(text), max(map(len, tags)) - 1)
    sizes = range(longest, 0, -1)
    return next((n for n in sizes if any(tag.startswith(text[-n:]) for tag in tags)), 0)


class ReasoningSplitter(Runnable[AIMessage, AIMessage]):
    """Messages, and chunks of a stream, whose tagged text has become reasoning blocks.

    `tags` are names: "think" stands for <think> and </think>. A tag may be cut across chunks;
    the sum of a split stream is what the split of the sum is. An open tag at the end leaves
    reasoning. `inside`: the text begins within reasoning.
    """

    __slots__ = ("inside", "tags")
    run_type = "parser"

    def __init__(self, *tags: str, inside: bool = False) -> None:
        self.tags, self.inside = tags or TAGS, inside
        TagSplitter(self.tags)  # once for its errors

    async def _invoke(self, input: AIMessage, run: Run) -> AIMessage:
        return self.split(input)

    def split(self, message: AIMessage) -> AIMessage:
        """The message with its reasoning in blocks; the same one where there is none."""
        if not isinstance(message, AIMessage):
            raise InputError(f"a ReasoningSplitter takes AIMessages, not {message!r}")
        splitter = TagSplitter(self.tags, inside=self.inside)
        content = _split(message.content, splitter, last=True)
        if not any(_is(block, "reasoning") for block in content) and not _tagged(
            message.content, content
        ):
            return message
        changed = message.model_copy()
        changed.content = content
        return changed

    async def _transform(
        self, chunks: AsyncIterator[AIMessage], run: Run
    ) -> AsyncGenerator[AIMessage, None]:
        splitter, ended = TagSplitter(self.tags, inside=self.inside), True
        async for chunk in chunks:
            if not isinstance(chunk, AIMessageChunk):
                yield self.split(chunk)
                continue
            ended = chunk.chunk_position == "last"
            yield _with(chunk, _split(chunk.content, splitter, last=ended))
        if not ended and (rest := splitter.flush()):
            yield AIMessageChunk(_content([_block(*run) for run in rest]))

    def __repr__(self) -> str:
        return f"ReasoningSplitter({', '.join(map(repr, self.tags))})"


def _split(content: Any, splitter: TagSplitter, *, last: bool) -> list[Any]:
    blocks: list[Any] = []
    for item in [content] if isinstance(content, str) else content:
        text = item if isinstance(item, str) else item.get("text") if _is(item, "text") else None
        if text is None:
            blocks += [_block(*run) for run in splitter.flush()]  # a tag is not cut by a block
            blocks.append(item)
            continue
        runs = splitter.feed(text)
        around = {} if isinstance(item, str) else {k: v for k, v in item.items() if k != "text"}
        found = [_block(kind, said, around) for kind, said in runs]
        if not found and around.keys() - {"type"}:
            found = [{**around, "text": ""}]  # what it carries beside its text
        blocks += found
    if last:
        blocks += [_block(*run) for run in splitter.flush()]
    return blocks


def _block(kind: str, text: str, around: Any = None) -> dict[str, Any]:
    if kind == "reasoning":
        return {"type": "reasoning", "reasoning": text}
    return {"type": "text", **(around or {}), "text": text}


def _content(blocks: list[Any]) -> Any:
    """Plain text as a str, as chunks have it."""
    plain = all(_is(block, "text") and len(block) == 2 for block in blocks)
    return "".join(block["text"] for block in blocks) if plain else blocks


def _tagged(content: Any, blocks: list[Any]) -> bool:
    """Whether tags were taken out that held nothing."""
    items = [content] if isinstance(content, str) else content
    before = sum(len(i if isinstance(i, str) else i.get("text") or "") for i in items)
    return before != sum(len(block.get("text") or "") for block in blocks if _is(block, "text"))


def _is(block: Any, kind: str) -> bool:
    return isinstance(block, dict) and block.get("type") == kind


def _with(chunk: AIMessageChunk, blocks: list[Any]) -> AIMessageChunk:
    changed: AIMessageChunk = chunk.model_copy()
    changed.content = _content(blocks)
    return changed
