"""Messages and settings as requests."""

from __future__ import annotations

import re
from typing import Any

import pytest
from claude_service import adapted, request_of

from headrace import tool
from headrace.errors import InputError, UnsupportedContentError
from headrace.messages import (
    AIMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    audio,
    file,
    image,
    video,
)
from headrace_anthropic import ChatAnthropic

PNG = "iVBORw0KGgoAAAANSUhEUg=="
PDF = "JVBERi0xLjc="


def said(*messages: Any, **given: Any) -> list[Any]:
    """The turns of a request."""
    turns: list[Any] = request_of(list(messages), **given)["messages"]
    return turns


def call(id: str | None = "c1", name: str = "look", **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": id}


def test_the_first_system_messages_are_the_system_prompt() -> None:
    request = request_of([SystemMessage("a"), HumanMessage("hi")])
    assert (request["system"], request["messages"]) == ("a", [{"role": "user", "content": "hi"}])
    both = request_of([SystemMessage("a"), SystemMessage("b"), HumanMessage("hi")])
    assert [block["text"] for block in both["system"]] == ["a", "b"]


def test_a_later_system_message_stands_where_the_model_takes_it() -> None:
    talk = [SystemMessage("a"), "hi", SystemMessage("b")]
    newer = request_of(talk, model=ChatAnthropic(model="claude-opus-4-8", max_tokens=9))
    assert newer["messages"][-1] == {"role": "system", "content": "b"}
    older = request_of(talk)
    assert (older["system"], older["messages"]) == ("a\n\nb", [{"role": "user", "content": "hi"}])
    assert adapted(talk) == {"system message": "at the beginning"}


def test_a_system_message_after_an_answer_waits_for_the_users_next_turn() -> None:
    asked = AIMessage("", tool_calls=[call()])
    talk = ["hi", asked, SystemMessage("b"), ToolMessage("1", "c1"), "and", AIMessage("so"), "x"]
    model = ChatAnthropic(model="claude-opus-4-8", max_tokens=9)
    roles = [turn["role"] for turn in request_of(talk, model=model)["messages"]]
    assert roles == ["user", "assistant", "user", "system", "assistant", "user"]
    assert adapted(talk, model=model)["system message"] == "after the next turn"


def test_a_developer_is_the_system_with_a_record() -> None:
    talk = [DeveloperMessage("a"), HumanMessage("hi")]
    assert request_of(talk)["system"] == "a"
    assert adapted(talk) == {"developer message": "system"}


def test_turns_of_one_role_become_one() -> None:
    turns = said("a", HumanMessage("b"), AIMessage("c"), AIMessage("d"), "e")
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert [block["text"] for block in turns[0]["content"]] == ["a", "b"]


def test_results_of_tools_come_first_in_their_turn() -> None:
    asked = AIMessage("", tool_calls=[call("c1"), call("c2")])
    turns = said("x", asked, ToolMessage("1", "c1"), HumanMessage("and"), ToolMessage("2", "c2"))
    assert [block["type"] for block in turns[2]["content"]] == [
        "tool_result", "tool_result", "text",
    ]  # fmt: skip


def test_a_failed_tool_says_so() -> None:
    asked = AIMessage("", tool_calls=[call()])
    (result,) = said("x", asked, ToolMessage("no", "c1", status="error"))[2]["content"]
    assert result == {
        "type": "tool_result", "tool_use_id": "c1", "content": "no", "is_error": True,
    }  # fmt: skip


def test_a_tool_may_show_images_and_documents() -> None:
    blocks = [image(f"data:image/png;base64,{PNG}"), file(f"data:application/pdf;base64,{PDF}")]
    asked = AIMessage("", tool_calls=[call()])
    (result,) = said("x", asked, ToolMessage(blocks, "c1"))[2]["content"]
    assert [part["type"] for part in result["content"]] == ["image", "document"]


def test_an_empty_result_has_no_content() -> None:
    asked = AIMessage("", tool_calls=[call()])
    assert said("x", asked, ToolMessage("", "c1"))[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1"}
    ]


@pytest.mark.parametrize("empty", [HumanMessage(""), AIMessage(""), AIMessage([])])
def test_an_empty_message_is_left_out_with_a_record(empty: Any) -> None:
    turns = said("a", empty, "b")
    assert [turn["role"] for turn in turns] == ["user"]
    assert None in adapted(["a", empty, "b"]).values()


def test_ids_of_other_services_are_made_to_fit() -> None:
    asked = AIMessage("", tool_calls=[call("call|1"), call("call:1"), call(None)])
    results = [ToolMessage("1", "call|1"), ToolMessage("2", "call:1"), ToolMessage("3", "")]
    turns = said("x", asked, *results)
    ids = [block["id"] for block in turns[1]["content"]]
    assert all(re.fullmatch("[a-zA-Z0-9_-]+", id) for id in ids)
    assert len(set(ids)) == 3
    assert ids == [block["tool_use_id"] for block in turns[2]["content"]]


def test_arguments_that_were_no_json_go_back_in_a_shell() -> None:
    broken = {"name": "look", "args": '{"a', "id": "c1", "error": "cut"}
    asked = AIMessage("", invalid_tool_calls=[broken])
    turns = said("x", asked, ToolMessage("bad", "c1", status="error"))
    assert turns[1]["content"][0]["input"] == {"INVALID_JSON": '{"a'}
    assert [turn["role"] for turn in said("x", AIMessage("a", invalid_tool_calls=[broken]))] == [
        "user", "assistant",
    ]  # fmt: skip


OPENAI = {"model_provider": "openai"}


def test_what_another_service_signed_stays_behind_with_a_record() -> None:
    blocks = [
        {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "THEIRS"}},
        {"type": "server_tool_call", "id": "ws", "name": "web_search", "args": {}},
        {"type": "server_tool_result", "tool_call_id": "ws", "status": "success", "output": []},
        {"type": "non_standard", "value": {"type": "item_reference"}},
        {"type": "text", "text": "hi", "annotations": [{"type": "citation", "url": "u"}]},
    ]
    foreign = AIMessage(
        blocks,
        tool_calls=[{**call(), "extras": {"thought_signature": "T"}}],
        response_metadata=OPENAI,
    )
    turns = said("x", foreign, ToolMessage("1", "c1"))
    assert turns[1]["content"] == [
        {"type": "text", "text": "hi"},
        {"type": "tool_use", "id": "c1", "name": "look", "input": {}},
    ]
    assert adapted(["x", foreign, ToolMessage("1", "c1")]).keys() == {
        "reasoning", "server_tool_call", "server_tool_result", "non_standard", "tools",
    }  # fmt: skip


