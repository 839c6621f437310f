"""Prompt caching over all providers: the portable mark, the switch, and what usage shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crossing import KEY, LINES, model_of

from headrace import init_chat_model
from headrace.chat_models import BaseChatModel, Call, Preflight
from headrace.chat_models.frames import Frame
from headrace.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
    sum_chunks,
)
from headrace.registry import find_provider, installed_providers
from headrace_openai import ChatOpenAI
from headrace_openai.dialects import DIALECTS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # deprecated models, unknown ones

PAGE = Path(__file__).parents[1] / "docs" / "prompt-caching.md"
MARK = {"cache_control": {"type": "ephemeral"}}
KEYS = ("cache_control", "prompt_cache_breakpoint", "cachePoint")  # as wires spell it
LABELS = {
    "instructions": "instructions", "a question": "question", "an answer": "answer",
    "a result": "result", "a tool": "tool",
}  # fmt: skip
ALL = frozenset(LABELS.values())
SAID = frozenset({"instructions", "question", "result"})
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """What a service does: where a mark goes out, and what `cache_prompt` becomes.

    `switched`: the places that it marks; `key`: it sends a `prompt_cache_key`.
    """

    marked: frozenset[str] = NONE
    switched: frozenset[str] = NONE
    key: bool = False

    @property
    def words(self) -> tuple[str, str]:
        """The row as the page has it."""
        places = [place for place in LABELS.values() if place in self.marked]
        marks = [place for place in LABELS.values() if place in self.switched]
        done = [f"marks {' and '.join(marks)}"] if marks else []
        done += ["sends a key"] if self.key else []
        return ", ".join(places) or "-", "; ".join(done) or "-"


BREAKPOINTS = Row(SAID, frozenset({"instructions"}), key=True)
ENDS = frozenset({"instructions", "result"})
ITSELF = Row()

LINE_ROWS: dict[str, Row] = {
    "openai": Row(key=True),
    "openai-responses": Row(key=True),
    "azure": ITSELF,
    "azure_ai": ITSELF,
    "openrouter": Row(SAID | {"tool"}, ENDS),
    "deepseek": ITSELF,
    "mistral": Row(key=True),
    "anthropic": Row(ALL, ENDS),
    "anthropic_bedrock": Row(ALL, ENDS),
    "anthropic_vertex": Row(ALL, ENDS),
    "google": ITSELF,
    "google_vertexai": ITSELF,
    "bedrock-claude": Row(ALL, ENDS | {"tool"}),
    "bedrock-nova": Row(ALL - {"tool"}, ENDS),
    "huggingface": ITSELF,
    "dashscope": Row(SAID, ENDS),
    "ollama": ITSELF,
}
DIALECT_ROWS: dict[str, Row] = {
    **dict.fromkeys(DIALECTS, ITSELF),
    "openai": Row(key=True),
    "mistral_openai": Row(key=True),
    "openrouter": Row(SAID | {"tool"}, ENDS),
    "dashscope_openai": Row(SAID, ENDS),
    "openai_compatible": Row(SAID | {"tool"}),
}


def made(row: str) -> tuple[BaseChatModel, Row]:
    """A model and what it is to do, by the name of its case."""
    kind, _, name = row.partition(":")
    if kind == "line":
        return model_of(next(line for line in LINES if line.id == name)), LINE_ROWS[name]
    if kind == "dialect":
        url = DIALECTS[name].base_url or "https://gateway.example/v1"
        model = ChatOpenAI(model="m", dialect=name, base_url=url, api_key=KEY)
        return model, DIALECT_ROWS[name]
    line = next(line for line in LINES if line.id == name)
    return line.model(model="gpt-5.6-sol"), BREAKPOINTS


CASES = [
    *(f"line:{line.id}" for line in LINES),
    *(f"dialect:{name}" for name in DIALECTS),
    *(f"gpt-5.6:{name}" for name in ("openai", "openai-responses", "azure_ai")),
]


def talk(extras: Mapping[str, Any]) -> list[Any]:
    """A conversation whose parts all have the same extras."""

    def said(text: str) -> list[Any]:
        return [{"type": "text", "text": text, "extras": dict(extras)}] if extras else [text]

    call = {"type": "tool_call", "id": "abcdefghi", "name": "look", "args": {}}
    return [
        SystemMessage(said("instructions")),
        HumanMessage(said("a question")),
        AIMessage([*said("an answer"), call]),
        ToolMessage(said("a result"), "abcdefghi"),
    ]


def tool(**more: Any) -> dict[str, Any]:
    empty = {"type": "object", "properties": {}}
    return {"name": "look", "description": "a tool", "parameters": empty, **more}


def preflight(model: BaseChatModel, extras: Mapping[str, Any], **bound: Any) -> Preflight:
    """What becomes of the conversation, with a tool where the service takes some."""
    more = {"extras": extras} if extras else {}
    tools = [] if model.supports("tools") is False else [tool(**more)]
    return model.bind_tools(tools).bind(**bound).preflight(talk(extras))


def where_marked(body: Any) -> frozenset[str]:
    """Behind which of the labels a mark stands, in the order of the document."""
    found: set[str] = set()
    last = ""

    def look(value: Any) -> None:
        nonlocal last
        if isinstance(value, str):
            last = LABELS.get(value, last)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                if name in KEYS:
                    found.add(last)
                look(item)
        elif isinstance(value, list | tuple):
            for item in value:
                look(item)

    look(body)
    return frozenset(found)


@pytest.mark.parametrize("case", CASES)
def test_a_mark_is_on_the_wire_or_in_the_record(case: str) -> None:
    model, row = made(case)
    report = preflight(model, MARK)
    assert report.errors == ()
    assert where_marked(report.request) == row.marked
    left = [one for one in report.adapted if one["name"] == "cache_control" and not one["sent"]]
    assert len(left) == (len(ALL - row.marked) if row.marked else 1)
    assert {(one["action"], one["asked"]["type"]) for one in left} <= {("left out", "ephemeral")}


@pytest.mark.parametrize("case", CASES)
def test_cache_prompt_does_what_the_service_has_or_is_in_the_record(case: str) -> None:
    model, row = made(case)
    report = preflight(model, {}, cache_prompt=True)
    assert report.errors == ()
    assert report.request is not None
    assert report.warnings == preflight(model, {}).warnings
    assert where_marked(report.request) == row.switched
    assert ("prompt_cache_key" in report.request) is row.key
    assert model.supports("cache_prompt") is bool(row.switched or row.key)
    records = [one["action"] for one in report.adapted if one["name"] == "cache_prompt"]
    assert records == (["translated"] if row.key else [] if row.switched else ["left out"])
    assert "cache_prompt" not in json.dumps(report.request)


def test_no_provider_is_without_a_row() -> None:
    classes = {find_provider(name).find_model_class() for name in installed_providers()}
    assert {row.removeprefix("line:") for row in CASES if "line:" in row} == LINE_ROWS.keys()
    missing = classes - {type(made(case)[0]) for case in CASES} - {None}
    assert {cls.__name__ for cls in missing if cls} == {"OfflineChatModel"}


def test_the_page_says_what_is_tested() -> None:
    rows = {tuple(cell.strip() for cell in line.split("|")[1:4])
            for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")}  # fmt: skip
    shown = {name: cells for names, *cells in rows for name in names.replace("`", "").split(", ")}
    for case in CASES:
        name = case.partition(":")[2] if not case.startswith("gpt") else "openai since GPT-5.6"
        assert (case, shown.get(NAMES.get(name, name))) == (case, list(made(case)[1].words))


NAMES = {
    "openai-responses": "openai", "azure": "azure_openai", "mistral": "mistralai",
    "google": "google_genai", "bedrock-claude": "bedrock_converse (Claude)",
    "bedrock-nova": "bedrock_converse (Nova)",
}  # fmt: skip


@pytest.mark.parametrize("where", ["openai", "openai-responses", "mistral"])
def test_the_key_is_that_of_the_tools_and_instructions(where: str) -> None:
    model = model_of(next(line for line in LINES if line.id == where)).bind(cache_prompt=True)

    def key(*messages: Any, tools: bool = True) -> Any:
        bound = model.bind_tools([tool()]) if tools else model
        request = bound.preflight(list(messages)).request
        assert request is not None
        return request["prompt_cache_key"]

    told = SystemMessage("Be brief.")
    assert key(told, "one") == key(told, "two") == key(told, "one", AIMessage("a"), "two")
    assert key(told, "one") != key(told, "one", tools=False) != key("one", tools=False)
    assert key("one", tools=False) == key("one", AIMessage("a"), "two", tools=False)
    assert len(key(told, "one")) <= 64  # as long as OpenAI takes it


def test_a_key_of_the_callers_own_stands() -> None:
    model = ChatOpenAI(model="gpt-4.1", api_key=KEY, prompt_cache_key="mine", cache_prompt=True)
    request = model.preflight("hi").request
    assert request is not None
    assert request["prompt_cache_key"] == "mine"


def test_what_continues_a_stored_answer_gets_no_key_of_its_last_message() -> None:
    model = ChatOpenAI(model="gpt-5", api_key=KEY, cache_prompt=True)
    report = model.bind(previous_response_id="resp_1").preflight("And then?")
    assert report.request is not None
    assert "prompt_cache_key" not in report.request
    assert [(one["name"], one["action"]) for one in report.adapted] == [
        ("cache_prompt", "left out")
    ]


@pytest.mark.parametrize("case", ["line:openrouter", "line:dashscope", "line:bedrock-claude"])
def test_cache_prompt_says_how_long_and_keeps_to_four_marks(case: str) -> None:
    model, _ = made(case)
    hour = model.bind(cache_prompt="1h").preflight("hi")
    assert '"ttl": "1h"' in json.dumps(hour.request)
    marked = [{"type": "text", "text": f"part {n}", "extras": MARK} for n in range(4)]
    full = model.bind(cache_prompt=True).preflight([HumanMessage(marked), AIMessage("a"), "b"])
    wire = json.dumps(full.request)
    assert sum(wire.count(f'"{key}"') for key in KEYS) == 4
    assert [one["name"] for one in full.adapted] == ["cache_prompt"]


@pytest.mark.parametrize("policy", ["adapt", "warn", "drop", "raise"])
def test_an_idle_switch_is_no_error_under_any_policy(policy: Any) -> None:
    given: Any = {"dialect": "groq", "api_key": KEY, "on_unsupported": policy}
    model = ChatOpenAI(model="openai/gpt-oss-20b", cache_prompt=True, **given)
    report = preflight(model, MARK)
    assert (report.errors, report.warnings) == ((), ())
    left = [one["name"] for one in report.adapted if one["action"] == "left out"]
    assert left == ["cache_prompt", "cache_control"]


def test_what_was_given_keeps_its_marks() -> None:
    messages, given = talk(MARK), tool(extras=dict(MARK))
    before = json.dumps([message.model_dump() for message in messages])
    model_of(LINES[0]).bind_tools([given]).preflight(messages)
    assert json.dumps([message.model_dump() for message in messages]) == before
    assert given["extras"] == MARK


def test_a_model_without_a_wire_takes_the_switch_and_says_that_it_is_idle() -> None:
    answer = init_chat_model("offline:demo", cache_prompt=True).invoke("Hello")
    (record,) = answer.response_metadata["adapted"]
    assert (record["name"], record["action"]) == ("cache_prompt", "left out")


# What usage shows: each service's figures, and what of them is read and written.

COUNTS = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
BOTH = {"cache_read": 60, "cache_creation": 30}
READ = {"cache_read": 60}
DASHSCOPE = {
    "cached_tokens": 60, "cache_creation_input_tokens": 30, "cache_type": "ephemeral",
    "cache_creation": {"ephemeral_5m_input_tokens": 30},
}  # fmt: skip
USAGE: dict[str, tuple[dict[str, Any], Mapping[str, int]]] = {
    "openai": (
        {**COUNTS, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}}, BOTH,
    ),
    "openai-responses": (
        {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105,
         "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}}, BOTH,
    ),
    "azure": ({**COUNTS, "prompt_tokens_details": {"cached_tokens": 60}}, READ),
    "openrouter": (
        {**COUNTS, "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}}, BOTH,
    ),
    "deepseek": ({**COUNTS, "prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}, READ),
    "mistral": ({**COUNTS, "prompt_tokens_details": {"cached_tokens": 60}}, READ),
    "huggingface": ({**COUNTS, "prompt_tokens_details": DASHSCOPE}, BOTH),
    "anthropic": (
        {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 60,
         "cache_creation_input_tokens": 30}, BOTH,
    ),
    "google": (
        {"promptTokenCount": 100, "candidatesTokenCount": 5, "totalTokenCount": 105,
         "cachedContentTokenCount": 60}, READ,
    ),
    "bedrock-claude": (
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 105, "cacheReadInputTokens": 60,
         "cacheWriteInputTokens": 30}, BOTH,
    ),
    "dashscope": (
        {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105,
         "prompt_tokens_details": DASHSCOPE}, BOTH,
    ),
}  # fmt: skip


def frame(kind: str, event: Any) -> Frame:
    return Frame.of({":event-type": kind}, json.dumps(event).encode())


def answer(line: str, usage: Any) -> tuple[Any, list[Any]]:
    """A whole answer with this usage, and the events of the same as a stream."""
    match line:
        case "openai-responses":
            item = {
                "type": "message",
                "id": "m",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "a", "annotations": []}],
            }
            whole = {
                "id": "r",
                "object": "response",
                "status": "completed",
                "model": "m",
                "output": [item],
                "usage": usage,
            }
            return whole, [{"type": "response.completed", "response": whole}]
        case "anthropic":
            head = {"id": "m", "type": "message", "role": "assistant", "model": "m"}
            text = {"type": "text", "text": "a"}
            stop = {"stop_reason": "end_turn", "stop_sequence": None}
            start = {**head, "content": [], "usage": {**usage, "output_tokens": 1}}
            return {**head, "content": [text], **stop, "usage": usage}, [
                {"type": "message_start", "message": start},
                {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}},
                {"type": "message_stop"},
            ]
        case "google":
            content = {"role": "model", "parts": [{"text": "a"}]}
            said = {
                "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
                "usageMetadata": usage,
            }
            return said, [said]
        case "bedrock-claude":
            told = {"message": {"role": "assistant", "content": [{"text": "a"}]}}
            return {"output": told, "stopReason": "end_turn", "usage": usage}, [
                frame("messageStart", {"role": "assistant"}),
                frame("messageStop", {"stopReason": "end_turn"}),
                frame("metadata", {"usage": usage}),
            ]
        case "dashscope":
            turn = {"message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}
            both = {"output": {"choices": [turn]}, "usage": usage, "request_id": "r"}
            return both, [both]
    chosen: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    message = {"role": "assistant", "content": "a"}
    base = {"id": "c", "model": "m", "object": "chat.completion.chunk"}
    return {**base, "choices": [{**chosen, "message": message}], "usage": usage}, [
        {**base, "choices": [{**chosen, "delta": message}]},
        {**base, "choices": [], "usage": usage},
        b"[DONE]",
    ]


@pytest.mark.parametrize("line", USAGE)
def test_usage_shows_what_was_read_from_the_cache_and_written_to_it(line: str) -> None:
    usage, expected = USAGE[line]
    whole, events = answer(line, usage)
    model: Any = model_of(next(one for one in LINES if one.id == line))
    exchange = model._exchange_for(model.settings(Call()))
    exchange.encode([HumanMessage("hi")], model.settings(Call()), stream=True)
    decoder = exchange.decoder({}, {})
    chunks = [
        chunk
        for event in events
        for chunk in decoder.read(event if isinstance(event, bytes) else json.dumps(event).encode())
    ]
    streamed = message_chunk_to_message(sum_chunks([*chunks, *decoder.finish()]))
    for message in (exchange.decode(whole, {}), streamed):
        counted = message.usage_metadata
        assert counted is not None
        details = {name: counted["input_token_details"].get(name) for name in BOTH}
        assert {name: value for name, value in details.items() if value is not None} == expected
        assert (counted["input_tokens"], counted["total_tokens"]) == (100, 105)
