from __future__ import annotations

from typing import Any

import pytest
from chat_events import call, called, calls, chunks_of, event, response, total_of

from headrace.chat_models.wire import ErrorPayload
from headrace.errors import (
    ContextOverflowError,
    ModelAPIError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    StreamInterruptedError,
    WireError,
)
from headrace.messages import AIMessage
from headrace_openai.decode import Decoder, decode_response

# Several choices.


def test_choices_after_the_first_stay_apart_in_the_metadata() -> None:
    body = response({"content": "a"})
    body["choices"].append({"index": 1, "message": {"content": "b"}, "finish_reason": "length"})
    message = decode_response(body)
    (other,) = message.response_metadata["choices"]
    assert message.content == "a"
    assert AIMessage.model_validate(other).content == "b"
    assert other["response_metadata"]["finish_reason"] == "length"


def test_streamed_choices_are_never_mixed() -> None:
    tool = call('{"a": 1}', id="c", name="f")
    message = total_of(
        event({"content": "x"}, index=1), event({"content": "a"}), event(calls(tool), index=1),
        event({"content": "b"}), event({}, "stop"), event({}, "tool_calls", index=1),
    )  # fmt: skip
    (other,) = message.response_metadata["choices"]
    assert message.content == "ab"
    assert message.tool_calls == []
    assert (other["content"], other["tool_calls"][0]["args"]) == ("x", {"a": 1})
    assert other["response_metadata"]["index"] == 1


# Streamed tool calls.


def test_the_first_piece_brings_id_and_name_and_the_others_only_arguments() -> None:
    chunks = chunks_of(
        event(calls(call(id="c", name="f"))), event(calls(call('{"a"'))), event(calls(call(":1}")))
    )
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]
    assert [(p["id"], p["name"], p["args"]) for p in pieces] == [
        ("c", "f", ""), (None, None, '{"a"'), (None, None, ":1}"),
    ]  # fmt: skip


def test_an_id_and_name_repeated_in_each_piece_are_not_doubled() -> None:
    pieces = [call(text, id="c", name="f") for text in ("", '{"a"', ": 1}")]
    assert called(total_of(*(event(calls(p)) for p in pieces))) == [("c", "f", {"a": 1})]


def test_empty_ids_and_names_after_the_first_piece_mean_nothing() -> None:
    pieces = [call("{", id="c", name="f"), call("}", id="", name="")]
    assert called(total_of(*(event(calls(p)) for p in pieces))) == [("c", "f", {})]


def test_pieces_without_index_belong_to_the_call_with_their_id() -> None:
    pieces = [
        call('{"a"', index=None, id="c", name="f"), call('{"b"', index=None, id="d", name="g"),
        call(": 1}", index=None, id="c"), call(": 2}", index=None, id="d"),
    ]  # fmt: skip
    expected = [("c", "f", {"a": 1}), ("d", "g", {"b": 2})]
    assert called(total_of(*(event(calls(p)) for p in pieces))) == expected


def test_pieces_without_index_and_id_continue_the_last_call() -> None:
    pieces = [call('{"a"', index=None, id="c", name="f"), call(": 1}", index=None)]
    assert called(total_of(*(event(calls(p)) for p in pieces))) == [("c", "f", {"a": 1})]


def test_parallel_calls_in_one_chunk_without_ids_stay_apart() -> None:
    both = calls(call('{"a": 1}', index=None, name="f"), call('{"a": 2}', index=None, name="f"))
    assert called(total_of(event(both, "stop"))) == [(None, "f", {"a": 1}), (None, "f", {"a": 2})]


def test_a_new_id_at_a_used_index_is_another_call() -> None:
    pieces = [call('{"a": 1}', id="c", name="f"), call('{"a": 2}', id="d", name="f")]
    expected = [("c", "f", {"a": 1}), ("d", "f", {"a": 2})]
    assert called(total_of(*(event(calls(p)) for p in pieces))) == expected


def test_an_id_that_comes_late_does_not_cut_the_call_in_two() -> None:
    pieces = [call("{", name="f"), call("}", id="c")]
    assert called(total_of(*(event(calls(p)) for p in pieces))) == [(None, "f", {})]


def test_text_beside_a_call_stays() -> None:
    message = total_of(
        event({"content": "Let me see."}), event(calls(call("{}", id="c", name="f")))
    )
    assert (message.text, len(message.tool_calls)) == ("Let me see.", 1)


# Usage, logprobs, metadata.


USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


@pytest.mark.parametrize(
    "place", [{"usage": USAGE}, {"x_groq": {"usage": USAGE}}], ids=["usage", "x_groq"]
)
def test_a_usage_chunk_need_not_be_last(place: dict[str, Any]) -> None:
    message = total_of(
        event({"content": "a"}),
        {"id": "r1", "choices": [], **place},
        event({"content": "b"}, "stop"),
    )
    assert message.usage_metadata == {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}


def test_usage_inside_the_choice_is_found() -> None:
    last = event({}, "stop")
    last["choices"][0]["usage"] = USAGE
    usage = total_of(event({"content": "a"}), last).usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == 8


