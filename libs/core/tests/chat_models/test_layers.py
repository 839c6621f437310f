from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import pytest
from pydantic import BaseModel

from headrace import RunnableLambda, StrOutputParser, tool
from headrace.callbacks import get_usage_metadata_callback
from headrace.chat_models import Model
from headrace.errors import InputError, ModelAPIError, ModelRateLimitError, StructuredOutputError
from headrace.messages import AIMessage
from headrace.runnables import ConfigurableField
from headrace.testing import OfflineChatModel, ScriptedChatModel


class City(BaseModel):
    name: str
    size: int = 0


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


@tool
def distance(town: str) -> str:
    """How far a town is."""
    return f"{town} is near"


BUSY = ModelRateLimitError("busy", retry_after=0)
FIRM = {"wait_exponential_jitter": False}


def names(call: Any) -> list[str]:
    return [tool["name"] for tool in call.settings.tools]


def test_a_second_bind_tools_adds_and_one_of_the_same_name_replaces(world: Any) -> None:
    model = ScriptedChatModel(["ok"])
    other = {"name": "weather", "description": "another", "parameters": {"type": "object"}}
    world.invoke(model.bind_tools([weather]).bind_tools([distance, other]), "hi")
    assert names(model.calls[0]) == ["distance", "weather"]
    assert model.calls[0].settings.tools[1]["description"] == "another"


def test_every_order_of_methods_keeps_everything(world: Any) -> None:
    steps = {
        "bind": lambda m: m.bind(temperature=0.5),
        "tools": lambda m: m.bind_tools([weather]),
        "config": lambda m: m.with_config(tags=["t"]),
        "retry": lambda m: m.with_retry(stop_after_attempt=2, **FIRM),
        "fallbacks": lambda m: m.with_fallbacks([ScriptedChatModel(["spare"])]),
    }
    for order in itertools.permutations(steps):
        seen: list[Any] = []
        spec = ScriptedChatModel(["answer"], callbacks=[seen.append])
        model: Model[Any] = spec
        for name in order:
            model = steps[name](model)
        assert world.invoke(model, "hi").text == "answer"
        call = spec.calls[0]
        assert (names(call), call.settings.params["temperature"]) == (["weather"], 0.5)
        assert seen[0].tags == ("t",)


def test_with_retry_replaces_the_models_own_retries(world: Any) -> None:
    model = ScriptedChatModel([BUSY] * 9, max_retries=2)
    with pytest.raises(ModelRateLimitError):
        world.invoke(model.with_retry(stop_after_attempt=2), "hi")
    assert len(model.calls) == 2


