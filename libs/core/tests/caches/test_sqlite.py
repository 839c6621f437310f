from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from headrace.caches import SQLiteCache
from headrace.errors import InputError

# Writes entries one by one and says of each that it is kept, until it is killed.
WRITER = """
import sys
from headrace.caches import SQLiteCache
store = SQLiteCache(sys.argv[1])
number = 0
while True:
    store.set(f"{sys.argv[2]}:{number}", b"x" * 2000)
    print(number, flush=True)
    number += 1
"""
# Two processes write the same and different keys, and read what the other wrote.
SHARER = """
import sys
from headrace.caches import SQLiteCache
store = SQLiteCache(sys.argv[1])
for number in range(200):
    store.set(f"{sys.argv[2]}:{number}", sys.argv[2].encode())
    store.set(f"both:{number}", b"both")
    assert store.get(f"both:{number}") == b"both"
"""


@pytest.fixture
def store(tmp_path: Path) -> SQLiteCache:
    return SQLiteCache(tmp_path / "answers.db")


def test_what_was_kept_is_there_for_the_next_process(store: SQLiteCache) -> None:
    store.set("a", b"\x00\xff")
    store.set("a", b"newer")
    store.close()
    again = SQLiteCache(store.path)
    assert (again.get("a"), again.get("b"), len(again)) == (b"newer", None, 1)
    again.close()


def test_the_journal_is_a_write_ahead_log(store: SQLiteCache) -> None:
    store.set("a", b"1")
    with sqlite3.connect(store.path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
    store.close()


def test_an_entry_lives_as_long_as_said_and_is_then_deleted(tmp_path: Path) -> None:
    store = SQLiteCache(tmp_path / "answers.db", ttl=1e-6)
    store.set("a", b"1")
    assert store.get("a") is None
    store.set("b", b"2", ttl=60)
    assert (store.get("b"), len(store)) == (b"2", 1)
    store.close()


def test_the_least_used_go_until_their_bytes_fit(tmp_path: Path) -> None:
    store = SQLiteCache(tmp_path / "answers.db", max_bytes=10_000)
    for number in range(40):
        store.set(str(number), b"x" * 500)
    assert store.get("0") is None
    assert store.get("39") is not None
    assert 10 < len(store) <= 20
    store.close()


def test_a_namespace_is_cleared_alone(store: SQLiteCache) -> None:
    for key in ("one:a", "one:b", "oneself:a", "on%:a"):
        store.set(key, b"1")
    store.clear("one")
    store.delete("on%:a")
    assert (len(store), store.get("oneself:a")) == (1, b"1")
    store.clear()
    assert len(store) == 0
    store.close()


def test_threads_share_one_store(store: SQLiteCache) -> None:
    def write(name: int) -> None:
        for number in range(25):
            store.set(f"{name}:{number}", b"1")
            assert store.get(f"{name}:{number}") == b"1"

    workers = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(store) == 200
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_opens_the_file_anew(store: SQLiteCache) -> None:
    store.set("parent", b"1")
    child = os.fork()
    if not child:
        try:
            found = store.get("parent") == b"1"
            store.set("child", b"2")
            os._exit(0 if found else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get("child") == b"2"
    store.set("parent", b"3")
    assert store.get("parent") == b"3"
    store.close()


def test_two_processes_share_one_file(store: SQLiteCache) -> None:
    start = [sys.executable, "-c", SHARER, str(store.path)]
    both = [subprocess.Popen([*start, name]) for name in ("one", "two")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(store) == 600
    store.close()


def test_a_process_killed_while_writing_loses_nothing_that_was_kept(store: SQLiteCache) -> None:
    told: dict[str, int] = {}
    for name in ("first", "second"):
        start = [sys.executable, "-c", WRITER, str(store.path), name]
        with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                told[name] = int(line)
                if told[name] == 60:
                    process.send_signal(signal.SIGKILL)
        assert told[name] >= 60
    for name, last in told.items():
        assert all(store.get(f"{name}:{number}") is not None for number in range(last + 1))
    store.set("after", b"1")
    with sqlite3.connect(store.path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    store.close()


def test_a_pickled_store_is_of_the_same_file(store: SQLiteCache) -> None:
    store.set("a", b"1")
    copy = pickle.loads(pickle.dumps(store))
    assert copy.get("a") == b"1"
    copy.close()
    store.close()


def test_a_path_in_no_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        SQLiteCache(tmp_path / "none" / "answers.db")
    with pytest.raises(InputError, match="ttl"):
        SQLiteCache(tmp_path / "answers.db", ttl=0)