def test_usage_that_grows_in_each_chunk_is_not_added_up() -> None:
    grown = [{**USAGE, "completion_tokens": n, "total_tokens": 5 + n} for n in (1, 2, 3)]
    message = total_of(*(event({"content": "a"}, usage=usage) for usage in grown))
    assert message.usage_metadata == {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}


def test_logprobs_are_joined_over_the_stream() -> None:
    items = [event({"content": text}) for text in "ab"]
    for item, token in zip(items, "ab", strict=True):
        item["choices"][0]["logprobs"] = {"content": [{"token": token}], "refusal": None}
    meta = total_of(*items, event({}, "stop")).response_metadata
    assert meta["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}]}


def test_logprobs_without_content_say_nothing() -> None:
    body = response({"content": "x"})
    body["choices"][0]["logprobs"] = {"content": None, "refusal": None}
    assert "logprobs" not in decode_response(body).response_metadata


def test_a_price_is_kept_beside_the_counts() -> None:
    message = decode_response(response({"content": "x"}, usage={**USAGE, "cost": 0.1}))
    assert message.response_metadata["raw_usage"]["cost"] == 0.1


def test_metadata_comes_with_the_first_chunk_and_not_with_every_one() -> None:
    chunks = chunks_of(*(event({"content": "a"}, created=5) for _ in range(5)))
    assert sum("model_name" in chunk.response_metadata for chunk in chunks) == 1


def test_every_chunk_has_the_id_of_the_answer() -> None:
    assert {chunk.id for chunk in chunks_of(event({"content": "a"}), event({"content": "b"}))} >= {
        "r1"
    }


def test_unknown_events_are_skipped_and_counted() -> None:
    message = total_of({"type": "ping"}, event({"content": "a"}, "stop"), {"object": "new.thing"})
    assert message.content == "a"
    assert message.response_metadata["skipped_events"] == 2
    assert "skipped_events" not in total_of(event({"content": "a"}, "stop")).response_metadata


def test_a_whole_completion_in_a_stream_is_taken() -> None:
    tool = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    body = response({"content": "hi", "tool_calls": [tool]}, "tool_calls", usage=USAGE)
    message = total_of(body, done=False)
    assert (message.text, called(message)) == ("hi", [("c", "f", {})])
    assert message.usage_metadata is not None


# Ends and errors.


def test_a_stream_with_a_finish_reason_needs_no_end_mark() -> None:
    assert total_of(event({"content": "a"}, "stop"), done=False).content == "a"


@pytest.mark.parametrize("events", [[], [event({"content": "a"})]], ids=["nothing", "cut"])
def test_a_stream_that_just_ends_is_interrupted(events: list[Any]) -> None:
    with pytest.raises(StreamInterruptedError, match="not complete"):
        chunks_of(*events, done=False)


def test_an_empty_stream_is_interrupted_even_with_its_end_mark() -> None:
    with pytest.raises(StreamInterruptedError, match="before it said anything"):
        chunks_of()


def test_an_error_inside_a_stream_is_raised_with_status_200() -> None:
    failed = {"error": {"message": "bad tool", "code": "tool_use_failed", "status_code": 400}}
    with pytest.raises(ModelInvalidRequestError, match="bad tool") as caught:
        chunks_of(event({"content": "a"}), failed)
    assert (caught.value.status, caught.value.code) == (200, "tool_use_failed")


def test_an_error_beside_choices_is_raised() -> None:
    with pytest.raises(ModelAPIError, match="Token limit"):
        chunks_of(event({"content": ""}, error={"message": "Token limit", "code": 502}))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "slow down", "type": "rate_limit_error"}, ModelRateLimitError),
        ({"message": "x", "code": "context_length_exceeded", "status": 400}, ContextOverflowError),
        ({"message": "x", "type": "server_error"}, ModelAPIError),
        ("just words", ModelAPIError),
    ],
)
def test_an_error_in_place_of_an_answer_is_raised(error: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        decode_response({"error": error})


def test_an_error_that_gemini_wraps_in_a_list_is_raised() -> None:
    with pytest.raises(ModelRateLimitError):
        decode_response([{"error": {"message": "x", "code": 429}}])


def test_an_error_without_a_wrapper_is_raised() -> None:
    with pytest.raises(ModelInvalidRequestError, match="no such"):
        decode_response({"object": "error", "message": "no such", "code": 400})


def test_an_event_named_error_may_be_mere_text() -> None:
    with pytest.raises(ModelAPIError, match="upstream gone"):
        Decoder().read(ErrorPayload(b"upstream gone"))


@pytest.mark.parametrize("body", [None, 5, "x", [], {}, {"choices": {}}, {"choices": "x"}])
def test_what_is_no_completion_is_a_wire_error(body: Any) -> None:
    with pytest.raises(WireError):
        decode_response(body)


def test_an_answer_without_a_choice_is_an_error() -> None:
    with pytest.raises(ModelAPIError, match="without a choice"):
        decode_response({"id": "r", "choices": []})


def test_an_event_of_the_wrong_form_is_a_wire_error() -> None:
    with pytest.raises(WireError, match="form of Chat Completions"):
        Decoder().feed(event({"tool_calls": 5}))
    with pytest.raises(WireError):
        Decoder().read(b"{oops")
