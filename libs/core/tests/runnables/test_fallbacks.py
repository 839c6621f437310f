"""Another step where one fails."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.engine.bounds import NO_BOUNDS
from headrace.engine.run import Run
from headrace.engine.strands import Budget, Scope
from headrace.errors import AnswerRejectedError, InputError, SuspendedError
from headrace.runnables import RunnableGenerator, RunnableLambda


def fail(value: Any) -> Any:
    raise ValueError("the first failed")


def fail_otherwise(value: Any) -> Any:
    raise OSError("the second failed")


first = RunnableLambda(fail)


def test_the_next_step_takes_the_place_of_one_that_fails(world: Any) -> None:
    step = first.with_fallbacks([fail_otherwise, lambda value: value + 1])
    assert world.invoke(step, 1) == 2


def test_the_first_error_is_raised_with_notes_of_the_others(world: Any) -> None:
    with pytest.raises(ValueError, match="the first failed") as caught:
        world.invoke(first.with_fallbacks([fail_otherwise]), 1)
    assert any("OSError: the second failed" in note for note in caught.value.__notes__)


def test_an_error_that_is_not_to_be_handled_is_raised_at_once(world: Any) -> None:
    called: list[Any] = []
    step = first.with_fallbacks([called.append], exceptions_to_handle=(OSError,))
    with pytest.raises(ValueError, match="first"):
        world.invoke(step, 1)
    assert called == []


def test_a_fallback_finds_the_error_under_the_exception_key(world: Any) -> None:
    given = {"text": "hi"}
    step = first.with_fallbacks(
        [fail_otherwise, lambda value: str(value["error"])], exception_key="error"
    )
    assert world.invoke(step, given) == "the second failed"
    assert given == {"text": "hi"}


def test_the_exception_key_needs_a_dict(world: Any) -> None:
    step = first.with_fallbacks([lambda value: value], exception_key="error")
    with pytest.raises(InputError, match="dict"):
        world.invoke(step, 1)


def test_chunks_of_a_dict_get_the_error_as_one_more(world: Any) -> None:
    def source(chunks: Any) -> Any:
        yield {"a": "x"}
        yield {"a": "y", "b": "z"}

    step = RunnableGenerator(source) | first.with_fallbacks(
        [lambda value: {**value, "error": type(value["error"])}], exception_key="error"
    )
    assert world.stream(step, 0) == [{"a": "xy", "b": "z", "error": ValueError}]


def test_a_stream_falls_back_before_its_first_chunk(world: Any) -> None:
    def early(chunks: Any) -> Any:
        raise ValueError("early")
        yield

    step = RunnableGenerator(early).with_fallbacks([RunnableGenerator(lambda chunks: chunks)])
    assert world.transform(step, ["a", "b"]) == ["a", "b"]


def test_a_stream_does_not_fall_back_after_its_first_chunk(world: Any) -> None:
    def late(chunks: Any) -> Any:
        yield "begun"
        raise ValueError("late")

    seen: list[Any] = []
    step = RunnableGenerator(late).with_fallbacks([seen.append])
    with pytest.raises(ValueError, match="late"):
        world.stream(step, "x")
    assert seen == []


def test_an_error_of_the_input_is_not_taken_for_one_of_the_step(world: Any) -> None:
    def source(chunks: Any) -> Any:
        yield "a"
        raise ValueError("the source broke")

    step = RunnableGenerator(source) | RunnableLambda(len).with_fallbacks([lambda value: "made up"])
    with pytest.raises(ValueError, match="the source broke"):
        world.stream(step, "x")


def test_a_call_by_the_wrong_door_is_never_hidden() -> None:
    import asyncio

    async def waits(value: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    step = RunnableLambda(waits).with_fallbacks([lambda value: "hidden"])
    with pytest.raises(SuspendedError):
        step.invoke(1)


def test_listeners_hear_of_the_fallback_and_see_its_run_tagged(world: Any) -> None:
    events: list[Any] = []
    step = first.with_fallbacks([RunnableLambda(lambda value: value, name="second")])
    world.invoke(step, 1, {"callbacks": [events.append]})
    [note] = [event.payload for event in events if event.kind == "noted"]
    assert note["name"] == "fallback"
    assert note["data"]["step"] == "second"
    assert events[-2].tags == ("fallback:1",)


def test_a_method_reaches_all_members_that_have_it(world: Any) -> None:
    class Model(RunnableLambda[Any, Any]):
        def bind_tools(self, tools: list[str]) -> Any:
            return Model(lambda value: [*tools, self.func(value)])  # type: ignore[misc]

    plain = RunnableLambda(lambda value: "sorry")
    step = Model(fail).with_fallbacks([Model(lambda value: value)]).bind_tools(["t"])
    assert world.invoke(step, 1) == ["t", 1]
    assert world.invoke(Model(fail).with_fallbacks([plain]).bind_tools(["t"]), 1) == "sorry"


def test_arguments_of_a_call_reach_all_members(world: Any) -> None:
    def refuse(value: int, by: int = 1) -> int:
        raise ValueError(by)

    step = RunnableLambda(refuse).with_fallbacks([lambda value, by=1: value * by])
    assert world.invoke(step.bind(by=3), 2) == 6


def is_empty(answer: str) -> bool:
    return not answer


def says_first(error: Exception) -> bool:
    return "first" in str(error)


@pytest.mark.parametrize(
    "options", [{"fallback_on": is_empty}, {"fallback_if_result": lambda text: not text}]
)
def test_an_answer_that_a_predicate_refuses_is_another_steps_to_give(
    world: Any, options: Any
) -> None:
    step = RunnableLambda(lambda _: "").with_fallbacks([lambda _: "", lambda _: "ok"], **options)
    assert world.invoke(step, 0) == "ok"
    assert world.stream(step, 0) == ["ok"]


def test_a_refused_answer_is_raised_where_none_is_accepted(world: Any) -> None:
    step = RunnableLambda(lambda _: "").with_fallbacks([fail], fallback_on=[is_empty, says_first])
    with pytest.raises(AnswerRejectedError, match="`is_empty` refused the answer ''") as caught:
        world.invoke(step, 0)
    assert caught.value.__notes__ == ["fallback `fail` failed too: ValueError: the first failed"]


def test_functions_are_told_apart_by_what_they_take(world: Any) -> None:
    step = first.with_fallbacks([fail_otherwise, lambda _: "ok"], fallback_on=[says_first])
    with pytest.raises(OSError, match="second"):
        world.invoke(step, 0)


def test_no_step_begins_after_the_deadline(world: Any) -> None:
    called: list[Any] = []
    step = first.with_fallbacks([called.append])

    async def work(io: Any) -> None:
        await Run(io, Budget(), Scope()).bounded(NO_BOUNDS.within(-1)).invoke(step, 7)

    with pytest.raises(ValueError, match="first"):
        world.run(work)
    assert called == []


def test_what_cannot_be_a_fallback_or_handled_is_refused() -> None:
    with pytest.raises(InputError, match="list of Runnables"):
        first.with_fallbacks(first)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="KeyboardInterrupt"):
        first.with_fallbacks([first], exceptions_to_handle=(KeyboardInterrupt,))
    with pytest.raises(InputError, match="annotate its parameter"):
        first.with_fallbacks([first], fallback_on=lambda unknown: True)