WRAPPED = {
    "chain": lambda m: (m | StrOutputParser()).with_retry(stop_after_attempt=2, **FIRM),
    "schema": lambda m: m.with_structured_output(City).with_retry(stop_after_attempt=2, **FIRM),
    "bound": lambda m: m.with_retry(stop_after_attempt=2, **FIRM).bind(temperature=1),
    "twice": lambda m: m.with_retry(stop_after_attempt=5).with_retry(stop_after_attempt=2, **FIRM),
    "in a function": lambda m: RunnableLambda(lambda x: m).with_retry(stop_after_attempt=2, **FIRM),
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_a_retry_around_a_model_takes_the_place_of_its_own_attempts(world: Any, wrap: Any) -> None:
    model = ScriptedChatModel([BUSY] * 19, max_retries=4)
    with pytest.raises(ModelRateLimitError):
        world.invoke(wrap(model), "hi")
    assert len(model.calls) == 2


def test_an_error_that_a_retry_does_not_want_is_left_to_the_models_own_attempts(world: Any) -> None:
    model = ScriptedChatModel([BUSY, "not json", BUSY, '{"name": "Ulm"}'], max_retries=1)
    asking = model.with_structured_output(City).with_retry(
        retry_if_exception_type=StructuredOutputError, **FIRM
    )
    assert world.invoke(asking, "hi") == City(name="Ulm")


def test_an_invoked_stream_that_breaks_off_is_tried_again(world: Any) -> None:
    model = ScriptedChatModel([["half", BUSY], "whole"])
    assert world.invoke(model, "hi").text == "whole"


def test_a_stream_that_broke_off_is_tried_again_only_where_it_is_held_back(world: Any) -> None:
    model = ScriptedChatModel([["half", BUSY], ["half", BUSY], "whole"])
    with pytest.raises(ModelRateLimitError):
        world.stream(model, "hi")
    held = model.with_retry(retry_after_first_chunk=True, **FIRM)
    assert sum(world.stream(held, "hi")).text == "whole"


@pytest.mark.parametrize("door", ["invoke", "stream"])
def test_requests_of_a_retry_or_a_fallback_stand_below_one_run(world: Any, door: str) -> None:
    events: list[Any] = []
    spare = ScriptedChatModel(["spare"])
    model = ScriptedChatModel([BUSY, BUSY]).with_retry(stop_after_attempt=2, **FIRM)
    getattr(world, door)(model.with_fallbacks([spare]), "hi", {"callbacks": [events.append]})
    falling, retrying, *asked = [event for event in events if event.kind == "started"]
    assert falling.name == "ScriptedChatModel.with_fallbacks"
    assert retrying.parent_ids == (falling.run_id,)
    assert [event.tags for event in asked] == [(), ("retry:attempt:2",), ("fallback:1",)]
    notes = [(event.payload["name"], event.run_id) for event in events if event.kind == "noted"]
    assert notes == [("retry", retrying.run_id), ("fallback", falling.run_id)]


def is_refusal(answer: AIMessage) -> bool:
    return answer.response_metadata.get("finish_reason") == "refusal"


def refusal() -> AIMessage:
    return AIMessage(
        "no",
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        response_metadata={"finish_reason": "refusal", "model_name": "m"},
    )


def test_the_usage_of_a_refused_answer_is_counted(world: Any) -> None:
    model = ScriptedChatModel([refusal(), refusal()])
    others = [ScriptedChatModel([refusal(), "yes"])]
    asked = model.with_fallbacks(others, fallback_on=is_refusal)
    with get_usage_metadata_callback() as used:
        assert sum(world.stream(asked.with_retry(**FIRM), "hi")).text == "yes"
    assert used.usage_metadata["m"]["total_tokens"] == 9


def test_retry_outside_a_schema_tries_an_unreadable_answer_again(world: Any) -> None:
    model = ScriptedChatModel(["not json", '{"name": "Ulm"}'])
    inside = model.with_structured_output(City).with_retry(
        retry_if_exception_type=(StructuredOutputError,), **FIRM
    )
    assert world.invoke(inside, "hi") == City(name="Ulm")


def test_retry_inside_a_schema_does_not_read_twice(world: Any) -> None:
    model = ScriptedChatModel(["not json", '{"name": "Ulm"}'])
    with pytest.raises(StructuredOutputError) as found:
        world.invoke(model.with_retry(**FIRM).with_structured_output(City), "hi")
    assert found.value.raw.text == "not json"
    assert len(model.calls) == 1


def test_what_is_bound_outside_a_fallback_reaches_it_and_inside_does_not(world: Any) -> None:
    spare = ScriptedChatModel(["spare"])
    broken = ScriptedChatModel([ModelAPIError("down", is_retryable=False)])
    model = broken.bind(temperature=1).with_fallbacks([spare]).bind_tools([weather])
    assert world.invoke(model, "hi").text == "spare"
    assert names(spare.calls[0]) == ["weather"]
    assert "temperature" not in spare.calls[0].settings.params


def test_a_stream_falls_back_before_its_first_chunk_only(world: Any) -> None:
    down = ModelAPIError("down", is_retryable=False)
    early = ScriptedChatModel([down]).with_fallbacks([ScriptedChatModel(["spare"])])
    assert sum(world.stream(early, "hi")).text == "spare"
    late = ScriptedChatModel([["half", down]]).with_fallbacks([ScriptedChatModel(["spare"])])
    with pytest.raises(ModelAPIError):
        world.stream(late, "hi")


def test_when_all_fail_the_first_error_is_raised_with_notes_of_the_others(world: Any) -> None:
    def down(word: str) -> ScriptedChatModel:
        return ScriptedChatModel([ModelAPIError(word, is_retryable=False)])

    with pytest.raises(ModelAPIError, match="first") as found:
        world.invoke(down("first").with_fallbacks([down("second")]), "hi")
    assert "second" in found.value.__notes__[0]


def test_fallbacks_must_be_models() -> None:
    with pytest.raises(InputError, match="takes chat models"):
        OfflineChatModel().with_fallbacks([lambda x: x])


def test_an_object_is_filled_and_streams_growing(world: Any) -> None:
    model = OfflineChatModel().with_structured_output(City)
    assert world.invoke(model, 'I saw "Ulm" with 126 towers') == City(name="Ulm", size=126)
    growing = world.stream(model, 'I saw "Ulm am grossen Fluss" with 126 towers')
    assert growing[-1] == City(name="Ulm am grossen Fluss", size=126)
    assert len(growing) > 2


def test_include_raw_keeps_what_could_not_be_read(world: Any) -> None:
    model = ScriptedChatModel(["nothing useful"])
    answer = world.invoke(model.with_structured_output(City, include_raw=True), "hi")
    assert answer["raw"].text == "nothing useful"
    assert answer["parsed"] is None
    assert isinstance(answer["parsing_error"], StructuredOutputError)


def test_another_call_in_place_of_the_object_is_an_error_that_shows_it(world: Any) -> None:
    call = {"type": "tool_call", "name": "weather", "args": {"city": "Ulm"}, "id": "1"}
    model = ScriptedChatModel([AIMessage("", tool_calls=[call])])
    with pytest.raises(StructuredOutputError, match="called `weather` instead") as found:
        world.invoke(model.bind_tools([weather]).with_structured_output(City), "hi")
    assert found.value.raw.tool_calls[0]["name"] == "weather"


def test_a_structured_run_is_a_chain_with_the_model_and_the_parser_inside(world: Any) -> None:
    seen: list[Any] = []
    model = OfflineChatModel().with_structured_output(City)
    world.invoke(model, '"Ulm"', {"callbacks": [seen.append]})
    started = [(e.run_type, len(e.parent_ids)) for e in seen if e.kind == "started"]
    assert started == [("chain", 0), ("chat_model", 1), ("parser", 1)]
    assert seen[0].payload["input"] == '"Ulm"'


def test_dataclasses_typed_dicts_and_json_schemas_make_objects_too(world: Any) -> None:
    plain = {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}}
    model = OfflineChatModel()
    assert world.invoke(model.with_structured_output(plain), '"Ulm"') == {"name": "Ulm"}
    assert world.invoke(model.with_structured_output(list[str]), '"a", "b"') == ["a", "b"]


def test_a_layered_model_pickles_copies_and_shows_its_fields() -> None:
    model = OfflineChatModel(temperature=1).bind_tools([{"name": "f", "parameters": {}}])
    again = pickle.loads(pickle.dumps(model))
    assert again.invoke("hi").text == model.invoke("hi").text
    assert copy.deepcopy(model).temperature == 1


def test_configurable_fields_set_parameters_and_survive_binding(world: Any) -> None:
    spec = OfflineChatModel(max_tokens=50)
    model = spec.configurable_fields(max_tokens=ConfigurableField("limit")).bind_tools([weather])
    few = world.invoke(model, "one two three four", {"configurable": {"limit": 2}})
    assert few.text == "one two"
    assert world.invoke(model, "one two three four").text == "one two three four"


def test_max_concurrency_of_a_bound_config_is_the_limit_of_the_batch(world: Any) -> None:
    model = OfflineChatModel().with_config(max_concurrency=1)
    assert [m.text for m in world.batch(model, ["a", "b"])] == ["a", "b"]
    assert model._limit() == 1
