from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest

from headrace.chat_models import BaseChatModel, Timeout
from headrace.errors import (
    InputError,
    ModelRateLimitError,
    ModelTimeoutError,
    StreamInterruptedError,
    WireError,
)
from headrace.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from headrace.testing import OfflineChatModel, ScriptedChatModel


class Echo(BaseChatModel):
    """Answers with its settings, for the tests to read."""

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        told = {**settings.params, "stop": settings.stop, "tools": len(settings.tools)}
        return AIMessage(messages[-1].text, response_metadata={"told": told})


class Stuck(BaseChatModel):
    """Never answers by itself."""

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        await run.sleep(30)
        return AIMessage("late")


def told(message: AIMessage) -> dict[str, Any]:
    return message.response_metadata["told"]


def test_a_text_a_pair_a_dict_and_messages_are_all_input(world: Any) -> None:
    forms = ["hi", [("human", "hi")], [{"role": "user", "content": "hi"}], [HumanMessage("hi")]]
    assert [world.invoke(Echo(model="e"), form).text for form in forms] == ["hi"] * 4


def test_what_is_not_set_is_not_among_the_parameters(world: Any) -> None:
    assert told(world.invoke(Echo(model="e"), "hi")) == {"model": "e", "stop": (), "tools": 0}


def test_an_option_of_the_call_wins_over_a_bound_one_and_that_over_the_field(world: Any) -> None:
    model = Echo(model="e", temperature=0.1, max_tokens=5).bind(temperature=0.2, max_tokens=6)
    seen = told(world.invoke(model, "hi", temperature=0.3))
    assert (seen["temperature"], seen["max_tokens"]) == (0.3, 6)


def test_an_option_of_none_takes_a_parameter_away(world: Any) -> None:
    assert "temperature" not in told(
        world.invoke(Echo(model="e", temperature=1), "", temperature=None)
    )


def test_stop_is_one_text_or_several(world: Any) -> None:
    assert told(world.invoke(Echo(model="e", stop="END"), "hi"))["stop"] == ("END",)
    assert told(world.invoke(Echo(model="e"), "hi", stop=["a", "b"]))["stop"] == ("a", "b")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Echo(model="e", temprature=1), "no parameter `temprature` (did you mean `temper"),
        (lambda: Echo(model="e", temperature=3), "`temperature`: Input should be less than or equ"),
        (lambda: Echo(model=""), "`model`: String should have at least 1"),
        (lambda: Echo(model="e", timeout=-1), "`timeout` is a number of seconds above 0"),
        (lambda: Echo(model="e").bind(temprature=1), "(did you mean `temperature`?)"),
        (lambda: Echo(model="e").bind(temperature="hot"), "`temperature` of a call of `Echo`"),
        (lambda: Echo(model="e").invoke("x", api_key="k"), "belongs to the model, not to a call"),
        (lambda: Echo(model="e").bind_tools([], tool_choice="f").invoke("x"), "which is not bound"),
        (
            lambda: Echo(model="e").bind_tools([], tool_choice="any").invoke("x"),
            "no tools are boun",
        ),
        (lambda: Echo(model="e").bind_tools([], tool_choice=3), "`tool_choice` is"),
    ],
)
def test_bad_parameters_are_refused_before_any_request(make: Any, says: str) -> None:
    with pytest.raises(InputError) as found:
        make()
    assert says in str(found.value)


def test_a_secret_is_in_no_repr_error_or_pickle() -> None:
    model = Echo(model="e", api_key="sk-secret")
    with pytest.raises(InputError) as found:
        Echo(model="e", api_key="sk-secret", max_tokens=0)
    assert "sk-secret" not in f"{model!r} {found.value} {model.model_dump()}"
    assert b"sk-secret" not in pickle.dumps(model)
    assert pickle.loads(pickle.dumps(model)).model == "e"


def test_a_model_copies_deeply_as_itself_and_with_other_parameters_validated() -> None:
    model = Echo(model="e", temperature=1)
    assert copy.deepcopy(model) == model
    assert model.model_copy(update={"temperature": 0.5}).temperature == 0.5
    with pytest.raises(InputError):
        model.model_copy(update={"temperature": 9})


def test_a_class_that_can_neither_generate_nor_stream_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="_generate"):
        type("Nothing", (BaseChatModel,), {})


def test_a_model_that_only_generates_streams_one_chunk_then_the_end(world: Any) -> None:
    chunks = world.stream(Echo(model="e"), "hi there")
    assert [chunk.text for chunk in chunks] == ["hi there"]
    assert chunks[-1].chunk_position == "last"


def test_a_stream_ends_with_a_last_chunk_and_sums_to_what_invoke_gives(world: Any) -> None:
    model = OfflineChatModel()
    chunks = world.stream(model, "Tell me of rivers and of mills")
    total, whole = sum(chunks), world.invoke(model, "Tell me of rivers and of mills")
    assert chunks[-1].chunk_position == "last"
    assert (total.text, total.id, total.usage_metadata) == (
        whole.text, whole.id, whole.usage_metadata,
    )  # fmt: skip


