"""Values built once for their key."""

from __future__ import annotations

import copy
import pickle
import threading

from headrace.engine.recent import Guard, Recent


def test_a_value_is_built_once_for_its_key() -> None:
    recent: Recent[object] = Recent(2)
    assert recent.get("a", object) is recent.get("a", object)


def test_of_many_values_those_used_last_are_kept() -> None:
    recent, built = Recent[str](2), list[str]()

    def get(key: str) -> None:
        recent.get(key, lambda: built.append(key) or key)  # type: ignore[func-returns-value]

    for key in "abacab":
        get(key)
    assert built == ["a", "b", "c", "b"]


def test_threads_that_ask_at_once_get_one_value() -> None:
    recent: Recent[object] = Recent(1)
    started, found = threading.Barrier(8), list[object]()

    def ask() -> None:
        started.wait()
        found.append(recent.get("a", object))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_a_build_that_fails_is_tried_again_when_asked_again() -> None:
    recent: Recent[int] = Recent(1)
    try:
        recent.get("a", lambda: 1 // 0)
    except ZeroDivisionError:
        assert recent.get("a", lambda: 7) == 7


def test_pickles_and_copies_begin_empty_with_a_lock_of_their_own() -> None:
    recent: Recent[int] = Recent(1)
    recent.get("a", lambda: 1)
    for other in (pickle.loads(pickle.dumps(recent)), copy.deepcopy(recent)):
        assert other.get("a", lambda: 2) == 2
    assert copy.deepcopy(Guard()) is not None
