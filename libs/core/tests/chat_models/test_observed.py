"""Listening changes nothing: same answers and usage by every door, heard or not."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from headrace.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    get_usage_metadata_callback,
)
from headrace.engine.run import ambient
from headrace.messages import AIMessage, AIMessageChunk
from headrace.testing import ScriptedChatModel

USAGE = {
    "input_tokens": 7, "output_tokens": 3, "total_tokens": 10,
    "input_token_details": {"cache_read": 2}, "output_token_details": {"reasoning": 1},
}  # fmt: skip
REPLY = AIMessage("one two three", usage_metadata=USAGE, response_metadata={"model_name": "m"})  # type: ignore[arg-type]  # a plain dict


class Failing(BaseCallbackHandler):
    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        raise RuntimeError("no")

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        raise RuntimeError("no")

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        raise RuntimeError("no")


class Slow(AsyncCallbackHandler):
    async def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        await asyncio.sleep(0.001)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        time.sleep(0.001)


class Quiet(BaseCallbackHandler):
    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        pass


LISTENERS = {"none": (), "some": (Quiet(),), "failing": (Failing(),), "slow": (Slow(),)}


@pytest.mark.parametrize("listeners", LISTENERS.values(), ids=LISTENERS.keys())
@pytest.mark.parametrize("door", ["invoke", "stream", "batch"])
def test_answer_and_usage_are_the_same_by_every_door_whoever_listens(
    world: Any, door: str, listeners: tuple[Any, ...]
) -> None:
    model, config = ScriptedChatModel([REPLY] * 2), {"callbacks": list(listeners)}
    with get_usage_metadata_callback() as used:
        match door:
            case "invoke":
                answers = [world.invoke(model, "hi", config) for _ in range(2)]
            case "stream":
                answers = [
                    sum(world.stream(model, "hi", config), AIMessageChunk("")) for _ in range(2)
                ]
            case _:
                answers = world.batch(model, ["hi", "hi"], config)
    assert [answer.text for answer in answers] == ["one two three"] * 2
    assert [answer.usage_metadata for answer in answers] == [USAGE] * 2
    assert used.usage_metadata == {
        "m": {
            "input_tokens": 14, "output_tokens": 6, "total_tokens": 20,
            "input_token_details": {"cache_read": 4}, "output_token_details": {"reasoning": 2},
        }
    }  # fmt: skip
    assert ambient.get() == ()


def test_usage_with_floats_and_none_is_counted(world: Any) -> None:
    odd: Any = {"input_tokens": 1.5, "output_tokens": None, "total_tokens": 2}
    answer = AIMessage("x", response_metadata={"model_name": "m"})
    answer.usage_metadata = odd
    with get_usage_metadata_callback() as used:
        world.batch(ScriptedChatModel([answer] * 2), ["a", "b"])
    assert used.usage_metadata == {"m": {"input_tokens": 3.0, "total_tokens": 4}}
