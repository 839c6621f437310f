"""What the metadata of an answer say of its cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from headrace.chat_models import BaseChatModel
from headrace.errors import StreamInterruptedError
from headrace.messages import AIMessage, AIMessageChunk
from headrace.profiles import ModelProfile
from headrace.testing import ScriptedChatModel

PRICES = {
    "cost": {"input": 1, "output": 10},
    "modes": {"fast": {"body": {"service_tier": "priority"}, "cost": {"input": 2, "output": 20}}},
}
USAGE = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}


def reply(**about: Any) -> AIMessage:
    return AIMessage("x", usage_metadata=USAGE, response_metadata=about)  # type: ignore[arg-type]


class Chunks:
    """A listener that makes an invoked model stream inside."""

    wants = frozenset({"chunked"})
    raise_errors = False

    def handle(self, event: Any) -> None:
        pass


def costs(world: Any, answer: AIMessage, **given: Any) -> list[Any]:
    """What an answer says it cost: invoked, streamed, in a batch, and streamed inside."""
    model = ScriptedChatModel([answer] * 4, **{"profile": PRICES, **given})
    found = [world.invoke(model, "hi"), sum(world.stream(model, "hi"), AIMessageChunk(""))]
    found += world.batch(model, ["hi"])
    found.append(world.invoke(model, "hi", {"callbacks": [Chunks()]}))
    return [message.response_metadata.get("cost_usd") for message in found]


def test_an_answer_says_what_it_cost_however_it_was_asked_for(world: Any) -> None:
    assert costs(world, reply()) == [pytest.approx(200e-6)] * 4


@pytest.mark.parametrize(
    ("answer", "given"),
    [(reply(), {"profile": {}}), (AIMessage("x"), {}), (reply(service_tier="flex"), {})],
)
def test_an_unknown_cost_is_not_there(world: Any, answer: AIMessage, given: Any) -> None:
    assert costs(world, answer, **given) == [None] * 4


def test_a_cost_that_the_provider_says_itself_stands(world: Any) -> None:
    assert costs(world, reply(cost_usd=7.5)) == [7.5] * 4


def test_the_tier_that_served_sets_the_price_before_the_one_asked_for(world: Any) -> None:
    asked = {"extra_body": {"service_tier": "priority"}}
    assert costs(world, reply(), **asked) == [pytest.approx(400e-6)] * 4
    assert costs(world, reply(service_tier="default"), **asked) == [pytest.approx(200e-6)] * 4


def test_another_model_that_served_is_not_priced_as_the_one_asked_for(world: Any) -> None:
    class Known(ScriptedChatModel):
        def _known_facts(self) -> ModelProfile:
            return ModelProfile(PRICES, provider="scripted", model=self.model)

    answers = [reply(model_name="scripted-2027-01-01"), reply(model_name="other")]
    model = Known(answers)
    told = [world.invoke(model, "hi").response_metadata for _ in answers]
    assert told[0]["cost_usd"] == pytest.approx(200e-6)
    assert told[1]["model_asked"] == "scripted"
    assert "cost_usd" not in told[1]


def test_usage_that_comes_in_several_chunks_is_priced_as_it_adds_up(world: Any) -> None:
    chunks = [
        AIMessageChunk("a" * 9, usage_metadata={"input_tokens": 100, "output_tokens": 1}),
        AIMessageChunk("b", usage_metadata={"output_tokens": 4}),
        AIMessageChunk("", usage_metadata={"output_tokens": 10}, usage_kind="snapshot"),
    ]
    model = ScriptedChatModel([chunks], profile=PRICES)
    total = sum(world.stream(model, "hi"), AIMessageChunk(""))
    assert total.usage_metadata["output_tokens"] == 10
    assert total.response_metadata["cost_usd"] == pytest.approx(200e-6)


def test_what_came_of_a_broken_stream_says_what_it_cost(world: Any) -> None:
    class Breaking(BaseChatModel):
        async def _stream(self, messages: Any, settings: Any, run: Any) -> AsyncIterator[Any]:
            yield AIMessageChunk("a", usage_metadata=USAGE)  # type: ignore[arg-type]
            raise StreamInterruptedError("cut")

    model = Breaking(model="m", profile=PRICES, max_retries=0)
    with pytest.raises(StreamInterruptedError) as caught:
        world.stream(model, "hi")
    assert caught.value.partial.response_metadata["cost_usd"] == pytest.approx(200e-6)
