from __future__ import annotations

import pickle

import pytest

from headrace.caches import InMemoryCache
from headrace.errors import InputError


def test_who_was_used_last_stays() -> None:
    store = InMemoryCache(max_entries=2)
    store.set("a", b"1")
    store.set("b", b"2")
    store.get("a")
    store.set("c", b"3")
    assert [store.get(key) for key in "abc"] == [b"1", None, b"3"]


def test_entries_go_until_their_bytes_fit() -> None:
    store = InMemoryCache(max_bytes=10)
    for key in "abcd":
        store.set(key, b"1234")
    assert [store.get(key) for key in "abcd"] == [None, None, b"1234", b"1234"]
    store.set("e", b"x" * 11)
    assert (store.get("e"), len(store)) == (None, 2)
    store.set("d", b"x" * 10)
    assert (store.get("d"), len(store)) == (b"x" * 10, 1)


def test_an_entry_lives_as_long_as_said() -> None:
    store = InMemoryCache(ttl=1e-9)
    store.set("a", b"1")
    store.set("b", b"2", ttl=60)
    assert (store.get("a"), store.get("b")) == (None, b"2")


def test_a_namespace_is_cleared_alone() -> None:
    store = InMemoryCache()
    for key in ("one:a", "one:b", "oneself:a"):
        store.set(key, b"1")
    store.clear("one")
    assert len(store) == 1
    store.delete("oneself:a")
    store.set("x", b"1")
    store.clear()
    assert len(store) == 0


def test_a_pickled_store_is_an_empty_one_of_the_same_limits() -> None:
    store = InMemoryCache(max_entries=5)
    store.set("a", b"1")
    copy = pickle.loads(pickle.dumps(store))
    assert (repr(copy), len(copy)) == (repr(store), 0)


@pytest.mark.parametrize("name", ["max_entries", "max_bytes", "ttl"])
def test_a_limit_of_nothing_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match=name):
        InMemoryCache(**{name: 0})  # type: ignore[arg-type]  # mypy reads one type for all three
