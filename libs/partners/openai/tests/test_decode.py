from __future__ import annotations

from typing import Any

import pytest

from headrace.chat_models.wire import ErrorPayload
from headrace.errors import (
    ContextOverflowError,
    ModelAPIError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    StreamInterruptedError,
    WireError,
)
from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_openai.decode import Decoder, decode_response


def response(message: Any, finish: Any = "stop", **rest: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "r1", "model": "m-1", "choices": [choice], **rest}


def event(delta: Any, finish: Any = None, index: int = 0, **rest: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "r1", "model": "m-1", "choices": [choice], **rest}


def chunks_of(*events: Any, done: bool = True) -> list[AIMessageChunk]:
    decoder = Decoder()
    chunks = [chunk for item in events for chunk in decoder.feed(item)]
    if done:
        chunks += decoder.read(b"[DONE]")
    return [*chunks, *decoder.finish()]


def total_of(*events: Any, done: bool = True) -> AIMessage:
    last = AIMessageChunk(chunk_position="last")
    message = message_chunk_to_message(sum([*chunks_of(*events, done=done), last]))  # type: ignore[arg-type]
    assert isinstance(message, AIMessage)
    return message


def calls(*pieces: Any) -> dict[str, Any]:
    return {"tool_calls": list(pieces)}


def call(
    args: Any = "", *, index: Any = 0, id: Any = None, name: Any = None, **rest: Any
) -> dict[str, Any]:
    piece: dict[str, Any] = {"function": {"name": name, "arguments": args}, "id": id, **rest}
    return piece if index is None else {**piece, "index": index}


def called(message: AIMessage) -> list[tuple[Any, ...]]:
    return [(c["id"], c["name"], c["args"]) for c in message.tool_calls]


# Whole answers.


def test_plain_text_is_a_str_and_keeps_its_newlines() -> None:
    message = decode_response(response({"content": "\n\nhi \n"}))
    assert message.content == "\n\nhi \n"


def test_what_the_provider_says_of_the_answer_is_metadata() -> None:
    body = response({"content": "x"}, created=5, system_fingerprint="fp", service_tier=None)
    message = decode_response(body, provider="groq", request_id="q")
    assert message.id == "r1"
    assert message.response_metadata == {
        "model_provider": "groq",
        "model_name": "m-1",
        "created": 5,
        "system_fingerprint": "fp",
        "request_id": "q",
        "finish_reason": "stop",
        "finish_reason_raw": "stop",
    }


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("pause_turn", "pause"),
        ("brand_new", "unknown"),
        ("", "unknown"),
    ],
)
def test_finish_reasons_are_ours_with_the_raw_word_beside(raw: str, ours: str) -> None:
    meta = decode_response(response({"content": "x"}, raw)).response_metadata
    assert (meta["finish_reason"], meta["finish_reason_raw"]) == (ours, raw)
    meta = total_of(event({"content": "x"}, raw)).response_metadata
    assert (meta["finish_reason"], meta["finish_reason_raw"]) == (ours, raw)


def test_no_finish_reason_is_unknown() -> None:
    assert total_of(event({"content": "x"})).response_metadata["finish_reason"] == "unknown"


def test_a_refusal_is_a_block_and_the_reason_to_stop() -> None:
    message = decode_response(response({"content": None, "refusal": "No."}))
    assert message.content == [{"type": "refusal", "refusal": "No."}]
    assert message.text == ""
    assert message.response_metadata["finish_reason"] == "refusal"


def test_a_streamed_refusal_is_one_block() -> None:
    message = total_of(event({"refusal": "N"}), event({"refusal": "o."}), event({}, "stop"))
    assert message.content == [{"type": "refusal", "refusal": "No."}]
    assert message.response_metadata["finish_reason"] == "refusal"


@pytest.mark.parametrize("arguments", ["", None, "{}", {}])
def test_no_arguments_mean_an_empty_object(arguments: Any) -> None:
    tool = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    assert called(decode_response(response({"tool_calls": [tool]}))) == [("c", "f", {})]


