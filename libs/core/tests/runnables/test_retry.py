"""Trying again: how often, after which errors, and what a stream may still do."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.engine.bounds import NO_BOUNDS
from headrace.engine.run import Run
from headrace.engine.strands import Budget, Scope
from headrace.errors import (
    AnswerRejectedError,
    InputError,
    ModelAuthenticationError,
    ModelRateLimitError,
    OutputParserError,
    UsageLimitExceeded,
)
from headrace.runnables import RunnableGenerator, RunnableLambda, RunnableParallel

FAST = {"initial": 0.0, "max": 0.0, "jitter": 0.0}


class Failing:
    """A function that raises each of `errors` once, then gives its input back."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0

    def __call__(self, value: Any) -> Any:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return value


def retried(function: Any, **options: Any) -> Any:
    return RunnableLambda(function).with_retry(exponential_jitter_params=FAST, **options)


def test_a_step_is_tried_again_until_it_succeeds(world: Any) -> None:
    function = Failing(ValueError("one"), OSError("two"))
    assert world.invoke(retried(function), 7) == 7
    assert function.calls == 3


def test_the_last_error_is_raised_after_the_last_attempt(world: Any) -> None:
    function = Failing(ValueError("one"), ValueError("two"), ValueError("three"))
    with pytest.raises(ValueError, match="two"):
        world.invoke(retried(function, stop_after_attempt=2), 7)
    assert function.calls == 2


@pytest.mark.parametrize(
    "error",
    [ModelAuthenticationError("bad key"), InputError("wrong"), UsageLimitExceeded("used up")],
)
def test_an_error_that_trying_again_cannot_help_is_raised_at_once(
    world: Any, error: Exception
) -> None:
    function = Failing(error)
    with pytest.raises(type(error)):
        world.invoke(retried(function), 7)
    assert function.calls == 1


def test_an_answer_that_could_not_be_read_is_tried_again(world: Any) -> None:
    assert world.invoke(retried(Failing(OutputParserError("no JSON"))), 7) == 7


def test_only_errors_of_the_given_types_are_tried_again(world: Any) -> None:
    function = Failing(ValueError("other"))
    with pytest.raises(ValueError, match="other"):
        world.invoke(retried(function, retry_if_exception_type=(OSError,)), 7)
    assert function.calls == 1


def test_a_predicate_of_the_error_decides(world: Any) -> None:
    function = Failing(ValueError("again"), ValueError("enough"))
    step = retried(function, retry_if_exception_type=lambda error: "again" in str(error))
    with pytest.raises(ValueError, match="enough"):
        world.invoke(step, 7)


def test_retry_after_says_how_long_to_wait_and_listeners_are_told(world: Any) -> None:
    notes: list[Any] = []
    step = retried(Failing(ModelRateLimitError("slow down", retry_after=0.001)))
    world.invoke(step, 7, {"callbacks": [lambda event: notes.append(event)]})
    [note] = [event.payload for event in notes if event.kind == "noted"]
    assert note["name"] == "retry"
    assert note["data"]["attempt"] == 1
    assert note["data"]["wait_s"] == 0.001


def test_a_wait_beyond_the_patience_is_raised_and_not_slept(world: Any) -> None:
    function = Failing(ModelRateLimitError("tomorrow", retry_after=61))
    with pytest.raises(ModelRateLimitError) as caught:
        world.invoke(retried(function), 7)
    assert function.calls == 1
    assert caught.value.__notes__ == ["not tried again: the service asks to wait for 61 s"]


def test_the_error_says_after_how_many_attempts_it_was_raised(world: Any) -> None:
    with pytest.raises(ValueError, match="again") as caught:
        world.invoke(retried(Failing(*[ValueError("again")] * 3)), 7)
    assert caught.value.__notes__[-1] == "gave up after 3 attempts"


