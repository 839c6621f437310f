"""Fields and alternatives that a config sets, call by call."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr

from headrace.errors import ConfigurationError, InputError
from headrace.runnables import (
    ConfigurableField,
    ConfigurableFieldMultiOption,
    ConfigurableFieldSingleOption,
    Runnable,
    RunnableLambda,
)

built: list[Any] = []


class Slotted(Runnable[Any, Any]):
    __slots__ = ("factor",)

    def __init__(self, factor: int) -> None:
        self.factor = factor

    async def _invoke(self, input: Any, run: Any) -> Any:
        return input * self.factor


class Modelled(BaseModel, Runnable[Any, Any]):  # type: ignore[misc]  # metaclasses agree
    """A pydantic model as a step, that counts how often it is made."""

    model_config = {"frozen": True}
    temperature: float = Field(0.0, ge=0, le=2)
    words: list[str] = []
    key: SecretStr = SecretStr("secret")

    def model_copy(self, **kwargs: Any) -> Any:
        built.append(kwargs)
        return super().model_copy(**kwargs)

    async def _invoke(self, input: Any, run: Any) -> Any:
        return (input, self.temperature, self.words)

    def bind_tools(self, tools: list[str]) -> Any:
        return self | (lambda output: (*output, tools))


def setting(**values: Any) -> Any:
    return {"configurable": values}


heat = ConfigurableField("heat")


def test_a_field_is_set_by_the_config_and_else_as_it_was(world: Any) -> None:
    step = Modelled().configurable_fields(temperature=heat)
    assert world.invoke(step, 1)[1] == 0.0
    assert world.invoke(step, 1, setting(heat=1.5))[1] == 1.5
    assert world.stream(step, 1, setting(heat=0.5)) == [(1, 0.5, [])]


def test_an_attribute_of_any_step_may_be_a_field(world: Any) -> None:
    step = Slotted(2)
    assert world.invoke(step.configurable_fields(factor=heat), 3, setting(heat=5)) == 15
    assert step.factor == 2


def test_a_value_is_validated_as_at_construction_and_not_shown(world: Any) -> None:
    step = Modelled().configurable_fields(temperature=heat)
    with pytest.raises(InputError, match="temperature") as caught:
        world.invoke(step, 1, setting(heat=3.25))
    assert "3.25" not in str(caught.value)


def test_a_distinct_setting_is_built_once(world: Any) -> None:
    step = Modelled().configurable_fields(temperature=heat, words=ConfigurableField("words"))
    built.clear()
    for _ in range(3):
        world.invoke(step, 1, setting(heat=1.5, words=["a", "b"]))
        world.invoke(step, 1, setting(heat=1.0, words=["a", "b"]))
        world.invoke(step.bind(), 1, setting(heat=1.0, words=["a", "b"]))
    assert len(built) == 2


def test_options_are_named_by_their_keys(world: Any) -> None:
    levels = {"low": 0.1, "high": 1.9}
    step = Modelled().configurable_fields(
        temperature=ConfigurableFieldSingleOption("heat", levels, "low"),
        words=ConfigurableFieldMultiOption("words", {"x": "ex", "y": "why"}, ["x"]),
    )
    assert world.invoke(step, 1) == (1, 0.1, ["ex"])
    assert world.invoke(step, 1, setting(heat="high", words=["y", "x"])) == (1, 1.9, ["why", "ex"])


@pytest.mark.parametrize("values", [{"heat": "hihg"}, {"words": ["z"]}, {"words": "x"}])
def test_an_unknown_option_is_an_error_that_lists_the_options(
    world: Any, values: dict[str, Any]
) -> None:
    step = Modelled().configurable_fields(
        temperature=ConfigurableFieldSingleOption("heat", {"low": 0, "high": 1}, "low"),
        words=ConfigurableFieldMultiOption("words", {"x": "ex"}, []),
    )
    with pytest.raises(InputError, match=r"high|`x`|list of options"):
        world.invoke(step, 1, setting(**values))


def test_a_field_that_is_not_there_or_is_no_field_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean `temperature`"):
        Modelled().configurable_fields(temprature=heat)
    with pytest.raises(ConfigurationError, match="ConfigurableField"):
        Modelled().configurable_fields(temperature="heat")


def test_fields_survive_binding_and_a_config(world: Any) -> None:
    step = Modelled().configurable_fields(temperature=heat).with_config(tags=["t"])
    assert world.invoke(step, 1, setting(heat=1.5))[1] == 1.5
    fixed = step.with_config(configurable={"heat": 0.5})
    assert world.invoke(fixed, 1)[1] == 0.5
    assert (
        world.invoke(
            Modelled().with_config(tags=["t"]).configurable_fields(temperature=heat),
            1,
            setting(heat=0.25),
        )[1]
        == 0.25
    )


def test_fields_survive_the_methods_of_the_step(world: Any) -> None:
    step = Modelled().configurable_fields(temperature=heat).bind_tools(["t"])
    assert world.invoke(step, 1) == (1, 0.0, [], ["t"])
    assert world.invoke(step, 1, setting(heat=1.5)) == (1, 1.5, [], ["t"])


def test_arguments_of_a_call_reach_the_variant(world: Any) -> None:
    step = RunnableLambda(lambda x, by=1: x * by).configurable_fields(name=heat)
    assert world.invoke(step, 2, setting(heat="other"), by=3) == 6
    assert world.invoke(step.bind(by=4), 2) == 8


def test_more_fields_may_be_added_to_configurable_ones(world: Any) -> None:
    step = Modelled().configurable_fields(temperature=heat)
    both = step.configurable_fields(words=ConfigurableField("words"))
    assert world.invoke(both, 1, setting(heat=1.5, words=["a"])) == (1, 1.5, ["a"])


def alternatives(**options: Any) -> Any:
    return RunnableLambda(lambda x: "default").configurable_alternatives(
        ConfigurableField("which"), a=RunnableLambda(lambda x: "a"), b=lambda: made("b"), **options
    )


def made(name: str) -> Any:
    built.append(name)
    return RunnableLambda(lambda x: name)


def test_the_config_names_the_alternative(world: Any) -> None:
    step = alternatives()
    assert world.invoke(step, 1) == "default"
    assert world.invoke(step, 1, setting(which="a")) == "a"
    assert world.invoke(step, 1, setting(which="default")) == "default"


def test_an_alternative_made_by_a_function_is_made_once_and_on_demand(world: Any) -> None:
    built.clear()
    step = alternatives()
    assert built == []
    assert [world.invoke(step, 1, setting(which="b")) for _ in range(3)] == ["b"] * 3
    assert built == ["b"]


def test_an_unknown_alternative_is_an_error_that_lists_them(world: Any) -> None:
    with pytest.raises(InputError, match=r"`usual`, `a`, `b`"):
        world.invoke(alternatives(default_key="usual"), 1, setting(which="c"))


def test_the_items_of_a_batch_may_each_have_their_own(world: Any) -> None:
    configs = [setting(which="a"), {}, setting(which="b")]
    assert world.batch(alternatives(), [1, 2, 3], configs) == ["a", "default", "b"]


def test_with_prefix_keys_a_field_belongs_to_its_alternative(world: Any) -> None:
    field = {"temperature": ConfigurableField("heat")}
    step = (
        Modelled()
        .configurable_fields(**field)
        .configurable_alternatives(
            ConfigurableField("model"),
            default_key="one",
            prefix_keys=True,
            two=Modelled(temperature=1).configurable_fields(**field),
        )
    )
    values = {"model==one/heat": 0.25, "model==two/heat": 0.75}
    assert world.invoke(step, 1, setting(**values))[1] == 0.25
    assert world.invoke(step, 1, setting(**values, model="two"))[1] == 0.75
    assert world.invoke(step, 1, setting(heat=0.5, model="two"))[1] == 1.0


def test_a_shared_field_keeps_its_id_inside_a_prefix(world: Any) -> None:
    step = (
        Modelled()
        .configurable_fields(temperature=ConfigurableField("heat", is_shared=True))
        .configurable_alternatives(ConfigurableField("model"), prefix_keys=True, two=Slotted(2))
    )
    assert world.invoke(step, 1, setting(heat=0.5))[1] == 0.5


def test_methods_reach_whichever_alternative_is_named(world: Any) -> None:
    step = (
        Modelled()
        .configurable_alternatives(ConfigurableField("which"), hot=Modelled(temperature=2))
        .bind_tools(["t"])
    )
    assert world.invoke(step, 1, setting(which="hot")) == (1, 2.0, [], ["t"])


def test_a_default_that_is_also_an_alternative_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="default_key"):
        alternatives(default_key="a")
    with pytest.raises(ConfigurationError, match="no Runnable"):
        RunnableLambda(len).configurable_alternatives(heat, a=lambda: 7).invoke(
            [], setting(heat="a")
        )


def test_configurable_steps_pickle_and_copy(world: Any) -> None:
    step = Slotted(2).configurable_fields(factor=heat)
    world.invoke(step, 3, setting(heat=5))
    for other in (pickle.loads(pickle.dumps(step)), copy.deepcopy(step)):
        assert world.invoke(other, 3, setting(heat=5)) == 15


def test_a_value_without_a_key_is_built_for_each_call(world: Any) -> None:
    step = Slotted(2).configurable_fields(factor=heat)

    class Unhashable(int):
        __hash__ = None  # type: ignore[assignment]  # what a set or a mutable model has

    assert world.invoke(step, 3, setting(heat=Unhashable(5))) == 15


def test_equal_values_of_different_types_are_different_settings(world: Any) -> None:
    step = Slotted(2).configurable_fields(factor=heat)
    assert world.invoke(step, 3, setting(heat=1)) == 3
    assert type(world.invoke(step, 3, setting(heat=1.0))) is float