def test_a_refusal_of_another_model_goes_on_as_text() -> None:
    refused = AIMessage([{"type": "refusal", "refusal": "no"}], response_metadata=OPENAI)
    assert said("x", refused, "why")[1] == {"role": "assistant", "content": "no"}


def test_an_answer_to_go_on_with_does_not_end_with_white_space() -> None:
    assert said("x", AIMessage("so \n"))[-1]["content"] == "so"
    assert adapted(["x", AIMessage("so ")]) == {"assistant message": "so"}
    assert said("x", AIMessage("so "), "y")[1]["content"] == "so "


def test_names_of_speakers_are_left_out_with_a_record() -> None:
    assert said(HumanMessage("a", name="Ann")) == [{"role": "user", "content": "a"}]
    assert adapted([HumanMessage("a", name="Ann")]) == {"name": None}


@pytest.mark.parametrize("message", [ChatMessage("x", role="critic"), RemoveMessage("1")])
def test_what_is_no_turn_is_an_error(message: Any) -> None:
    with pytest.raises(InputError):
        ChatAnthropic(model="claude-haiku-4-5").preflight([message])


# Media (features W16): URL, data and id of images and documents; no sound, no video.

SOURCES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"type": "image", "base64": PNG, "mime_type": "image/png"},
        {"type": "base64", "media_type": "image/png", "data": PNG},
    ),
    ({"type": "image", "base64": PNG}, {"type": "base64", "media_type": "image/png", "data": PNG}),
    ({"type": "image", "url": "https://x.y/a.png"}, {"type": "url", "url": "https://x.y/a.png"}),
    ({"type": "image", "file_id": "file_1"}, {"type": "file", "file_id": "file_1"}),
    (
        {"type": "file", "base64": PDF, "mime_type": "application/pdf"},
        {"type": "base64", "media_type": "application/pdf", "data": PDF},
    ),
    ({"type": "file", "url": "https://x.y/a.pdf"}, {"type": "url", "url": "https://x.y/a.pdf"}),
    ({"type": "file", "file_id": "file_1"}, {"type": "file", "file_id": "file_1"}),
    (
        {"type": "file", "base64": "aGk=", "mime_type": "text/plain"},
        {"type": "text", "media_type": "text/plain", "data": "hi"},
    ),
    (
        {"type": "text-plain", "text": "hi"},
        {"type": "text", "media_type": "text/plain", "data": "hi"},
    ),
]


