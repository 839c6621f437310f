"""How many requests a failing provider gets under each policy: none more, and none lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from faults import Until, good, half, refused, reset, silent
from pydantic import BaseModel

from headrace import RunnableLambda, RunnableParallel, StrOutputParser
from headrace.engine.aio import AsyncWorld
from headrace.engine.sync import SyncWorld
from headrace.errors import HeadraceError, ModelError, ModelRateLimitError
from headrace_openai import ChatOpenAI

INPUTS = ["a", "b", "c"]


class City(BaseModel):
    name: str


class Models:
    """Makes models of one server, and closes them with the test."""

    def __init__(self, url: str) -> None:
        self._url, self._made = url, list[ChatOpenAI]()

    def __call__(self, retries: int = 2) -> Any:
        model = ChatOpenAI(
            model="m", api_key="k", base_url=self._url, max_retries=retries, timeout=5
        )
        self._made.append(model)
        return model

    def close(self) -> None:
        for model in self._made:
            model.close()


@pytest.fixture
def models(serve: Any) -> Iterator[Callable[..., Any]]:
    made: list[Models] = []

    def begin(*answers: Any) -> tuple[Models, Any]:
        wire = serve(*answers)
        made.append(Models(wire.url))
        return made[-1], wire

    yield begin
    for each in made:
        each.close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which none of these tests sits through."""
    slept: list[float] = []

    async def sleep(self: Any, seconds: float, scope: Any = None) -> None:
        slept.append(seconds)

    monkeypatch.setattr(SyncWorld, "sleep", sleep)
    monkeypatch.setattr(AsyncWorld, "sleep", sleep)
    return slept


# What is called, and how many requests it may make of an input: while all fail in a way that may
# pass, and when the first fails in a way that does not.
POLICIES: dict[str, tuple[Callable[[Models], Any], int, int]] = {
    "none": (lambda m: m(0), 1, 1),
    "own": (lambda m: m(2), 3, 1),
    "with_retry": (lambda m: m(2).with_retry(stop_after_attempt=4), 4, 1),
    "with_retry, no attempts of its own": (lambda m: m(0).with_retry(stop_after_attempt=2), 2, 1),
    "in a chain": (lambda m: m().with_retry(stop_after_attempt=2) | StrOutputParser(), 2, 1),
    "around a chain": (lambda m: (m() | StrOutputParser()).with_retry(stop_after_attempt=2), 2, 1),
    "around a function": (
        lambda m: RunnableLambda(lambda x: m()).with_retry(stop_after_attempt=2), 2, 1
    ),
    "twice": (lambda m: m().with_retry().with_retry(stop_after_attempt=2), 2, 1),
    "inside a schema": (
        lambda m: m().with_retry(stop_after_attempt=2).with_structured_output(City), 2, 1
    ),
    "around a schema": (
        lambda m: m().with_structured_output(City).with_retry(stop_after_attempt=2), 2, 1
    ),
    "under more": (
        lambda m: m().with_retry(stop_after_attempt=2).bind(temperature=1).with_timeout(total=60),
        2, 1,
    ),
    "fallbacks": (lambda m: m().with_fallbacks([m(1)]), 5, 2),
    "fallbacks with retries inside": (
        lambda m: m().with_retry(stop_after_attempt=2).with_fallbacks([m().with_retry()]), 5, 2
    ),
    "fallbacks in a retry": (
        lambda m: m().with_fallbacks([m()]).with_retry(stop_after_attempt=2), 4, 2
    ),
    "fallback chains in a retry": (
        lambda m: (m() | str).with_fallbacks([m() | str]).with_retry(stop_after_attempt=2), 4, 2
    ),
    "parallel": (lambda m: RunnableParallel(a=m().with_retry(stop_after_attempt=2)), 2, 1),
}  # fmt: skip


async def _chunks(step: Any) -> list[Any]:
    async with step.astream("a") as chunks:
        return [chunk async for chunk in chunks]


async def _pairs(step: Any) -> list[Any]:
    async with step.abatch_as_completed(INPUTS, return_exceptions=True) as pairs:
        return [pair async for pair in pairs]


DOORS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "invoke": (lambda s: s.invoke("a"), 1),
    "ainvoke": (lambda s: asyncio.run(s.ainvoke("a")), 1),
    "stream": (lambda s: list(s.stream("a")), 1),
    "astream": (lambda s: asyncio.run(_chunks(s)), 1),
    "batch": (lambda s: s.batch(INPUTS, return_exceptions=True), 3),
    "abatch": (lambda s: asyncio.run(s.abatch(INPUTS, return_exceptions=True)), 3),
    "batch_as_completed": (
        lambda s: list(s.batch_as_completed(INPUTS, return_exceptions=True)), 3
    ),
    "abatch_as_completed": (lambda s: asyncio.run(_pairs(s)), 3),
}  # fmt: skip

PASSING = {
    "busy": refused(429, retry_after_ms="3"),
    "down": refused(500),
    "reset": reset,
}
LASTING = {
    "denied": refused(401),
    "tomorrow": refused(429, retry_after="3600"),
    "no quota": refused(429, code="insufficient_quota", retry_after="0"),
}


def called(door: str, step: Any) -> tuple[list[Any], list[HeadraceError]]:
    """What a door gave: values, and errors."""
    try:
        found = DOORS[door][0](step)
    except HeadraceError as error:
        return [], [error]
    if door.endswith("as_completed"):
        assert sorted(index for index, _ in found) == [0, 1, 2]
        found = [value for _, value in found]
    given = found if isinstance(found, list) else [found]
    errors = [value for value in given if isinstance(value, HeadraceError)]
    return [value for value in given if not isinstance(value, HeadraceError)], errors