def test_invoke_streams_inside_when_a_listener_wants_chunks_and_gives_the_same(world: Any) -> None:
    seen: list[Any] = []

    class Wanting:
        wants = frozenset({"chunked"})
        raise_errors = True

        def handle(self, event: Any) -> None:
            seen.append(event.payload["chunk"].text)

    plain = world.invoke(OfflineChatModel(), "one two three")
    heard = world.invoke(OfflineChatModel(), "one two three", {"callbacks": [Wanting()]})
    assert [text for text in seen if text] == ["one ", "two ", "three"]
    assert (heard.content, heard.usage_metadata) == (plain.content, plain.usage_metadata)


def test_listeners_see_one_chat_model_run_with_the_models_own_tags(world: Any) -> None:
    seen: list[Any] = []
    model = OfflineChatModel(callbacks=[seen.append], tags=("own",), metadata={"k": 1})
    world.invoke(model, "hi", {"tags": ["call"]})
    assert [(event.kind, event.run_type) for event in seen] == [
        ("started", "chat_model"), ("ended", "chat_model"),
    ]  # fmt: skip
    assert seen[0].tags == ("call", "own")
    assert seen[0].metadata == {"k": 1}
    assert seen[0].payload["input"] == "hi"


def test_retryable_errors_are_tried_again_max_retries_times(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = ModelRateLimitError("busy", retry_after=0)
    model = ScriptedChatModel([busy, busy, "at last"])
    assert world.invoke(model, "hi").text == "at last"
    assert len(model.calls) == 3
    again = ScriptedChatModel([busy, busy, busy, "never"])
    with pytest.raises(ModelRateLimitError):
        world.invoke(again, "hi")
    assert len(again.calls) == 3


def test_an_error_that_is_not_retryable_is_raised_at_once(world: Any) -> None:
    model = ScriptedChatModel([ModelRateLimitError("no quota", is_retryable=False), "never"])
    with pytest.raises(ModelRateLimitError):
        world.invoke(model, "hi")
    assert len(model.calls) == 1


def test_a_wait_of_more_than_a_minute_is_for_the_caller_to_decide(world: Any) -> None:
    model = ScriptedChatModel([ModelRateLimitError("come back", retry_after=3600), "never"])
    with pytest.raises(ModelRateLimitError) as found:
        world.invoke(model, "hi")
    assert found.value.retry_after == 3600


def test_a_stream_is_retried_before_its_first_chunk_and_never_after(world: Any) -> None:
    busy = ModelRateLimitError("busy", retry_after=0)
    assert sum(world.stream(ScriptedChatModel([busy, "fine"]), "hi")).text == "fine"
    cut = ScriptedChatModel([["half", busy], "never"])
    with pytest.raises(ModelRateLimitError):
        world.stream(cut, "hi")
    assert len(cut.calls) == 1


def test_an_interrupted_stream_keeps_what_came(world: Any) -> None:
    model = ScriptedChatModel([["half an ", "answer", StreamInterruptedError("cut")]])
    with pytest.raises(StreamInterruptedError) as found:
        world.stream(model, "hi")
    assert found.value.partial.text == "half an answer"


def test_an_async_invoke_that_takes_too_long_is_a_timeout() -> None:
    with pytest.raises(ModelTimeoutError, match=r"timeout.first_chunk` = 0\.05 s"):
        asyncio.run(Stuck(model="s", timeout=0.05, max_retries=0).ainvoke("hi"))


def test_a_timeout_is_seconds_a_dict_or_a_timeout() -> None:
    assert Echo(model="e", timeout=5).timeout == Timeout(5, 5, 5, None)
    assert Echo(model="e", timeout={"idle": 3}).timeout.idle == 3
    assert Echo(model="e").timeout.total == 1800


def test_a_partner_that_gives_no_message_is_named(world: Any) -> None:
    class Wrong(BaseChatModel):
        async def _generate(self, messages: Any, settings: Any, run: Any) -> Any:
            return "text"

    with pytest.raises(WireError, match=r"`Wrong\._generate` gives an AIMessage, not str"):
        world.invoke(Wrong(model="w"), "hi")


def test_figures_of_time_are_in_the_metadata(world: Any) -> None:
    whole = world.invoke(OfflineChatModel(), "hi").response_metadata
    streamed = sum(world.stream(OfflineChatModel(), "hi")).response_metadata
    assert whole["duration_s"] >= 0
    assert 0 <= streamed["first_chunk_s"] <= streamed["duration_s"]


def test_messages_are_handed_to_the_provider_unchanged(world: Any) -> None:
    history = [SystemMessage("be brief"), HumanMessage("hi")]
    before = copy.deepcopy(history)
    model = ScriptedChatModel([AIMessage("yes")])
    world.invoke(model, history)
    assert history == before
    assert model.calls[0].messages == before


def test_closing_twice_does_nothing() -> None:
    model = Echo(model="e")
    model.close()
    model.close()
    with model as opened:
        assert opened is model


def test_chunks_of_a_scripted_stream_are_passed_as_they_are(world: Any) -> None:
    given = [AIMessageChunk("a", id="1"), AIMessageChunk("b")]
    assert [c.text for c in world.stream(ScriptedChatModel([given]), "x")] == ["a", "b", ""]
