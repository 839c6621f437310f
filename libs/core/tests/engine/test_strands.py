"""The budget of strands, scopes that are called off, and fans that hire."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.engine.strands import Budget, Fan, Scope


def taken(budget):
    """How many strands the budget still gives."""
    return len(list(itertools.takewhile(lambda _: budget.take(), itertools.count())))


def test_the_caller_is_the_first_strand() -> None:
    assert taken(Budget(3)) == 2
    assert taken(Budget(1)) == 0


def test_a_strand_given_back_can_be_taken_again() -> None:
    budget = Budget(2)
    budget.take()
    budget.give()
    assert taken(budget) == 1


@pytest.mark.parametrize(("inner", "outer"), [(2, 9), (9, 2), (4, 4)])
def test_a_nested_budget_gives_no_more_than_either(inner, outer) -> None:
    assert taken(Budget(inner, Budget(outer))) == min(inner, outer) - 1


@given(st.lists(st.booleans()))
def test_nested_budgets_hold_the_same_however_they_were_used(moves) -> None:
    outer = Budget(4)
    inner, held = Budget(3, outer), 0
    for take in moves:
        if take:
            held += inner.take()
        elif held:
            inner.give()
            held -= 1
    for _ in range(held):
        inner.give()
    assert (inner._spare, outer._spare) == (2, 3)


def hirer(budget, log, name):
    """Takes a strand when offered, and notes it."""

    def hire():
        if not budget.take():
            return False
        log.append(name)
        return True

    return hire


def test_a_strand_given_back_is_offered_to_whoever_waits_longest() -> None:
    budget, log = Budget(2), []
    budget.take()
    budget.enlist(hirer(budget, log, "first"))
    budget.enlist(hirer(budget, log, "second"))
    budget.give()
    assert log == ["first"]


def test_who_has_left_is_offered_nothing() -> None:
    budget, log = Budget(2), []
    first = hirer(budget, log, "first")
    budget.take()
    budget.enlist(first)
    budget.enlist(hirer(budget, log, "second"))
    budget.leave(first)
    budget.leave(first)
    budget.give()
    assert log == ["second"]


def test_a_strand_that_the_longest_waiting_may_not_use_goes_to_the_next() -> None:
    outer, log = Budget(3), []
    full = Budget(1, outer)
    outer.take()
    full.enlist(hirer(full, log, "full"))
    outer.enlist(hirer(outer, log, "next"))
    outer.give()
    assert log == ["next"]


def test_a_strand_given_back_inside_is_offered_outside_too() -> None:
    outer, log = Budget(2), []
    inner = Budget(2, outer)
    outer.enlist(hirer(outer, log, "outside"))
    inner.take()
    inner.give()
    assert log == ["outside"]


def test_a_scope_is_stopped_with_any_scope_around_it() -> None:
    outer = Scope()
    inner = Scope(Scope(outer))
    assert not inner.stopped
    outer.stop()
    assert inner.stopped


def test_a_scope_that_is_stopped_leaves_those_around_it() -> None:
    outer = Scope()
    Scope(outer).stop()
    assert not outer.stopped


def test_a_fan_gives_each_item_once() -> None:
    fan = Fan(range(3), Budget(1), lambda: None, 3)
    assert [fan.pull() for _ in range(5)] == [(0,), (1,), (2,), None, None]


def test_a_fan_hires_while_there_is_work_and_budget() -> None:
    started = []
    fan = Fan(range(2), Budget(3), lambda: started.append(1), 2)
    assert [fan.hire() for _ in range(3)] == [True, True, False]
    fan.pull()
    fan.pull()
    assert not fan.hire()
    assert len(started) == 2


def test_a_fan_is_offered_strands_until_its_last_item_is_pulled() -> None:
    budget, started = Budget(2), []
    fan = Fan(range(2), budget, lambda: started.append(1), 2)
    fan.enlist()
    budget.take()
    fan.pull()
    budget.give()
    fan.pull()
    budget.give()
    assert len(started) == 1


def test_a_fan_is_offered_nothing_before_it_asks_for_it() -> None:
    budget, started = Budget(2), []
    Fan(range(2), budget, lambda: started.append(1), 2)
    budget.take()
    budget.give()
    assert started == []


def test_a_fan_whose_helper_cannot_be_started_keeps_no_strand() -> None:
    def start():
        raise RuntimeError("can't start new thread")

    budget = Budget(2)
    assert not Fan(range(2), budget, start, 2).hire()
    assert budget._spare == 1


def test_an_error_of_the_source_is_raised_and_ends_the_fan() -> None:
    def source():
        yield 1
        raise KeyError("x")

    fan = Fan(source(), Budget(1), lambda: None, None)
    fan.pull()
    with pytest.raises(KeyError):
        fan.pull()
    assert fan.pull() is None


def test_a_closed_fan_pulls_nothing_more() -> None:
    source = iter(range(3))
    fan = Fan(source, Budget(1), lambda: None, 3)
    fan.pull()
    fan.close()
    assert fan.pull() is None
    assert next(source) == 1


def test_closing_a_fan_does_not_wait_for_its_source() -> None:
    asked, go = threading.Event(), threading.Event()

    def source():
        asked.set()
        go.wait(10)
        yield 1

    fan, found = Fan(source(), Budget(2), lambda: None, None), []
    thread = threading.Thread(target=lambda: found.append(fan.pull()))
    thread.start()
    assert asked.wait(10)
    fan.close()
    assert fan.stuck == 1
    go.set()
    thread.join(10)
    assert found == [None]


def test_a_source_that_is_no_iterator_of_threads_is_pulled_by_one_thread_at_a_time() -> None:
    # A generator that is entered twice at once raises ValueError.
    fan, found = Fan((n for n in range(2000)), Budget(9), lambda: None, None), []

    def work():
        while (item := fan.pull()) is not None:
            found.append(item[0])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(found) == list(range(2000))