def check_lasting(policy: str, fault: str, door: str, models: Any) -> None:
    make, attempts, _ = POLICIES[policy]
    made, wire = models(PASSING[fault])
    values, errors = called(door, make(made))
    inputs = DOORS[door][1]
    assert (values, len(errors), len(wire.requests)) == ([], inputs, attempts * inputs)
    assert all(isinstance(error, ModelError) for error in errors)


BY_EVERY_DOOR = ("own", "with_retry", "fallbacks")
LASTING_CASES = [
    (policy, door)
    for policy in POLICIES
    for door in DOORS
    if policy in BY_EVERY_DOOR or door in ("invoke", "astream", "batch", "abatch_as_completed")
]


@pytest.mark.parametrize(("policy", "door"), LASTING_CASES)
def test_a_lasting_failure_gets_the_requests_of_its_policy_and_no_more(
    policy: str, door: str, models: Any
) -> None:
    check_lasting(policy, "down", door, models)


@pytest.mark.parametrize("door", ["invoke", "astream", "batch", "abatch_as_completed"])
@pytest.mark.parametrize("fault", ["busy", "reset"])
@pytest.mark.parametrize("policy", ["own", "with_retry"])
def test_whatever_the_failure_is(policy: str, fault: str, door: str, models: Any) -> None:
    check_lasting(policy, fault, door, models)


@pytest.mark.parametrize("door", ["ainvoke", "stream", "abatch"])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_failure_that_passes_costs_no_answer(policy: str, door: str, models: Any) -> None:
    make, attempts, _ = POLICIES[policy]
    made, wire = models(Until(attempts - 1, refused(503)))
    values, errors = called(door, make(made))
    inputs = DOORS[door][1]
    assert (bool(values), errors, len(wire.requests)) == (True, [], attempts * inputs)


@pytest.mark.parametrize("door", ["invoke", "astream"])
@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("policy", ["own", "with_retry", "fallbacks in a retry"])
def test_what_trying_again_cannot_help_is_not_tried_again(
    policy: str, fault: str, door: str, models: Any, waits: list[float]
) -> None:
    make, _, attempts = POLICIES[policy]
    made, wire = models(LASTING[fault])
    called(door, make(made))
    assert len(wire.requests) == attempts
    assert waits == []


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "Fri, 01 Jan 2021 00:00:00 GMT"}, 0.0),
    ],
)
@pytest.mark.parametrize("door", ["invoke", "astream"])
def test_the_wait_that_a_service_asks_for_is_the_one_that_is_made(
    door: str, headers: Any, wait: float, models: Any, waits: list[float]
) -> None:
    made, _ = models(Until(1, refused(429, **headers)))
    values, _ = called(door, made(1))
    assert values
    assert waits == [wait]


def test_without_that_waits_grow_and_differ(models: Any, waits: list[float]) -> None:
    made, _ = models(refused(500))
    called("invoke", made(4))
    assert all(low <= wait <= low + 0.5 for low, wait in zip([0.5, 1, 2, 4], waits, strict=True))


@pytest.mark.parametrize("door", ["stream", "astream"])
def test_a_stream_is_not_asked_for_again_after_its_first_chunk(door: str, models: Any) -> None:
    made, wire = models(Until(1, half))
    _, errors = called(door, made(2).with_retry())
    assert [error.partial.text for error in errors] == ["half an answer"]
    assert len(wire.requests) == 1


@pytest.mark.parametrize("door", ["stream", "astream"])
def test_held_back_it_is_and_none_of_the_half_is_seen(door: str, models: Any) -> None:
    made, wire = models(Until(1, half))
    values, errors = called(door, made(2).with_retry(retry_after_first_chunk=True))
    assert ("".join(chunk.text for chunk in values), errors) == ("whole", [])
    assert len(wire.requests) == 2


@pytest.mark.parametrize("door", ["invoke", "ainvoke"])
def test_a_half_answer_to_an_invoke_is_asked_for_again_with_or_without_listeners(
    door: str, models: Any
) -> None:
    for callbacks in ([], [lambda event: None]):
        made, wire = models(Until(1, half))
        values, _ = called(door, made(2).with_config(callbacks=callbacks))
        assert (values[0].text, len(wire.requests)) == ("whole", 2)


@pytest.mark.parametrize("door", ["invoke", "astream"])
def test_listeners_see_each_attempt_with_its_number_and_its_wait(door: str, models: Any) -> None:
    told: list[Any] = []

    def listen(event: Any) -> None:
        if event.kind == "noted" and event.payload["name"] == "retry":
            told.append(event.payload["data"])

    made, _ = models(Until(2, refused(429, retry_after="2")))
    called(door, made(2).with_config(callbacks=[listen]))
    assert [(data["attempt"], data["wait_s"]) for data in told] == [(1, 2.0), (2, 2.0)]
    assert all(isinstance(data["error"], ModelRateLimitError) for data in told)


@pytest.mark.parametrize("door", ["batch", "abatch", "batch_as_completed", "abatch_as_completed"])
def test_every_input_of_a_batch_is_accounted_for(door: str, models: Any) -> None:
    def some(handler: Any) -> None:
        fails = handler.body["messages"][-1]["content"] == "b"
        (refused(400) if fails else good)(handler)

    made, wire = models(some)
    values, errors = called(door, made(2))
    assert (len(values), len(errors), len(wire.requests)) == (2, 1, 3)


@pytest.mark.parametrize("door", ["invoke", "ainvoke", "stream", "astream"])
def test_the_total_ends_all_attempts_of_a_service_that_hangs(door: str, models: Any) -> None:
    made, wire = models(silent)
    _, errors = called(door, made(9).with_timeout(first_chunk=0.05, total=0.12).with_retry())
    assert errors
    assert 1 <= len(wire.requests) <= 3 * 3
