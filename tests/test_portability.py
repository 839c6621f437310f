"""A history made on one provider can be sent to any other, and says what it lost on the way."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, get_args

import pytest
from crossing import LINES, Line, answered, called, leaves, model_of, recorded_answers
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headrace.chat_models import ContentPolicy
from headrace.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

# Keys of what only the service that wrote it can read.
OPAQUE = frozenset(
    {
        "signature", "thought_signature", "thoughtSignature", "encrypted_content",
        "redacted_data", "redactedContent", "data", "encrypted_index", "encrypted_stdout",
    }
)  # fmt: skip
SHOWN = frozenset({"image", "audio", "video", "pdf", "file"})
PAIRS = [(origin, target) for origin in LINES if origin.dialect for target in LINES]
NAMED = [f"{origin}-to-{target}" for origin, target in PAIRS]


def opaque(message: AIMessage) -> set[str]:
    """The signatures and the encrypted reasoning in an answer."""
    found: set[str] = set()

    def look(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                look(item, name)
        elif isinstance(value, list | tuple):
            for item in value:
                look(item, key)
        elif isinstance(value, str) and key in OPAQUE and len(value) >= 12:
            found.add(value)

    for block in [*message.content_blocks, *message.tool_calls]:
        if block["type"] != "image":
            look(dict(block))
    return found


def lost_media(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records of media that a target does not carry, answers of a model apart."""
    return [
        one
        for one in records
        if one["name"] in SHOWN and re.search("cannot carry|takes no", one["reason"])
    ]


def check(
    origin: Line, target: Line, messages: list[BaseMessage], policy: ContentPolicy = "drop"
) -> None:
    """Sends a history to `target` without a network, and holds the body to all that is promised."""
    before = deepcopy([message.model_dump() for message in messages])
    report = model_of(target, policy).preflight(messages)
    assert [message.model_dump() for message in messages] == before
    if policy == "raise":
        dropped = model_of(target, "drop").preflight(messages)
        lost = lost_media(dropped.adapted)
        assert list(report.errors) == [one["reason"] for one in lost][:1]
        report = dropped if lost else report
    assert report.errors == ()
    body, told = report.request, " ".join(record["name"] for record in report.adapted)
    assert body is not None
    wire = json.dumps(body)
    check_media(messages, report.adapted, [*leaves(body)], "drop" if policy == "raise" else policy)
    calls = results = 0
    for message in messages:
        if isinstance(message, AIMessage):
            calls += len(message.tool_calls)
            own = origin.made_by in {target.made_by, *target.takes_back}
            kept = {text for text in opaque(message) if json.dumps(text)[1:-1] in wire}
            assert own or not kept
            check_told(message, wire, told, kept if own else set())
        results += isinstance(message, ToolMessage)
    check_ids(target, body, calls, results)
    check_texts(messages, list(leaves(body)))


def check_media(messages: list[BaseMessage], records: Any, texts: list[str], policy: str) -> None:
    """Each medium is in the body, or in a record by the policy, and then in words if it asks so."""
    said = [(m, block) for m in messages for block in m.content_blocks if block["type"] in SHOWN]
    shown = [block for message, block in said if not isinstance(message, AIMessage)]
    sources = [str(block.get("base64") or block.get("url")) for block in shown]
    missing = [one for one in sources if not any(text.endswith(one) for text in texts)]
    lost = lost_media(records)
    # Media that a model made may go unrefused: they are the service's own business.
    assert len(missing) <= len(lost) <= len(missing) + len(said) - len(shown)
    action = "described" if policy == "describe" else "left out"
    assert {one["action"] for one in lost} <= {action}
    for one in lost:
        assert (one["sent"] is None) is (policy == "drop")
        assert one["sent"] is None or any(one["sent"] in text for text in texts)


def check_told(message: AIMessage, wire: str, told: str, kept: set[str]) -> None:
    """What did not go is in the record: reasoning, and what a provider ran itself.

    `kept`: signatures that went back to whose they are.
    """
    for block in message.content_blocks:
        kind = block["type"]
        if kind in ("server_tool_call", "server_tool_result", "non_standard"):
            assert kind in told or kept or "model_provider" in message.response_metadata
        if kind == "reasoning":
            thought = json.dumps(str(block.get("reasoning") or ""))[1:-1]
            assert "reasoning" in told or kept or (thought and thought in wire)


def check_ids(target: Line, body: Any, calls: int, results: int) -> None:
    """Each call has its result under the same id, and all ids are as the provider takes them."""
    asked, given_back = called(body), answered(body)
    assert len(asked) >= calls
    assert len(given_back) == results
    assert set(given_back) <= set(asked)
    if target.ids is not None:
        assert len(set(asked)) == len(asked)
        assert [id for id in asked if not re.fullmatch(target.ids, id)] == []


def check_texts(messages: list[BaseMessage], said: list[str]) -> None:
    """All texts are there, in their order; system messages may stand elsewhere."""
    everything, at = "\x00".join(said), 0
    for message in messages:
        if isinstance(message, SystemMessage):
            assert message.text in everything
            continue
        for block in message.content_blocks:
            if block["type"] in ("text", "refusal"):
                text = str(block.get("text") or block.get("refusal") or "").strip()
                at = everything.find(text, at)
                assert at >= 0, text


@contextmanager
def telling(where: str) -> Iterator[None]:
    """Says of which pair an error is."""
    try:
        yield
    except Exception as error:
        error.add_note(where)
        raise