@pytest.mark.parametrize(("block", "source"), SOURCES, ids=lambda value: str(value)[:60])
def test_media_reach_the_wire(block: dict[str, Any], source: dict[str, Any]) -> None:
    (part,) = said(HumanMessage([block]))[0]["content"]
    assert part["type"] == ("image" if block["type"] == "image" else "document")
    assert part["source"] == source


@pytest.mark.parametrize(
    "block",
    [
        image(f"data:image/png;base64,{PNG}"),
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": PNG},
        },
    ],
    ids=["standard", "openai", "native"],
)
def test_an_image_in_each_spelling_is_one_request(block: Any) -> None:
    assert said(HumanMessage([block]))[0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    ]


def test_a_document_has_title_context_and_citations() -> None:
    extras = {"citations": {"enabled": True}, "context": "old", "cache_control": EPHEMERAL}
    block = {**file(f"data:application/pdf;base64,{PDF}", filename="a.pdf"), "extras": extras}
    (part,) = said(HumanMessage([block]))[0]["content"]
    assert {k: v for k, v in part.items() if k not in ("type", "source")} == {
        "title": "a.pdf", **extras,
    }  # fmt: skip
    plain = {"type": "text-plain", "text": "hi", "title": "T", "context": "C"}
    (part,) = said(HumanMessage([plain]))[0]["content"]
    assert (part["title"], part["context"]) == ("T", "C")


LOST = [
    audio(b"RIFF\x00\x00\x00\x00WAVE", mime_type="audio/wav"),
    video(b"\x00\x00\x00\x18ftypmp42", mime_type="video/mp4"),
    file(b"PK\x03\x04", mime_type="application/zip", filename="a.zip"),
]


@pytest.mark.parametrize("block", LOST, ids=lambda block: block["type"])
def test_what_cannot_be_carried_is_lost_as_the_policy_says(block: Any) -> None:
    talk = [HumanMessage([{"type": "text", "text": "see"}, block])]
    model = ChatAnthropic(model="claude-haiku-4-5", max_tokens=9)
    assert model.preflight(talk).errors
    with pytest.raises(UnsupportedContentError):
        model.invoke(talk)
    dropped = model.model_copy(update={"on_unsupported_content": "drop"})
    assert request_of(talk, model=dropped)["messages"][0]["content"] == "see"
    described = model.model_copy(update={"on_unsupported_content": "describe"})
    assert "left out" in request_of(talk, model=described)["messages"][0]["content"][1]["text"]


# Cache markers.

EPHEMERAL = {"type": "ephemeral"}
MARKED = {"type": "text", "text": "a", "extras": {"cache_control": EPHEMERAL}}


def test_a_marker_on_a_block_reaches_the_wire_wherever_it_stands() -> None:
    wire = {"type": "text", "text": "a", "cache_control": EPHEMERAL}
    request = request_of(
        [SystemMessage([MARKED]), HumanMessage([MARKED]), AIMessage([MARKED]), "b"]
    )
    assert request["system"] == [wire]
    assert [turn["content"] for turn in request["messages"]][:2] == [[wire], [wire]]


