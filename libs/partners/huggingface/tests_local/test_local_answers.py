"""Answers of a local pipeline: whole and streamed, sync and async, and how they end."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from headrace import init_chat_model
from headrace.errors import (
    ConfigurationError,
    ContextOverflowError,
    InputError,
    ModelError,
    ModelInvalidRequestError,
    ModelTimeoutError,
)
from headrace.messages import AIMessage, HumanMessage, SystemMessage
from headrace_huggingface import ChatHuggingFace, HuggingFacePipeline

WAYS = pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])


def chat(voice: Any, *texts: str, **given: Any) -> Any:
    voice.says.texts = list(texts)
    return ChatHuggingFace(llm=HuggingFacePipeline(pipeline=voice.pipe), **given)


def ask(model: Any, way: str, input: Any = "hi", **options: Any) -> AIMessage:
    async def chunks() -> list[Any]:
        return [chunk async for chunk in model.astream(input, **options)]

    match way:
        case "invoke":
            found = model.invoke(input, **options)
        case "ainvoke":
            found = asyncio.run(model.ainvoke(input, **options))
        case "stream":
            found = sum(model.stream(input, **options))
        case _:
            found = sum(asyncio.run(chunks()))
    return found


@WAYS
def test_an_answer_has_text_usage_and_reason(voice: Any, way: str) -> None:
    message = ask(chat(voice, "Guten Tag!"), way, [SystemMessage("Be kind."), HumanMessage("hi")])
    prompt = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n"
    tokens = len(voice.pipe.tokenizer.encode(prompt + "<|im_start|>assistant\n"))
    assert message.text == "Guten Tag!"
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == tokens
    assert message.usage_metadata["output_tokens"] == len("Guten Tag!") + 1
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["finish_reason_raw"] == "eos_token"


def test_a_stream_comes_token_by_token(voice: Any) -> None:
    chunks = list(chat(voice, "one two").stream("hi"))
    assert [chunk.text for chunk in chunks if chunk.text] == list("one two")


@WAYS
def test_characters_of_several_tokens_come_whole(voice: Any, way: str) -> None:
    text = "日本語 👩‍👩‍👧 é\n\n  x"
    assert ask(chat(voice, text), way).text == text


@WAYS
def test_a_stop_word_ends_the_answer_and_is_left_out(voice: Any, way: str) -> None:
    message = ask(chat(voice, "one END two…"), way, stop=["END"])
    assert message.text == "one "
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["finish_reason_raw"] == "stop_sequence"
    assert voice.says.steps == len("one END")


@WAYS
def test_max_tokens_cuts_the_answer(voice: Any, way: str) -> None:
    message = ask(chat(voice, "abcdefgh…", max_tokens=5), way)
    assert message.text == "abcde"
    assert message.response_metadata["finish_reason"] == "length"
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == 5


def test_what_the_pipeline_was_made_with_holds(voice: Any) -> None:
    pipe = type(voice)(max_new_tokens=3)
    assert ask(chat(pipe, "abcdefgh…"), "invoke").text == "abc"
    assert ask(chat(pipe, "abcdefgh…", max_tokens=4), "invoke").text == "abcd"


@WAYS
def test_thoughts_in_tags_are_reasoning(voice: Any, way: str) -> None:
    message = ask(chat(voice, "<think>\nHm.\n</think>\n\nYes."), way)
    assert message.content_blocks[0] == {"type": "reasoning", "reasoning": "\nHm.\n"} | {
        k: v for k, v in message.content_blocks[0].items() if k == "index"
    }
    assert message.text == "Yes."


def test_another_end_of_text_ends_it_and_leaves_no_text(voice: Any) -> None:
    ends = voice.pipe.tokenizer.encode("!")
    message = ask(chat(voice, "abc!def…", extra_body={"eos_token_id": ends}), "invoke")
    assert message.text == "abc"
    assert message.response_metadata["finish_reason"] == "stop"


def test_thoughts_that_the_prompt_opened_are_reasoning(voice: Any) -> None:
    message = ask(chat(voice, "Hm.</think>Yes.", reasoning_effort=True), "invoke")
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]


def test_tags_may_be_left_in_the_text(voice: Any) -> None:
    said = "<think>Hm.</think>Yes."
    assert ask(chat(voice, said, extract_reasoning=False), "stream").text == said


def test_the_same_seed_gives_the_same_answer_and_leaves_chance_alone(folder: Path) -> None:
    model = ChatHuggingFace(backend="pipeline", model=str(folder), temperature=1.5, max_tokens=20)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, two = (model.invoke("hi", seed=11).content for _ in range(2))
    assert torch.rand(1) == expected
    assert one == two != model.invoke("hi", seed=12).content


def test_a_temperature_of_0_is_the_likeliest_word(folder: Path) -> None:
    model = ChatHuggingFace(backend="pipeline", model=str(folder), temperature=0, max_tokens=12)
    greedy = model.bind(do_sample=False, temperature=None)
    assert model.invoke("hi").content == greedy.invoke("hi").content


def test_beams_give_their_best_at_the_end(folder: Path) -> None:
    model = ChatHuggingFace(backend="pipeline", model=str(folder), num_beams=2, max_tokens=6)
    message = ask(model, "stream")
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == 6


def test_a_last_answer_is_continued(voice: Any) -> None:
    message = ask(chat(voice, " world"), "invoke", [HumanMessage("Say it."), AIMessage("Hello")])
    assert message.text == " world"


def test_a_prompt_that_fills_the_context_is_an_error(voice: Any) -> None:
    with pytest.raises(ContextOverflowError, match="8192"):
        ask(chat(voice, "never"), "invoke", "x" * 9000)


def test_the_room_that_is_left_bounds_the_answer(voice: Any) -> None:
    message = ask(chat(voice, "abc…", max_tokens=500), "invoke", "x" * 8140)
    assert message.response_metadata["finish_reason"] == "length"
    [note] = message.response_metadata["adapted"]
    assert (note["name"], note["action"]) == ("max_tokens", "clamped")
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == 8192


@WAYS
def test_a_total_that_passes_ends_the_answer(voice: Any, way: str) -> None:
    with pytest.raises(ModelTimeoutError, match="total"):
        ask(chat(voice, "a…", max_tokens=8000), way, timeout={"total": 0.2})


def test_tokens_are_counted_by_the_template(voice: Any) -> None:
    model = chat(voice, "fine")
    exact = model.get_num_tokens("hi", exact=True)
    assert exact == ask(model, "invoke", "hi").usage_metadata["input_tokens"]


def test_a_model_is_loaded_once_for_equal_models(folder: Path) -> None:
    given = {"backend": "pipeline", "max_tokens": 4}
    one = init_chat_model(f"huggingface:{folder}", **given)
    two = ChatHuggingFace.from_model_id(str(folder), **given)
    assert one.weights is two.weights
    one.invoke("hi")
    assert two.weights.loaded is one.weights.loaded


def test_a_model_pickles_without_its_weights(folder: Path) -> None:
    model = ChatHuggingFace(
        backend="pipeline", model=str(folder), max_tokens=4, temperature=0, token="hf_secret-1"
    )
    said = model.invoke("hi").content
    data = pickle.dumps(model)
    assert b"hf_secret-1" not in data
    assert len(data) < 5000
    assert pickle.loads(data).invoke("hi").content == said
    assert "hf_secret-1" not in f"{model!r}{model.weights!r}{model.weights.recipe!r}"


def test_a_pipeline_object_cannot_be_pickled(voice: Any) -> None:
    with pytest.raises(InputError, match="from_model_id"):
        pickle.dumps(chat(voice))


def test_a_model_that_is_nowhere_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere") as caught:
        ChatHuggingFace(backend="pipeline", model=str(tmp_path / "nowhere")).invoke("hi")
    assert not caught.value.is_retryable


def test_a_tokenizer_without_a_template_is_no_chat_model(voice: Any) -> None:
    voice.pipe.tokenizer.chat_template = None
    with pytest.raises(ConfigurationError, match="chat_template"):
        ask(chat(voice, "never"), "invoke")


def test_wrong_arguments_of_generation_are_an_error_of_ours(voice: Any) -> None:
    with pytest.raises(ModelInvalidRequestError, match="no_such"):
        ask(chat(voice, "never", extra_body={"no_such": 1}), "invoke")


def test_making_a_model_loads_neither_transformers_nor_torch() -> None:
    code = (
        "import sys; from headrace_huggingface import ChatHuggingFace as C; "
        "C(backend='pipeline', model='m').bind(max_tokens=1); "
        "print([n for n in ('transformers', 'torch', 'huggingface_hub') if n in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
