"""The portable cache mark and the switch; over all providers: tests/test_prompt_caching.py."""

from __future__ import annotations

from typing import Any

from headrace.chat_models import Notes, Settings, Timeout, Watch, Wire
from headrace.chat_models.prompt_caching import EVERYWHERE, mark_value, put_marks, without_marks
from headrace.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

MARK = {"cache_control": {"type": "ephemeral"}}


def marked(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, **MARK}


def asked(*tools: dict[str, Any]) -> Settings:
    return Settings({}, Watch(Timeout()), tools)


def test_where_everything_may_be_marked_nothing_is_copied() -> None:
    messages, settings = [HumanMessage([marked("a")])], asked({"name": "t", "extras": MARK})
    kept, same = without_marks(messages, settings, Wire(marks=EVERYWHERE))
    assert kept[0] is messages[0]
    assert same is settings


def test_marks_in_either_spelling_are_left_out_and_the_rest_stays() -> None:
    blocks = [marked("a"), {"type": "text", "text": "b", "extras": {**MARK, "other": 1}}, "c"]
    settings = asked({"name": "t", "extras": MARK}, {"name": "u"})
    (message,), sent = without_marks([HumanMessage(blocks)], settings, Wire(service="s"))
    assert message.content == [
        {"type": "text", "text": "a"}, {"type": "text", "text": "b", "extras": {"other": 1}}, "c",
    ]  # fmt: skip
    assert sent.tools == ({"name": "t", "extras": {}}, {"name": "u"})
    assert [note["reason"] for note in settings.notes.records] == [
        "`s` is not known to cache prompts on request, and takes no marks"
    ]


def test_each_kind_of_place_without_marks_has_a_record() -> None:
    call: Any = {"name": "t", "args": {}, "id": "1", "type": "tool_call", "extras": MARK}
    messages = [
        SystemMessage([marked("a")]),
        HumanMessage([marked("b")]),
        AIMessage("", tool_calls=[call]),
        ToolMessage("c", "1", additional_kwargs={**MARK, "other": 1}),
    ]
    settings = asked()
    kept, _ = without_marks(messages, settings, Wire(service="s", marks=frozenset({"user"})))
    assert kept[1] is messages[1]
    assert kept[3].additional_kwargs == {"other": 1}
    assert messages[3].additional_kwargs == {**MARK, "other": 1}
    assert [note["reason"] for note in settings.notes.records] == [
        f"`s` takes no cache marks on {place}"
        for place in ("instructions", "answers", "results of tools")
    ]


def test_a_request_has_at_most_four_marks_and_the_callers_come_first() -> None:
    notes, parts = Notes(), [{"text": "a"}, {"text": "b", **MARK}, {"text": "c"}]
    put_marks(parts, 3, ("cache_control", mark_value("1h")), True, notes)
    assert parts[0] == {"text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert parts[1:] == [{"text": "b", **MARK}, {"text": "c"}]
    assert [(note["name"], note["action"]) for note in notes.records] == [
        ("cache_prompt", "left out")
    ]