def test_arguments_sent_as_an_object_are_taken() -> None:
    tool = {"id": "c", "function": {"name": "f", "arguments": {"a": [1]}}}
    assert called(decode_response(response({"tool_calls": [tool]}))) == [("c", "f", {"a": [1]})]


def test_broken_arguments_are_an_invalid_call_that_says_why() -> None:
    tool = {"id": "c", "function": {"name": "f", "arguments": '{"a": '}}
    message = decode_response(response({"tool_calls": [tool]}, "length"))
    assert message.tool_calls == []
    (bad,) = message.invalid_tool_calls
    assert (bad["id"], bad["args"]) == ("c", '{"a": ')
    assert "token limit" in str(bad["error"])


def test_provider_extras_of_a_call_ride_along() -> None:
    sign = {"google": {"thought_signature": "s"}}
    tool = {"id": "c", "function": {"name": "f", "arguments": "{}"}, "extra_content": sign}
    whole = decode_response(response({"tool_calls": [tool]}))
    streamed = total_of(event({"tool_calls": [tool]}, "stop"))
    for message in (whole, streamed):
        assert message.tool_calls[0]["extras"] == {"extra_content": sign}


def test_the_retired_function_call_is_a_call_without_id() -> None:
    old = {"name": "f", "arguments": '{"a": 1}'}
    whole = decode_response(response({"function_call": old}, "function_call"))
    parts = [{"name": "f", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ": 1}"}]
    streamed = total_of(*(event({"function_call": part}) for part in parts))
    assert called(whole) == called(streamed) == [(None, "f", {"a": 1})]


def test_a_custom_tool_call_holds_its_free_text_as_input() -> None:
    tool = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": 'a "b"\n'}}
    whole = decode_response(response({"tool_calls": [tool]}, "tool_calls"))
    opening = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": ""}}
    parts = [{"index": 0, "custom": {"input": text}} for text in ('a "', 'b"\n')]
    streamed = total_of(*(event(calls(part)) for part in (opening, *parts)), event({}, "stop"))
    assert called(whole) == called(streamed) == [("c", "sql", {"input": 'a "b"\n'})]
    assert whole.tool_calls[0]["extras"] == {"type": "custom"}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_comes_before_the_text(field: str) -> None:
    whole = decode_response(response({field: "hm", "content": "42"}))
    streamed = total_of(
        event({field: "h"}), event({field: "m", "content": ""}), event({"content": "42"}, "stop")
    )
    blocks = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "42"}]
    assert whole.content == streamed.content == blocks


def test_reasoning_said_in_two_fields_is_taken_once() -> None:
    delta = {"reasoning": "hm", "reasoning_content": "hm", "content": "x"}
    assert len(total_of(event(delta, "stop")).content) == 2


def test_reasoning_details_are_joined_and_kept_to_go_back() -> None:
    pieces = [
        {"type": "reasoning.text", "text": "a", "index": 0},
        {"type": "reasoning.text", "text": "b", "index": 0},
        {"type": "reasoning.text", "signature": "s", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "index": 1, "id": "i"},
    ]
    streamed = total_of(
        *(event({"reasoning_details": [piece]}) for piece in pieces), event({"content": "x"}, "stop")
    )
    text = {"type": "reasoning.text", "index": 0, "signature": "s", "text": "ab"}
    extras = {"reasoning_details": [text, pieces[3]]}
    assert streamed.content_blocks[0] == {"type": "reasoning", "reasoning": "ab", "extras": extras}
    whole = decode_response(
        response({"reasoning": "ab", "reasoning_details": [text, pieces[3]], "content": "x"})
    )
    assert whole.content_blocks == streamed.content_blocks


def test_mistral_thinking_chunks_are_reasoning() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}
    message = decode_response(response({"content": [thinking, {"type": "text", "text": "42"}]}))
    block = {"type": "reasoning", "reasoning": "hm", "extras": {"closed": True}}
    assert message.content == [block, {"type": "text", "text": "42"}]


def test_an_unknown_part_of_the_content_is_kept() -> None:
    part = {"type": "reference", "reference_ids": [1]}
    message = decode_response(response({"content": ["a", part]}))
    assert message.text == "a"
    assert message.content_blocks[1] == {"type": "non_standard", "value": part}


