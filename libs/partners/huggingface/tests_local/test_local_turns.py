"""Generations take turns, and end at the next token when nobody wants more."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from contextlib import aclosing
from typing import Any

import pytest

from headrace import RunnableLambda, RunnableParallel
from headrace.errors import ConfigurationError
from headrace_huggingface import ChatHuggingFace, HuggingFacePipeline


def chat(voice: Any, *texts: str, **given: Any) -> Any:
    voice.says.texts = list(texts)
    return ChatHuggingFace(llm=HuggingFacePipeline(pipeline=voice.pipe), **given)


def test_leaving_a_stream_ends_the_generation_before_the_next_statement(voice: Any) -> None:
    model = chat(voice, "a…", max_tokens=8000)
    with model.stream("hi") as chunks:
        next(c for c in chunks if c.text)
    steps = voice.says.steps
    assert steps < 200
    assert chat(voice, "fine").invoke("hi").text == "fine"
    assert voice.says.steps == steps + len("fine") + 1


def test_leaving_an_async_stream_ends_the_generation_at_once(voice: Any) -> None:
    async def main() -> int:
        async with aclosing(chat(voice, "a…", max_tokens=8000).astream("hi")) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    break
        return int(voice.says.steps)

    steps = asyncio.run(main())
    assert steps < 200
    assert voice.says.steps == steps


def test_a_slow_reader_is_waited_for(voice: Any) -> None:
    model = chat(voice, "a…", max_tokens=8000)
    with model.stream("hi") as chunks:
        first = next(c for c in chunks if c.text)
        threading.Event().wait(0.3)  # a generation alone would make hundreds of tokens
        assert voice.says.steps < 200
    assert first.text


def test_cancelling_ends_the_generation_at_the_next_token(voice: Any) -> None:
    async def main() -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        voice.says.at_step = lambda step: step == 1 and loop.call_soon_threadsafe(begun.set)
        task = asyncio.create_task(chat(voice, "a…", max_tokens=8000).ainvoke("hi"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    steps = voice.says.steps
    assert steps < 8000
    voice.says.at_step = lambda step: None
    assert chat(voice, "fine").invoke("hi").text == "fine"
    assert voice.says.steps == steps + len("fine") + 1


def test_the_event_loop_goes_on_while_a_model_generates(voice: Any) -> None:
    async def main() -> None:
        turned = threading.Event()

        def at_step(step: int) -> None:
            loop.call_soon_threadsafe(turned.set)
            assert turned.wait(30)  # the loop must turn before this token comes

        loop = asyncio.get_running_loop()
        voice.says.at_step = at_step
        assert (await chat(voice, "fine").ainvoke("hi")).text == "fine"

    asyncio.run(main())


class Alone:
    """Sees at each token whether another generation runs."""

    def __init__(self, voice: Any) -> None:
        self._model, self._real = voice.pipe.model, type(voice.pipe.model).generate
        self.now = self.most = 0

    def __enter__(self) -> Alone:
        def generate(*args: Any, **given: Any) -> Any:
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                return self._real(self._model, *args, **given)
            finally:
                self.now -= 1

        self._model.generate = generate
        return self

    def __exit__(self, *_: object) -> None:
        del self._model.generate


@pytest.mark.parametrize("world", ["sync", "async"])
def test_a_batch_has_one_generation_at_a_time_and_keeps_its_order(voice: Any, world: str) -> None:
    texts = [f"answer {n}" for n in range(6)]
    model = chat(voice, *texts)
    with Alone(voice) as alone:
        asked = ["hi"] * 6
        found = model.batch(asked) if world == "sync" else asyncio.run(model.abatch(asked))
    assert alone.most == 1
    assert sorted(message.text for message in found) == texts


def test_two_pipelines_around_one_model_share_its_turns(voice: Any) -> None:
    texts = ["one", "two"]
    model = chat(voice, *texts)
    other = ChatHuggingFace(llm=HuggingFacePipeline(pipeline=voice.pipe))
    with Alone(voice) as alone:
        found = RunnableParallel(a=model, b=other).invoke("hi")
    assert alone.most == 1
    assert {found["a"].text, found["b"].text} == {"one", "two"}


def test_who_asks_while_his_own_stream_is_open_is_told(voice: Any) -> None:
    model = chat(voice, "a…", "never", max_tokens=8000)
    with model.stream("hi") as chunks:
        next(iter(chunks))
        with pytest.raises(ConfigurationError, match="close them first"):
            model.invoke("hi")


def test_a_failed_sibling_calls_the_generation_off(voice: Any) -> None:
    begun = threading.Event()
    voice.says.at_step = lambda step: begun.set()

    def fail(_: Any) -> None:
        begun.wait(30)
        raise OSError("broken")

    model = chat(voice, "a…", max_tokens=8000)
    with pytest.raises(OSError, match="broken"):
        RunnableParallel(a=model, b=RunnableLambda(fail)).invoke("hi")
    assert voice.says.steps < 8000


def test_no_generation_is_left_over(voice: Any) -> None:
    model = chat(voice, "a…", max_tokens=8000)
    with model.stream("hi") as chunks:
        next(iter(chunks))
    busy = [t for t in threading.enumerate() if "generate" in _stack(t)]
    assert busy == []


def _stack(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)) if frame and thread.name == "headrace" else ""