def history(answer: AIMessage) -> list[BaseMessage]:
    """A conversation around an answer, with a result for each of its calls."""
    results = [
        ToolMessage(f"result {number}", call["id"] or "", name=call["name"])
        for number, call in enumerate(answer.tool_calls)
    ]
    return [HumanMessage("The question"), answer, *results, HumanMessage("And then?")]


@pytest.mark.parametrize(("origin", "target"), PAIRS, ids=NAMED)
def test_what_a_model_really_said_goes_to_any_other(origin: Line, target: Line) -> None:
    answers = recorded_answers(origin)
    if not answers:
        pytest.skip("the corpus of recorded traffic is absent")
    for answer in answers[:30]:
        check(origin, target, history(answer))


POLICIES = st.sampled_from(get_args(ContentPolicy))

# Made up histories: what traffic has seldom, all at once.

TEXTS = st.text(st.characters(exclude_categories=["C"]), min_size=1).filter(str.strip)
IDS = st.one_of(
    st.from_regex(r"[a-zA-Z0-9_.:/|-]{1,90}", fullmatch=True),
    st.sampled_from(["call_1", "toolu_01", "a.b:c", "a-b-c", "abcdefghi", "é" * 5, "x" * 70]),
)
SIGNING = (
    "signature", "thought_signature", "encrypted_content", "redacted_data", "redactedContent",
    "reasoning_details",
)  # fmt: skip
SIGNED = st.text("ABCDEFabcdef0123456789", min_size=40, max_size=60).map(lambda s: f"{s}==")
DOT = b64encode(b"\x89PNG\r\n\x1a\n, and nothing more").decode()
MEDIA = st.sampled_from(
    [
        {"type": "image", "base64": DOT, "mime_type": "image/png"},
        {"type": "image", "url": "https://example.com/dot.png"},
        {"type": "file", "base64": b64encode(b"%PDF-1.7").decode(), "mime_type": "application/pdf"},
        {"type": "audio", "base64": b64encode(b"RIFF").decode(), "mime_type": "audio/wav"},
        {"type": "video", "base64": b64encode(b"moov").decode(), "mime_type": "video/mp4"},
    ]
)


@st.composite
def thoughts(draw: Any) -> dict[str, Any]:
    """A block of reasoning as one of the providers signs it."""
    key = draw(st.sampled_from(SIGNING))
    signed = draw(SIGNED)
    value: Any = signed
    if key == "reasoning_details":
        value = [{"type": "reasoning.encrypted", "data": signed, "index": 0}]
    block = {"type": "reasoning", "reasoning": draw(TEXTS), "extras": {key: value}}
    return {**block, "id": "rs_1"} if key == "encrypted_content" else block


@st.composite
def shown(draw: Any) -> Any:
    """What a tool gives back: a text, and at times a medium."""
    text = draw(TEXTS)
    return [{"type": "text", "text": text}, draw(MEDIA)] if draw(st.booleans()) else text


@st.composite
def turns(draw: Any, provider: str) -> list[BaseMessage]:
    """What a user says, what the model answers, and what its tools give back."""
    ids = draw(st.lists(IDS, max_size=3, unique=True))
    blocks: list[Any] = draw(st.lists(thoughts(), max_size=2))
    blocks += [{"type": "text", "text": text} for text in draw(st.lists(TEXTS, max_size=2))]
    blocks += [
        {"type": "tool_call", "id": id, "name": "look_up", "args": {"at": 1},
         "extras": draw(st.sampled_from([{}, {"thought_signature": "QUJDREVGR0hJSg=="}]))}
        for id in ids
    ]  # fmt: skip
    question: Any = draw(TEXTS)
    if draw(st.booleans()):
        question = [{"type": "text", "text": question}, draw(MEDIA)]
    results = [
        ToolMessage(draw(shown()), id, status=draw(st.sampled_from(["success", "error"])))
        for id in ids
    ]
    meta = {"model_provider": provider}
    blocks = blocks or [{"type": "text", "text": "Well."}]
    return [HumanMessage(question), AIMessage(blocks, response_metadata=meta), *results]


@pytest.mark.parametrize("origin", LINES, ids=str)
def test_any_history_goes_to_any_provider(origin: Line) -> None:
    # A failure is told as it was found: to shrink it would take minutes.
    @settings(
        max_examples=9, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(talk=st.lists(turns(origin.made_by), min_size=1, max_size=3), policy=POLICIES)
    def holds(talk: list[list[BaseMessage]], policy: ContentPolicy) -> None:
        messages = [message for turn in talk for message in turn]
        ids = [m.tool_call_id for m in messages if isinstance(m, ToolMessage)]
        if len(set(ids)) < len(ids):
            return  # one id for two calls is no history of anybody's
        for target in LINES:
            with telling(f"{origin} to {target}"):
                told = [SystemMessage("Be brief."), *messages, HumanMessage("Go.")]
                check(origin, target, told, policy)

    holds()


@pytest.mark.parametrize("line", [line for line in LINES if line.dialect], ids=str)
def test_an_answer_goes_back_to_its_own_provider_with_its_signatures(line: Line) -> None:
    if not recorded_answers(line):
        pytest.skip("no recorded traffic of this provider")
    for answer in recorded_answers(line):
        report = model_of(line).preflight(history(answer))
        wire = json.dumps(report.request)
        lost = {text for text in signatures(answer) if json.dumps(text)[1:-1] not in wire}
        assert lost == set()


def signatures(answer: AIMessage) -> set[str]:
    """What a provider has signed of its reasoning and calls."""
    kept = [b for b in answer.content_blocks if b["type"] in ("reasoning", "tool_call")]
    return opaque(AIMessage(kept, response_metadata=answer.response_metadata))