def test_web_sources_are_annotations_of_the_text() -> None:
    source = {"url": "u", "title": "t", "start_index": 0, "end_index": 2, "content": "c"}
    notes = [{"type": "url_citation", "url_citation": source}]
    whole = decode_response(response({"content": "hi", "annotations": notes}))
    citation = {
        "type": "citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2,
        "cited_text": "c",
    }  # fmt: skip
    assert whole.content == [{"type": "text", "text": "hi", "annotations": [citation]}]
    decoder = Decoder(annotated=True)
    events = [event({"content": "h"}), event({"content": "i"}), event({"annotations": notes}, "stop")]
    chunks = [chunk for item in events for chunk in decoder.feed(item)]
    total = message_chunk_to_message(sum([*chunks, *decoder.finish()]))  # type: ignore[arg-type]
    assert total.content == [{"type": "text", "annotations": [citation], "text": "hi"}]


def test_perplexity_citations_get_their_titles() -> None:
    rest = {"citations": ["u", "v"], "search_results": [{"url": "v", "title": "V"}]}
    notes = [{"type": "citation", "url": "u"}, {"type": "citation", "url": "v", "title": "V"}]
    whole = decode_response(response({"content": "hi"}, **rest))
    streamed = total_of(event({"content": "h"}, **rest), event({"content": "i"}, "stop", **rest))
    assert whole.content == streamed.content == [
        {"type": "text", "text": "hi", "annotations": notes}
    ]  # fmt: skip


def test_spoken_output_is_an_audio_block() -> None:
    audio = {"id": "a1", "data": "QUJD", "transcript": "ab", "expires_at": 9}
    whole = decode_response(response({"content": None, "audio": audio}))
    block = {
        "type": "audio", "id": "a1", "base64": "QUJD", "transcript": "ab",
        "extras": {"expires_at": 9},
    }  # fmt: skip
    assert whole.content == [block]
    parts = [{"id": "a1", "transcript": "a"}, {"data": "QUJD"}, {"transcript": "b"}]
    streamed = total_of(*(event({"audio": part}) for part in parts), event({"audio": {"expires_at": 9}}, "stop"))
    assert streamed.content_blocks == [block]


def test_images_of_an_answer_are_image_blocks() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    for message in (
        decode_response(response({"content": "x", "images": [image]})),
        total_of(event({"content": "x"}), event({"images": [image]}, "stop")),
    ):
        assert message.content_blocks[1] == {
            "type": "image", "base64": "QUJD", "mime_type": "image/png",
        }  # fmt: skip


def test_tools_that_the_service_ran_are_a_call_and_its_result() -> None:
    begun = {"index": 0, "type": "search", "arguments": '{"q": 1}'}
    ended = {**begun, "output": "found"}
    whole = decode_response(response({"content": "x", "executed_tools": [ended]}))
    streamed = total_of(
        event({"executed_tools": [begun]}), event({"executed_tools": [ended]}),
        event({"content": "x"}, "stop"),
    )  # fmt: skip
    call_block = {
        "type": "server_tool_call", "id": "executed_tool_0", "name": "search", "args": {"q": 1},
    }  # fmt: skip
    result = {
        "type": "server_tool_result", "tool_call_id": "executed_tool_0", "status": "success",
        "output": "found",
    }  # fmt: skip
    text = {"type": "text", "text": "x"}
    assert whole.content == streamed.content == [call_block, result, text]


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
    message = total_of(event({"content": "Let me see."}), event(calls(call("{}", id="c", name="f"))))
    assert (message.text, len(message.tool_calls)) == ("Let me see.", 1)


# Usage, logprobs, metadata.


USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


@pytest.mark.parametrize(
    "place", [{"usage": USAGE}, {"x_groq": {"usage": USAGE}}], ids=["usage", "x_groq"]
)
def test_a_usage_chunk_need_not_be_last(place: dict[str, Any]) -> None:
    message = total_of(
        event({"content": "a"}), {"id": "r1", "choices": [], **place}, event({"content": "b"}, "stop")
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