def test_cache_prompt_marks_the_instructions_and_the_last_message() -> None:
    request = request_of([SystemMessage("a"), "b", AIMessage("c"), "d"], cache_prompt=True)
    assert request["system"][-1]["cache_control"] == EPHEMERAL
    marked = [turn for turn in request["messages"] if "cache_control" in str(turn)]
    assert marked == request["messages"][-1:]
    hour = request_of("hi", cache_prompt="1h")["messages"][0]["content"][0]["cache_control"]
    assert hour == {"type": "ephemeral", "ttl": "1h"}


def test_cache_prompt_without_instructions_marks_the_last_tool() -> None:
    model = ChatAnthropic(model="claude-haiku-4-5", cache_prompt=True).bind_tools([look])
    request = request_of(model=model)
    assert request["tools"][-1]["cache_control"] == EPHEMERAL


def test_at_most_four_markers_are_sent() -> None:
    talk = [SystemMessage("s"), HumanMessage([MARKED] * 4), AIMessage("a"), "b"]
    request = request_of(talk, cache_prompt=True)
    assert str(request).count("cache_control") == 4
    assert adapted(talk, cache_prompt=True) == {"cache_prompt": None}


# Tools.


@tool
def look(where: str, count: int = 1) -> str:
    """Looks somewhere."""
    return where * count


def bound(*tools: Any, model: str = "claude-haiku-4-5", **given: Any) -> dict[str, Any]:
    options = {k: given.pop(k) for k in ("tool_choice", "strict") if k in given}
    made = ChatAnthropic(model=model, max_tokens=100, **given).bind_tools(tools, **options)
    return request_of(model=made)


def test_a_tool_has_a_schema_and_its_extras() -> None:
    described = {
        "name": "look", "description": "Looks.", "input_schema": {"type": "object"},
        "cache_control": EPHEMERAL, "defer_loading": True,
    }  # fmt: skip
    (sent,) = bound(described)["tools"]
    assert sent == {**described, "input_schema": {"type": "object", "properties": {}}}


def test_tools_that_a_history_calls_are_declared_where_none_is_bound() -> None:
    asked = AIMessage("", tool_calls=[call("c1"), call("c2"), call("c3", "other")])
    results = [ToolMessage("1", id) for id in ("c1", "c2", "c3")]
    request = request_of(["x", asked, *results])
    assert [sent["name"] for sent in request["tools"]] == ["look", "other"]
    assert request["tool_choice"] == {"type": "none"}
    assert adapted(["x", asked, *results]) == {"tools": ["look", "other"]}
    model = ChatAnthropic(model="claude-haiku-4-5", max_tokens=9).bind_tools([look])
    assert len(request_of(["x", asked, *results], model=model)["tools"]) == 1


def test_tools_of_the_service_pass_as_they_are() -> None:
    search = {"type": "web_search_20260318", "name": "web_search", "max_uses": 2}
    request = bound(search, {"type": "mcp_toolset", "mcp_server_name": "s"}, look)
    assert request["tools"][0] == search
    assert request["tools"][1] == {"type": "mcp_toolset", "mcp_server_name": "s"}


CHOICES = [
    ("auto", {"type": "auto"}), ("none", {"type": "none"}), ("any", {"type": "any"}),
    ("look", {"type": "tool", "name": "look"}),
]  # fmt: skip


@pytest.mark.parametrize(("choice", "wire"), CHOICES)
def test_each_choice_of_tools_is_spelled(choice: str, wire: dict[str, Any]) -> None:
    assert bound(look, tool_choice=choice)["tool_choice"] == wire


def test_a_choice_of_some_tools_leaves_the_others_out() -> None:
    other = {"name": "other", "input_schema": {"type": "object"}}
    request = bound(look, other, tool_choice=["look"])
    assert [sent["name"] for sent in request["tools"]] == ["look"]
    assert request["tool_choice"] == {"type": "any"}