def test_a_wait_that_would_end_after_the_deadline_is_not_begun(world: Any) -> None:
    function = Failing(ModelRateLimitError("busy", retry_after=40))
    step = retried(function)

    async def work(io: Any) -> None:
        run = Run(io, Budget(), Scope()).bounded(NO_BOUNDS.within(30))
        await run.invoke(step, 7)

    with pytest.raises(ModelRateLimitError) as caught:
        world.run(work)
    assert function.calls == 1
    assert "40 s to wait" in caught.value.__notes__[0]


def is_odd(answer: int) -> bool:
    return answer % 2 == 1


def is_busy(error: OSError | ValueError) -> bool:
    return "busy" in str(error)


def counting(*answers: Any) -> Any:
    left = list(answers)

    def function(_: Any) -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return function


@pytest.mark.parametrize("options", [{"retry_on": is_odd}, {"retry_if_result": lambda n: n % 2}])
def test_an_answer_that_a_predicate_refuses_is_asked_for_again(world: Any, options: Any) -> None:
    assert world.invoke(retried(counting(1, 3, 4), **options), None) == 4


def test_a_refused_answer_is_never_lost_but_raised_in_the_end(world: Any) -> None:
    with pytest.raises(AnswerRejectedError, match="`is_odd` refused the answer 5") as caught:
        world.invoke(retried(counting(1, 3, 5), retry_on=is_odd), None)
    assert caught.value.answer == 5


def test_functions_are_told_apart_by_what_they_take(world: Any) -> None:
    step = retried(counting(OSError("busy"), 1, OSError("dead")), retry_on=[is_busy, is_odd])
    with pytest.raises(OSError, match="dead"):
        world.invoke(step, None)


def test_errors_are_not_reason_enough_where_only_answers_are_named(world: Any) -> None:
    with pytest.raises(OSError, match="busy"):
        world.invoke(retried(counting(OSError("busy"), 4), retry_on=is_odd), None)


def test_one_retry_inside_another_adds_no_attempts(world: Any) -> None:
    function = Failing(*[ValueError()] * 9)
    inner = retried(function, stop_after_attempt=2)
    with pytest.raises(ValueError):
        world.invoke(
            (inner | len).with_retry(exponential_jitter_params=FAST, stop_after_attempt=3), 7
        )
    assert function.calls == 3


def test_an_error_that_the_outer_retry_does_not_want_is_left_to_the_inner_one(world: Any) -> None:
    function = Failing(*[ValueError()] * 9)
    inner = retried(function, stop_after_attempt=2)
    with pytest.raises(ValueError):
        world.invoke(inner.with_retry(retry_if_exception_type=OSError), 7)
    assert function.calls == 2


def test_each_attempt_is_a_run_tagged_with_its_number_below_one_run(world: Any) -> None:
    events: list[Any] = []
    world.invoke(retried(Failing(ValueError())), 7, {"callbacks": [events.append]})
    outer, *attempts = [event for event in events if event.kind == "started"]
    assert [event.tags for event in attempts] == [(), ("retry:attempt:2",)]
    assert all(event.parent_ids == (outer.run_id,) for event in attempts)


def test_a_stream_is_tried_again_before_its_first_chunk(world: Any) -> None:
    failing = Failing(ValueError("early"))

    def generate(chunks: Any) -> Any:
        for chunk in chunks:
            yield failing(chunk)

    step = RunnableGenerator(generate).with_retry(exponential_jitter_params=FAST)
    assert world.transform(step, ["a", "b"]) == ["a", "b"]


def test_a_stream_is_not_tried_again_after_its_first_chunk(world: Any) -> None:
    calls = []

    def generate(chunks: Any) -> Any:
        calls.append(1)
        yield "begun"
        raise ValueError("late")

    step = RunnableGenerator(generate).with_retry(exponential_jitter_params=FAST)
    with pytest.raises(ValueError, match="late"):
        world.stream(step, "x")
    assert len(calls) == 1


