"""What listeners see of steps that work, stream, fail and are left."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from headrace.engine.events import KINDS
from headrace.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)


class Heard(list):
    raise_errors = True
    wants = KINDS

    def handle(self, event):
        self.append(event)

    def of(self, name):
        return [event for event in self if event.name == name]

    def kinds(self, name):
        return [event.kind for event in self.of(name)]


@pytest.fixture
def heard():
    return Heard()


def letters(chunks):
    for chunk in chunks:
        yield from chunk


def named(function, name):
    return RunnableLambda(function, name=name)


def test_a_step_that_is_invoked_tells_its_start_and_its_end(world: Any, heard) -> None:
    world.invoke(named(str, "step"), 1, {"callbacks": [heard]})
    assert heard.kinds("step") == ["started", "ended"]
    assert [event.payload for event in heard] == [{"input": 1}, {"output": "1", "input": 1}]


def test_a_step_that_streams_tells_each_chunk_and_their_sum(world: Any, heard) -> None:
    world.stream(RunnableGenerator(letters), "ab", {"callbacks": [heard]})
    assert heard.kinds("letters") == ["started", "chunked", "chunked", "ended"]
    assert heard[0].payload == {"input": "ab", "streamed": True}
    assert heard[-1].payload == {"output": "ab", "input": "ab"}


def test_a_step_inside_a_stream_tells_the_sum_of_its_input_when_it_has_it(
    world: Any, heard
) -> None:
    step = RunnableGenerator(letters) | RunnablePassthrough()
    world.stream(step, "ab", {"callbacks": [heard]})
    start, *_, end = heard.of("RunnablePassthrough")
    assert start.payload == {"input": None, "streamed": True}
    assert end.payload == {"output": "ab", "input": "ab"}


def test_a_step_that_fails_tells_the_error_in_place_of_an_end(world: Any, heard) -> None:
    error = KeyError("x")

    def fails(x):
        raise error

    for door in (world.invoke, world.stream):
        heard.clear()
        with pytest.raises(KeyError):
            door(named(fails, "step"), 1, {"callbacks": [heard]})
        assert heard.kinds("step") == ["started", "failed"]
        assert heard[-1].payload["error"] is error


def test_a_stream_that_is_left_tells_an_end_whose_reason_is_that(world: Any, heard) -> None:
    step = RunnableGenerator(letters) | RunnablePassthrough()
    world.read(step, "abc", 2, {"callbacks": [heard]})
    ends = [event for event in heard if event.kind == "ended"]
    assert {event.name for event in ends} == {
        "letters",
        "RunnablePassthrough",
        "RunnableSequence",
    }
    assert {event.payload["reason"] for event in ends} == {"closed"}
    assert {event.payload["output"] for event in ends} == {"ab"}


def tree():
    return RunnableParallel(
        a=named(str, "a") | named(len, "b"),
        c=RunnableGenerator(lambda chunks: chunks, name="d"),
    ) | named(lambda x: named(lambda y: y, "f").invoke(x), "e")


@pytest.mark.parametrize("door", ["invoke", "stream"])
def test_parents_start_before_and_end_after_their_children(world: Any, heard, door) -> None:
    getattr(world, door)(tree(), "ab", {"callbacks": [heard]})
    for event in heard:
        if event.parent_ids:
            own = [other.seq for other in heard if other.run_id == event.parent_ids[-1]]
            assert min(own) < event.seq < max(own)


@pytest.mark.parametrize("door", ["invoke", "stream"])
def test_events_below_one_root_are_numbered_without_gaps(world: Any, heard, door) -> None:
    getattr(world, door)(tree(), "ab", {"callbacks": [heard]})
    assert sorted(event.seq for event in heard) == list(range(1, len(heard) + 1))
    assert len({event.parent_ids[0] for event in heard if event.parent_ids}) == 1


@pytest.mark.parametrize("door", ["invoke", "stream"])
def test_the_events_of_each_run_are_in_order(world: Any, heard, door) -> None:
    getattr(world, door)(tree(), "ab", {"callbacks": [heard]})
    for _, events in itertools.groupby(sorted(heard, key=lambda e: e.run_id), lambda e: e.run_id):
        told = sorted(events, key=lambda e: e.seq)
        kinds = [event.kind for event in told if event.kind != "chunked"]
        assert kinds == ["started", "ended"]
        assert (told[0].kind, told[-1].kind) == ("started", "ended")


def test_steps_are_tagged_by_where_they_stand(world: Any, heard) -> None:
    step = named(str, "a") | {"x": named(len, "b")}
    world.invoke(step, 1, {"callbacks": [heard], "tags": ["t"]})
    assert {event.name: event.tags for event in heard} == {
        "RunnableSequence": ("t",),
        "a": ("t", "seq:step:1"),
        "RunnableParallel": ("t", "seq:step:2"),
        "b": ("t", "map:key:x"),
    }


def test_a_step_cut_off_by_its_siblings_error_tells_that_it_failed(world: Any, heard) -> None:
    began = threading.Event()

    def slow(chunks):
        began.set()
        for chunk in chunks:
            yield from itertools.repeat(chunk)

    def fails(x):
        began.wait(10)
        raise KeyError(x)

    step = RunnableParallel(slow=RunnableGenerator(slow), fails=named(fails, "fails"))
    with pytest.raises(KeyError):
        world.stream(step, 1, {"callbacks": [heard]})
    assert heard.kinds("fails") == ["started", "failed"]
    assert [kind for kind in heard.kinds("slow") if kind != "chunked"] in (
        ["started", "failed"],
        ["started", "ended"],
    )


def test_runs_have_ids_only_where_somebody_listens(world: Any, heard) -> None:
    def ids(x, run):
        return run.id

    assert world.invoke(RunnableLambda(ids), 1) is None
    assert world.invoke(RunnableLambda(ids), 1, {"callbacks": [heard]}) == heard[0].run_id


def test_listeners_of_one_step_hear_it_and_nothing_inside_it(world: Any, heard) -> None:
    step = (named(str, "a") | named(len, "b")).with_listeners(on_end=heard.append)
    world.invoke(named(str, "before") | step, 1)
    assert [(event.name, event.kind) for event in heard] == [("RunnableSequence", "ended")]


def test_an_error_that_a_listener_asked_to_raise_fails_the_run(world: Any) -> None:
    class Strict(Heard):
        def handle(self, event):
            if event.name == "b" and event.kind == "started":
                raise KeyError("listener")

    with pytest.raises(KeyError, match="listener"):
        world.invoke(named(str, "a") | named(len, "b"), 1, {"callbacks": [Strict()]})