def test_one_call_at_a_time_is_part_of_the_choice() -> None:
    one = bound(look, parallel_tool_calls=False)["tool_choice"]
    assert one == {"type": "auto", "disable_parallel_tool_use": True}
    forced = bound(look, parallel_tool_calls=False, tool_choice="look")["tool_choice"]
    assert forced == {"type": "tool", "name": "look", "disable_parallel_tool_use": True}


def test_a_strict_tool_is_closed() -> None:
    (sent,) = bound(look, strict=True)["tools"]
    assert sent["strict"] is True
    assert sent["input_schema"]["additionalProperties"] is False
    assert sent["input_schema"]["required"] == ["where"]


def test_names_are_mangled_on_the_way_out_and_back() -> None:
    odd = {"name": "look at.this", "input_schema": {"type": "object"}}
    asked = AIMessage("", tool_calls=[call("c1", "look at.this")])
    model = ChatAnthropic(model="claude-haiku-4-5").bind_tools([odd], tool_choice="look at.this")
    request = request_of(["x", asked, ToolMessage("1", "c1")], model=model)
    name = request["tools"][0]["name"]
    assert name == "look_at_this"
    assert request["tool_choice"]["name"] == name
    assert request["messages"][1]["content"][0]["name"] == name


# What users say in the service's own form, and what has no place there.


def test_the_services_own_blocks_pass_as_they_are() -> None:
    found = {
        "type": "search_result", "source": "https://x.y", "title": "X",
        "content": [{"type": "text", "text": "blue"}], "citations": {"enabled": True},
    }  # fmt: skip
    upload = {"type": "container_upload", "file_id": "file_1"}
    assert said(HumanMessage([found, upload]))[0]["content"] == [found, upload]
    asked = AIMessage("", tool_calls=[call()])
    (result,) = said("x", asked, ToolMessage([found], "c1"))[2]["content"]
    assert result["content"] == [found]


def test_a_result_in_a_users_message_comes_first_too() -> None:
    native = {
        "type": "tool_result", "tool_use_id": "c1", "content": "no", "is_error": True,
        "cache_control": EPHEMERAL,
    }  # fmt: skip
    text = {"type": "text", "text": "and"}
    asked = AIMessage("", tool_calls=[call()])
    assert said("x", asked, HumanMessage([text, native]))[2]["content"] == [native, text]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "id": "i1"},
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "server_tool_result", "tool_call_id": "c", "status": "success", "output": 1},
    ],
    ids=lambda block: str(block["type"]),
)
def test_a_block_without_a_place_is_an_error(block: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedContentError):
        ChatAnthropic(model="claude-haiku-4-5", api_key="k").invoke([HumanMessage([block])])


def test_pictures_that_another_model_made_are_lost_as_the_policy_says() -> None:
    made = AIMessage(
        [{"type": "image", "base64": PNG, "mime_type": "image/png"}], response_metadata=OPENAI
    )
    with pytest.raises(UnsupportedContentError, match="what the model said"):
        ChatAnthropic(model="claude-haiku-4-5", api_key="k").invoke(["x", made, "y"])
    turns = said("x", made, "y", on_unsupported_content="describe")
    assert turns[1]["content"] == "[image: it was left out and cannot be seen here]"


def test_marks_of_other_services_are_left_out_with_a_record() -> None:
    block = {"type": "text", "text": "a", "extras": {"priority": 1, "cache_control": EPHEMERAL}}
    assert said(HumanMessage([block]))[0]["content"] == [
        {"type": "text", "text": "a", "cache_control": EPHEMERAL}
    ]
    assert adapted([HumanMessage([block])]) == {"priority": None}


def test_a_text_file_without_text_in_it_is_read_from_its_data() -> None:
    block = {"type": "text-plain", "base64": "aGk=", "mime_type": "text/plain"}
    (part,) = said(HumanMessage([block]))[0]["content"]
    assert part["source"]["data"] == "hi"


def test_cache_prompt_keeps_a_marker_that_stands_there() -> None:
    hour = {"type": "ephemeral", "ttl": "1h"}
    block = {"type": "text", "text": "a", "extras": {"cache_control": hour}}
    (part,) = said(HumanMessage([block]), cache_prompt=True)[0]["content"]
    assert part["cache_control"] == hour
