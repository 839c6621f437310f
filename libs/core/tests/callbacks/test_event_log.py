"""The event log: who gets records, what they hold, and what it costs when nobody reads."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import headrace
from headrace.callbacks import EVENT_LOGGER_NAME, configure_event_log
from headrace.callbacks.recording import REDACTED
from headrace.errors import InputError, ModelRateLimitError
from headrace.messages import AIMessage, HumanMessage, image
from headrace.runnables import RunnableLambda
from headrace.testing import ScriptedChatModel
from headrace.tools import tool

USAGE = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
REPLY = AIMessage("hello", usage_metadata=USAGE)  # type: ignore[arg-type]  # a plain dict
KEY = "sk-proj-abcdefghijklmnop1234"
LOG = logging.getLogger(EVENT_LOGGER_NAME)


class Kept(logging.Handler):
    """Keeps the records it is handed."""

    def __init__(self, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(str(record.msg)) for record in self.records]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """A handler on the logger at INFO, and the log as it is at the start, before and after."""
    handler = Kept()
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    yield handler
    LOG.removeHandler(handler)
    LOG.setLevel(logging.NOTSET)
    configure_event_log()


@tool
def look(city: str) -> str:
    """Looks at a city."""
    return city


def test_its_name_is_public() -> None:
    assert headrace.EVENT_LOGGER_NAME == "headrace.events"


def test_an_invoked_model_is_one_record(world: Any, kept: Kept) -> None:
    model = ScriptedChatModel([REPLY]).bind_tools([look])
    world.invoke(model, "hi", {"tags": ["t"], "metadata": {"user": 5}})
    [event] = kept.events
    assert (event["type"], event["provider"], event["model"]) == ("LLMCall", "scripted", "scripted")
    assert event["messages"] == [{"type": "human", "content": "hi"}]
    assert event["response"]["content"] == "hello"
    assert (event["prompt_tokens"], event["completion_tokens"]) == (7, 3)
    assert event["duration_s"] > 0
    assert (event["tools"], event["tags"], event["metadata"]) == (["look"], ["t"], {"user": 5})
    assert "error" not in event


def test_a_stream_is_a_record_at_its_start_and_one_at_its_end(world: Any, kept: Kept) -> None:
    world.stream(ScriptedChatModel([REPLY]), "hi")
    start, end = kept.events
    assert (start["type"], end["type"]) == ("LLMStreamStart", "LLMStreamEnd")
    assert start["messages"] == [{"type": "human", "content": "hi"}]
    assert end["response"]["content"] == "hello"
    assert (end["prompt_tokens"], end["completion_tokens"]) == (7, 3)
    assert end["duration_s"] >= end["first_chunk_s"] > 0
    assert start["run_id"] == end["run_id"]


def test_a_stream_that_was_left_says_so(world: Any, kept: Kept) -> None:
    world.read(ScriptedChatModel(["one two three four"]), "hi", 1)
    assert kept.events[-1]["reason"] == "closed"


def test_the_record_carries_the_dict_too(kept: Kept) -> None:
    ScriptedChatModel([REPLY]).invoke("hi")
    [record] = kept.records
    assert record.event == json.loads(str(record.msg)) == json.loads(record.getMessage())  # type: ignore[attr-defined]  # our extra
    assert record.msg["response"]["content"] == "hello"  # type: ignore[index]  # a dict, too


def test_a_failed_request_is_a_record_at_error_with_its_cause(world: Any, kept: Kept) -> None:
    model = ScriptedChatModel([ModelRateLimitError("slow down", status=429)], max_retries=0)
    with pytest.raises(ModelRateLimitError):
        world.invoke(model, "hi")
    [event] = kept.events
    assert event["error"] == {"type": "ModelRateLimitError", "message": "slow down", "status": 429}
    assert (event["response"], event["prompt_tokens"]) == (None, None)
    assert kept.records[0].levelno == logging.ERROR


def test_a_model_inside_a_pipeline_names_its_parent_where_somebody_listens(kept: Kept) -> None:
    told: list[Any] = []
    chain = RunnableLambda(lambda x: x) | ScriptedChatModel([REPLY])
    chain.invoke("hi", {"callbacks": [told.append]})
    [event] = kept.events
    assert event["parent_run_id"] == told[0].run_id


def test_a_handler_that_says_its_own_level_is_enough() -> None:
    handler = Kept(logging.INFO)
    LOG.addHandler(handler)
    try:
        ScriptedChatModel([REPLY]).invoke("hi")
    finally:
        LOG.removeHandler(handler)
    assert [event["type"] for event in handler.events] == ["LLMCall"]


def test_a_logger_at_error_gets_only_what_failed(kept: Kept) -> None:
    LOG.setLevel(logging.ERROR)
    model = ScriptedChatModel([REPLY, ModelRateLimitError("no")], max_retries=0)
    model.invoke("hi")
    with pytest.raises(ModelRateLimitError):
        model.invoke("hi")
    assert [event["error"]["message"] for event in kept.events] == ["no"]


def test_nobody_who_did_not_ask_gets_a_record(caplog: pytest.LogCaptureFixture) -> None:
    model = ScriptedChatModel([ModelRateLimitError("no")], max_retries=0)
    with pytest.raises(ModelRateLimitError):
        model.invoke("hi")
    assert caplog.records == []


def test_a_level_for_the_whole_package_asks_for_no_records(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "headrace")
    model = ScriptedChatModel([ModelRateLimitError("no")], max_retries=0)
    with pytest.raises(ModelRateLimitError):
        model.invoke("hi")
    assert caplog.records == []


def test_at_debug_records_are_whole_and_retries_are_told(world: Any, kept: Kept) -> None:
    LOG.setLevel(logging.DEBUG)
    failure = ModelRateLimitError("no", retry_after=0.001)
    world.invoke(ScriptedChatModel([failure, REPLY], max_retries=1), "x" * 5000)
    retry, call = kept.events
    assert (retry["type"], retry["attempt"], retry["error"]["message"]) == ("LLMRetry", 1, "no")
    assert len(call["messages"][0]["content"]) == 5000


# What is cut, and what is redacted.


def test_what_is_too_long_is_cut_and_says_by_how_much(kept: Kept) -> None:
    configure_event_log(max_chars=4, max_items=3)
    ScriptedChatModel([REPLY]).invoke([HumanMessage("abcdefgh")] * 5)
    messages = kept.events[0]["messages"]
    assert messages[0]["content"] == "abcd… (4 characters more)"
    assert (len(messages), messages[-1]) == (4, "… 2 more")


def test_what_is_nested_too_deep_is_named(kept: Kept) -> None:
    configure_event_log(max_depth=2)
    ScriptedChatModel([REPLY]).invoke([HumanMessage(["a"])])
    assert kept.events[0]["messages"] == ["<dict of 2>"]


def test_media_are_counted_and_not_written_out(kept: Kept) -> None:
    picture = image(b"\x89PNG\r\n\x1a\n" + b"x" * 900)
    message = HumanMessage(
        ["look", picture, {"type": "text", "text": "data:a/b;base64," + "A" * 80}]
    )
    ScriptedChatModel([REPLY]).invoke([message])
    [_, shown, text] = kept.events[0]["messages"][0]["content"]
    assert shown["base64"] == f"<{len(picture['base64'])} characters>"
    assert text["text"] == "data:a/b;base64,<80 characters>"


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "gsk_abcdefghijklmnopqrst",
        "AIza" + "b" * 35,
        "AKIAABCDEFGHIJKLMNOP",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
    ],
)
def test_keys_of_known_forms_are_redacted_wherever_they_stand(secret: str, kept: Kept) -> None:
    ScriptedChatModel([AIMessage(f"it is {secret}.")]).invoke(f"my key: {secret}!")
    assert secret not in str(kept.records[0].msg)
    assert kept.events[0]["messages"][0]["content"] == f"my key: {REDACTED}!"


def test_a_secret_across_the_cut_is_redacted_before(kept: Kept) -> None:
    configure_event_log(max_chars=12)
    ScriptedChatModel([REPLY]).invoke(f"key: {KEY}")
    assert "sk-" not in str(kept.records[0].msg)


def test_fields_named_like_secrets_are_redacted(kept: Kept) -> None:
    configure_event_log(redact_names=["Badge-Number"])
    metadata = {"X-Api-Key": "a", "db_password": "b", "badge_number": 7, "max_tokens": 5}
    ScriptedChatModel([REPLY]).invoke("hi", {"metadata": metadata})
    shown = kept.events[0]["metadata"]
    assert shown == dict.fromkeys(metadata, REDACTED) | {"max_tokens": 5}


def test_a_function_has_the_last_word_on_a_record(kept: Kept) -> None:
    configure_event_log(redact=lambda record: {**record, "messages": None})
    ScriptedChatModel([REPLY]).invoke("hi")
    configure_event_log(redact=lambda record: None)
    ScriptedChatModel([REPLY]).invoke("hi")
    assert [event["messages"] for event in kept.events] == [None]


def test_a_record_on_which_it_fails_is_not_logged_and_the_answer_comes(kept: Kept) -> None:
    configure_event_log(redact=lambda record: record["nothing"])
    assert ScriptedChatModel([REPLY]).invoke("hi").text == "hello"
    assert kept.records == []


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="max_items"):
        configure_event_log(max_items=0)


def test_what_is_logged_is_a_copy(kept: Kept) -> None:
    configure_event_log(redact=lambda record: record["messages"].clear() or record)
    message = HumanMessage(["a"])
    messages = [message]
    ScriptedChatModel([REPLY]).invoke(messages)
    assert messages == [message]


# What it costs, and the environment.


def calls_of(work: Any) -> list[str]:
    """Functions of the callbacks and of `logging` that were called meanwhile."""
    seen: list[str] = []

    def watch(frame: Any, event: str, arg: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and ("headrace/callbacks/" in file or "/logging/" in file):
            seen.append(frame.f_code.co_name)

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen


def test_where_nobody_listens_a_request_asks_once_and_no_more() -> None:
    model = ScriptedChatModel([REPLY] * 3)
    model.invoke("hi")  # imports, and the logger's own memory of its level
    assert calls_of(lambda: model.invoke("hi")) == ["logged", "isEnabledFor"]
    assert calls_of(lambda: list(model.stream("hi"))) == ["logged", "isEnabledFor"]


SCRIPT = """
import logging
from headrace.errors import ModelRateLimitError
from headrace.testing import ScriptedChatModel
model = ScriptedChatModel(["hello", ModelRateLimitError("no")], max_retries=0)
model.invoke("hi")
try:
    model.invoke("hi")
except ModelRateLimitError:
    pass
"""


def said(level: str, code: str = SCRIPT) -> list[str]:
    """The lines on stderr of a process with HEADRACE_LOG set."""
    environment = {**os.environ, "HEADRACE_LOG": level}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stderr.splitlines()


@pytest.mark.parametrize(("level", "errors"), [("info", [False, True]), ("ERROR", [True])])
def test_the_environment_writes_it_to_stderr_without_any_code(level: str, errors: Any) -> None:
    assert ["error" in json.loads(line) for line in said(level)] == errors


def test_off_silences_it_whatever_the_program_says() -> None:
    code = f"import logging\nlogging.basicConfig(level='INFO')\n{SCRIPT}"
    assert len(said("", code)) == 2
    assert said("off", code) == []


def test_a_word_that_is_no_level_is_warned_of() -> None:
    [first, *_] = said("loud")
    assert "HEADRACE_LOG is off, error, info or debug, not 'loud'" in first
