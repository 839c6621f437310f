from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    BaseMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)
from headrace.messages.trim import group_calls


def ask(*ids: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": id} for id in ids])


def answer(id: str) -> ToolMessage:
    return ToolMessage(id, tool_call_id=id)


CHAT = [
    SystemMessage("s"), HumanMessage("1"), AIMessage("2"), HumanMessage("3"), ask("a", "b"),
    answer("a"), answer("b"), AIMessage("4"), HumanMessage("5"),
]  # fmt: skip


def trim(messages: list[BaseMessage], max_tokens: int, **more: Any) -> list[BaseMessage]:
    return trim_messages(messages, max_tokens=max_tokens, **{"token_counter": len, **more})


def test_what_fits_is_kept_whole() -> None:
    for strategy in ("last", "first", "head_tail"):
        assert trim(CHAT, len(CHAT), strategy=strategy) == CHAT


def test_last_keeps_the_end_and_first_the_beginning() -> None:
    assert trim(CHAT, 2) == CHAT[-2:]
    assert trim(CHAT, 2, strategy="first") == CHAT[:2]


@pytest.mark.parametrize("size", [3, 4])
def test_a_call_and_its_results_are_kept_or_cut_together(size: int) -> None:
    assert trim(CHAT, size) == CHAT[-2:]
    assert trim(CHAT, 5) == CHAT[-5:]
    assert trim(CHAT, size + 2, strategy="first") == CHAT[:4]


def test_a_result_without_its_call_is_never_returned() -> None:
    assert trim([answer("x"), HumanMessage("1"), answer("y")], 9) == [HumanMessage("1")]


def test_results_that_come_late_still_belong_to_their_call() -> None:
    chat = [ask("a"), HumanMessage("wait"), answer("a"), HumanMessage("1")]
    assert [len(group) for group in group_calls(chat)] == [3, 1]
    assert trim(chat, 3) == chat[-1:]


def test_a_call_still_open_is_kept_alone() -> None:
    assert trim([HumanMessage("1"), ask("a")], 1) == [ask("a")]


def test_the_system_message_can_be_kept() -> None:
    assert trim(CHAT, 3, include_system=True) == [CHAT[0], *CHAT[-2:]]
    developer = [DeveloperMessage("d"), *CHAT[1:]]
    assert trim(developer, 2, include_system=True) == [developer[0], CHAT[-1]]


def test_the_result_begins_where_it_may() -> None:
    assert trim(CHAT, 2, start_on="human") == CHAT[-1:]
    assert trim(CHAT, 7, start_on="human", include_system=True) == [CHAT[0], *CHAT[3:]]
    assert trim(CHAT, 2, start_on=("system", SystemMessage)) == []


def test_the_result_ends_where_it_may() -> None:
    assert trim(CHAT, 4, end_on="tool") == CHAT[3:7]
    assert trim(CHAT, 2, end_on=["user", AIMessage], strategy="first") == CHAT[:2]
    assert trim(CHAT, 4, end_on="ai", strategy="first") == CHAT[:3]


def test_head_tail_keeps_both_ends() -> None:
    assert trim(CHAT, 4, strategy="head_tail") == [*CHAT[:2], *CHAT[-2:]]
    assert trim(CHAT, 3, strategy="head_tail") == [CHAT[0], *CHAT[-2:]]


def count_chars(messages: list[BaseMessage]) -> int:
    return sum(len(message.text) for message in messages)


LINES = [HumanMessage("aa\nbb\ncc"), HumanMessage("dd")]


def test_a_message_may_be_kept_in_part() -> None:
    def cut(messages: Any, size: int, **more: Any) -> list[Any]:
        kept = trim(messages, size, token_counter=count_chars, allow_partial=True, **more)
        return [message.content for message in kept]

    assert cut(LINES, 7) == ["bb\ncc", "dd"]
    assert cut(LINES, 4) == ["cc", "dd"]
    assert cut(LINES[:1], 4, strategy="first") == ["aa\n"]
    assert cut(LINES[:1], 4, text_splitter=list) == ["b\ncc"]
    blocks = [HumanMessage([{"type": "text", "text": "x\ny"}, "zz"])]
    assert cut(blocks, 3) == [[{"type": "text", "text": "y"}, "zz"]]
    assert cut(blocks, 4, strategy="first") == [[{"type": "text", "text": "x\ny"}]]
    assert LINES[0].content == "aa\nbb\ncc"


def test_a_call_is_never_kept_in_part() -> None:
    chat = [AIMessage("x\ny", tool_calls=[{"name": "f", "args": {}, "id": "1"}])]
    assert trim(chat, 1, token_counter=count_chars, allow_partial=True) == []


class Model:
    def get_num_tokens_from_messages(self, messages: list[BaseMessage]) -> int:
        return len(messages)


def count_one(message: BaseMessage) -> int:
    return 1


@pytest.mark.parametrize("counter", [len, Model(), count_one])
def test_each_kind_of_counter_counts(counter: Any) -> None:
    assert trim(CHAT, 2, token_counter=counter) == CHAT[-2:]


def test_the_counter_sees_messages_in_their_order() -> None:
    seen = []

    def count(messages: list[BaseMessage]) -> int:
        seen.append([CHAT.index(message) for message in messages])
        return len(messages)

    trim(CHAT, 4, token_counter=count)
    assert all(order == sorted(order) for order in seen)


def test_the_counter_is_called_a_few_times() -> None:
    calls = []
    chat = [HumanMessage(str(n)) for n in range(1000)]
    trim(chat, 500, token_counter=lambda messages: calls.append(1) or len(messages))
    assert len(calls) < 15


def test_tokens_are_counted_approximately_by_default() -> None:
    chat = [HumanMessage("word " * 100) for _ in range(10)]
    assert len(trim_messages(chat, max_tokens=400)) == 3
    assert len(trim_messages(chat, max_tokens=400, token_counter="approximate")) == 3


def test_without_messages_it_is_a_function_of_them() -> None:
    assert trim_messages(max_tokens=2, token_counter=len)(CHAT) == CHAT[-2:]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategy": "middle"}, "'middle'"),
        ({"max_tokens": -1}, "-1"),
        ({"strategy": "first", "start_on": "human"}, "start_on"),
        ({"start_on": "humn"}, "did you mean `human`"),
        ({"token_counter": 5}, "token_counter"),
    ],
)
def test_wrong_options_are_input_errors(options: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        trim_messages(CHAT, **{"max_tokens": 5, **options})


conversations = st.lists(
    st.one_of(
        st.sampled_from("abc").map(HumanMessage),
        st.sampled_from("abc").map(AIMessage),
        st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True).map(
            lambda i: ask(*i)
        ),
        st.sampled_from("xyz").map(answer),
    ),
    max_size=12,
).map(lambda chat: [SystemMessage("s"), *chat])


@given(
    conversations,
    st.integers(0, 14),
    st.sampled_from(["last", "first", "head_tail"]),
    st.booleans(),
    st.sampled_from([None, "ai", ("human", "tool")]),
)
def test_a_trimmed_conversation_is_short_ordered_and_unbroken(
    chat: Any, limit: int, strategy: Any, system: bool, end_on: Any
) -> None:
    kept = trim(chat, limit, strategy=strategy, include_system=system, end_on=end_on)
    assert len(kept) <= max(limit, 1 if system else 0)
    places = [next(n for n, m in enumerate(chat) if m is message) for message in kept]
    assert places == sorted(set(places))
    held = {id(message) for message in kept}
    for group in group_calls(chat):
        assert len({id(message) in held for message in group}) == 1
    asked: set[str | None] = set()
    for message in kept:
        if isinstance(message, ToolMessage):
            assert message.tool_call_id in asked
        elif isinstance(message, AIMessage):
            asked.update(call["id"] for call in message.tool_calls)