def test_a_stream_held_back_is_tried_again_after_its_first_chunk_too(world: Any) -> None:
    failing = Failing(ValueError("late"))

    def generate(chunks: Any) -> Any:
        yield f"{failing.calls} "
        failing(None)
        yield "done"

    step = RunnableGenerator(generate).with_retry(
        exponential_jitter_params=FAST, retry_after_first_chunk=True
    )
    assert world.stream(step, "x") == ["1 ", "done"]


def test_the_sum_of_a_stream_is_what_a_predicate_of_answers_sees(world: Any) -> None:
    calls: list[int] = []

    def generate(chunks: Any) -> Any:
        calls.append(1)
        yield "half "
        yield f"{len(calls)}"

    step = RunnableGenerator(generate).with_retry(
        exponential_jitter_params=FAST, retry_if_result=lambda text: text == "half 1"
    )
    assert world.stream(step, "x") == ["half ", "2"]


def test_an_attempt_reads_the_chunks_that_the_failed_one_had_read(world: Any) -> None:
    failing = Failing(ValueError("after two"))

    def generate(chunks: Any) -> Any:
        first, second = next(chunks), next(chunks)
        failing(None)
        yield first + second
        yield from chunks

    def source(chunks: Any) -> Any:
        yield from "abcd"

    step = RunnableGenerator(source) | RunnableGenerator(generate).with_retry(
        exponential_jitter_params=FAST
    )
    assert world.stream(step, "x") == ["ab", "c", "d"]


def test_an_error_of_the_input_is_not_taken_for_one_of_the_step(world: Any) -> None:
    opened = []

    def source(chunks: Any) -> Any:
        yield "a"
        raise ValueError("the source broke")

    def gather(chunks: Any) -> Any:
        opened.append(1)
        yield "".join(chunks)

    step = RunnableGenerator(source) | RunnableGenerator(gather).with_retry(
        exponential_jitter_params=FAST
    )
    with pytest.raises(ValueError, match="the source broke"):
        world.stream(step, "x")
    assert len(opened) == 1


def test_a_batch_tries_only_the_failed_items_again(world: Any) -> None:
    seen: list[int] = []

    def function(value: int) -> int:
        seen.append(value)
        if value == 2 and seen.count(2) == 1:
            raise ValueError
        return value

    assert world.batch(retried(function), [1, 2, 3]) == [1, 2, 3]
    assert sorted(seen) == [1, 2, 2, 3]


def test_arguments_of_a_call_reach_the_step_inside(world: Any) -> None:
    step = retried(lambda value, by=1: value * by)
    assert world.invoke(step, 7, by=3) == 21
    assert world.invoke(step.bind(by=2), 7) == 14


def test_a_method_that_makes_a_runnable_gives_one_that_is_tried_again(world: Any) -> None:
    class Model(RunnableLambda[Any, Any]):
        def bind_tools(self, tools: list[str]) -> Any:
            return Model(lambda value: (self.func(value), tools))  # type: ignore[misc]

    step = Model(Failing(ValueError())).with_retry(exponential_jitter_params=FAST)
    assert world.invoke(step.bind_tools(["t"]), 7) == (7, ["t"])


def test_its_parts_are_cancelled_together_and_tried_again_together(world: Any) -> None:
    step = RunnableParallel(a=lambda x: x, b=Failing(ValueError()))
    retry = step.with_retry(exponential_jitter_params=FAST)
    assert world.invoke(retry, 7) == {"a": 7, "b": 7}


@pytest.mark.parametrize(
    "options",
    [
        {"stop_after_attempt": 0},
        {"exponential_jitter_params": {"inital": 1}},
        {"retry_on": [ValueError, 7]},
        {"retry_on": lambda unknown: True},
        {"retry_if_exception_type": KeyboardInterrupt},
        {"retry_if_result": str},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        RunnableLambda(lambda x: x).with_retry(**options)
