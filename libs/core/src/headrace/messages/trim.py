"""Cutting a conversation to a number of tokens without breaking it.

A call and its results are one group: kept or cut together. A result without its call is never
returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import signature
from typing import Any, Literal, TypeAlias, cast, overload

from headrace.errors import InputError
from headrace.messages.coerce import convert_to_messages
from headrace.messages.count import count_tokens_approximately
from headrace.messages.filter import Transform, TypeChoice, check_types, has_type
from headrace.messages.kinds import AIMessage, DeveloperMessage, SystemMessage, ToolMessage
from headrace.messages.message import BaseMessage

Group: TypeAlias = list[BaseMessage]
Counter: TypeAlias = Callable[[list[BaseMessage]], int]
Strategy: TypeAlias = Literal["last", "first", "head_tail"]
Types: TypeAlias = TypeChoice | Sequence[TypeChoice] | None


@overload
def trim_messages(
    messages: None = None,
    *,
    max_tokens: int,
    token_counter: Any = "approximate",
    strategy: Strategy = "last",
    allow_partial: bool = False,
    start_on: Types = None,
    end_on: Types = None,
    include_system: bool = False,
    text_splitter: Any = None,
) -> Transform: ...
@overload
def trim_messages(
    messages: Any,
    *,
    max_tokens: int,
    token_counter: Any = "approximate",
    strategy: Strategy = "last",
    allow_partial: bool = False,
    start_on: Types = None,
    end_on: Types = None,
    include_system: bool = False,
    text_splitter: Any = None,
) -> list[BaseMessage]: ...
def trim_messages(
    messages: Any = None,
    *,
    max_tokens: int,
    token_counter: Any = "approximate",
    strategy: Strategy = "last",
    allow_partial: bool = False,
    start_on: Types = None,
    end_on: Types = None,
    include_system: bool = False,
    text_splitter: Any = None,
) -> list[BaseMessage] | Transform:
    """The longest part of the conversation of at most `max_tokens`; without it, a function.

    `token_counter`: a function of a list of messages or of one, "approximate", or an object
    with `get_num_tokens_from_messages`. "head_tail" gives the beginning up to half. `start_on`
    and `end_on` name the types that may begin (after a kept system message) and end the result.
    """
    if strategy not in ("last", "first", "head_tail"):
        raise InputError(f"`strategy` is 'last', 'first' or 'head_tail', not {strategy!r}")
    if max_tokens < 0:
        raise InputError(f"`max_tokens` must be a number of tokens, not {max_tokens!r}")
    if strategy == "first" and start_on:
        raise InputError("`start_on` needs strategy 'last' or 'head_tail'")
    for types in (start_on, end_on):
        if types:
            check_types(types)
    splitter = getattr(text_splitter, "split_text", text_splitter) or _lines
    trimmer = _Trimmer(
        max_tokens, _counter(token_counter), splitter if allow_partial else None,
        start_on, end_on, include_system, strategy,
    )  # fmt: skip
    return trimmer.trim if messages is None else trimmer.trim(messages)


class _Trimmer:
    def __init__(
        self,
        max_tokens: int,
        count: Counter,
        split: Callable[[str], list[str]] | None,
        start_on: Types,
        end_on: Types,
        include_system: bool,
        strategy: Strategy,
    ) -> None:
        self.max_tokens, self.count, self.split = max_tokens, count, split
        self.start_on, self.end_on = start_on, end_on
        self.include_system, self.strategy = include_system, strategy

    def trim(self, messages: Any) -> list[BaseMessage]:
        groups = group_calls(convert_to_messages(messages))
        head: list[Group] = []
        if self.include_system and groups and _is_system(groups[0][0]):
            head = [groups.pop(0)]
        if self.strategy != "first":
            groups = self._ending(groups)
        if self.strategy == "first":
            kept = self._ending(self._prefix(head, groups, self.max_tokens))
            return _flat([*head, *kept])
        if self._fits([*head, *groups]) or self.strategy == "last":
            return _flat([*head, *self._suffix(head, groups)])
        begin = self._prefix(head, groups, self.max_tokens // 2)
        rest = groups[len(begin) :]
        if begin and begin[-1] is not groups[len(begin) - 1]:  # cut in part: the end stays whole
            begin.pop()
            rest = groups[len(begin) :]
        return _flat([*head, *begin, *self._suffix([*head, *begin], rest)])

    def _fits(self, groups: list[Group], limit: int | None = None) -> bool:
        return self.count(_flat(groups)) <= (self.max_tokens if limit is None else limit)

    def _prefix(self, head: list[Group], groups: list[Group], limit: int) -> list[Group]:
        size = _largest(len(groups), lambda n: self._fits([*head, *groups[:n]], limit))
        kept = groups[:size]
        if size < len(groups):
            part = self._part([*head, *kept], groups[size], [], False, limit)
            kept = [*kept, part] if part else kept
        return kept

    def _suffix(self, head: list[Group], groups: list[Group]) -> list[Group]:
        total = len(groups)
        size = _largest(total, lambda n: self._fits([*head, *groups[total - n :]]))
        kept = groups[total - size :]
        if size < total:
            part = self._part(head, groups[total - size - 1], kept, True, self.max_tokens)
            kept = [part, *kept] if part else kept
        if self.start_on:
            first = (n for n, g in enumerate(kept) if has_type(g[0], self.start_on or ()))
            kept = kept[next(first, len(kept)) :]
        return kept

    def _ending(self, groups: list[Group]) -> list[Group]:
        if not self.end_on:
            return groups
        size = len(groups)
        while size and not has_type(groups[size - 1][-1], self.end_on):
            size -= 1
        return groups[:size]

    def _part(
        self, before: list[Group], group: Group, after: list[Group], from_end: bool, limit: int
    ) -> Group | None:
        """What fits of a message that stands alone: its blocks, then the text of the next one."""
        message = group[0]
        if self.split is None or len(group) > 1 or _has_calls(message):
            return None

        def fits(parts: list[Any]) -> bool:
            cut = [message.model_copy(update={"content": parts})]
            return self._fits([*before, cut, *after], limit)

        content = message.content
        if isinstance(content, str):
            cut = self._text_that_fits(content, from_end, lambda text: fits([text]))
            return [message.model_copy(update={"content": cut})] if cut else None

        def ends(n: int) -> list[Any]:
            return content[len(content) - n :] if from_end else content[:n]

        size = _largest(len(content), lambda n: n == 0 or fits(ends(n)))
        parts = ends(size)
        if size < len(content):
            following = content[len(content) - size - 1] if from_end else content[size]
            parts = self._with_text(parts, following, from_end, fits)
        return [message.model_copy(update={"content": parts})] if parts else None

    def _with_text(
        self, parts: list[Any], block: Any, from_end: bool, fits: Callable[[list[Any]], bool]
    ) -> list[Any]:
        text = block if isinstance(block, str) else block.get("text")
        if not isinstance(text, str):
            return parts

        def extended(cut: str) -> list[Any]:
            piece = cut if isinstance(block, str) else {**block, "text": cut}
            return [piece, *parts] if from_end else [*parts, piece]

        cut = self._text_that_fits(text, from_end, lambda cut: fits(extended(cut)))
        return extended(cut) if cut else parts

    def _text_that_fits(self, text: str, from_end: bool, fits: Callable[[str], bool]) -> str:
        pieces = (self.split or _lines)(text)

        def some(n: int) -> str:
            return "".join(pieces[len(pieces) - n :] if from_end else pieces[:n])

        return some(_largest(len(pieces), lambda n: n == 0 or fits(some(n))))


def group_calls(messages: Sequence[BaseMessage]) -> list[Group]:
    """The messages in groups: one each, but a call with all its results and what is between.

    Results that answer no earlier call are left out.
    """
    groups: list[Group] = []
    open_calls: dict[str | None, int] = {}
    for message in messages:
        if isinstance(message, ToolMessage):
            start = open_calls.get(message.tool_call_id)
            if start is None:
                continue
            groups[start:] = [[m for group in groups[start:] for m in group] + [message]]
            open_calls = {id: min(at, start) for id, at in open_calls.items()}
            continue
        if isinstance(message, AIMessage):
            open_calls.update((call["id"], len(groups)) for call in message.tool_calls)
            open_calls.update((bad["id"], len(groups)) for bad in message.invalid_tool_calls)
        groups.append([message])
    return groups


def _largest(size: int, fits: Callable[[int], bool]) -> int:
    """The largest n up to `size` that fits, by bisection: more messages are more tokens."""
    if fits(size):
        return size
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low


def _counter(given: Any) -> Counter:
    if given == "approximate":
        return count_tokens_approximately
    method = getattr(given, "get_num_tokens_from_messages", None)
    if method is not None:
        return cast("Counter", method)
    if not callable(given):
        raise InputError(
            "`token_counter` must be a function, 'approximate' or an object with "
            f"`get_num_tokens_from_messages`, not {given!r}"
        )
    if _takes_one_message(given):
        return partial(_sum_of, given)
    return cast("Counter", given)


def _takes_one_message(counter: Any) -> bool:
    try:
        first = next(iter(signature(counter).parameters.values()), None)
    except (TypeError, ValueError):
        return False
    kind = None if first is None else first.annotation
    if isinstance(kind, str):
        return kind.rpartition(".")[2].strip("'\"") == "BaseMessage"
    return isinstance(kind, type) and issubclass(kind, BaseMessage)


def _sum_of(counter: Callable[[BaseMessage], int], messages: list[BaseMessage]) -> int:
    return sum(counter(message) for message in messages)


def _is_system(message: BaseMessage) -> bool:
    return isinstance(message, SystemMessage | DeveloperMessage)


def _has_calls(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and bool(message.tool_calls or message.invalid_tool_calls)


def _flat(groups: Sequence[Group]) -> list[BaseMessage]:
    return [message for group in groups for message in group]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
