"""Work beside the caller: in the caller's world, waited for by nobody."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

from headrace.engine.aside import aside
from headrace.engine.run import current
from headrace.runnables import RunnableLambda


def test_without_a_loop_the_work_is_done_in_another_thread() -> None:
    done, found = threading.Event(), []

    async def work(io):
        found.extend([io.is_async, threading.current_thread()])
        done.set()

    aside(work)
    assert done.wait(10)
    assert found[0] is False
    assert found[1] is not threading.current_thread()


def test_in_a_running_loop_the_work_is_a_task_of_it() -> None:
    async def main() -> None:
        done = asyncio.Event()

        async def work(io):
            assert io.is_async
            await io.sleep(0)
            done.set()

        aside(work)
        assert not done.is_set()
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(main())


def test_an_error_of_the_work_is_told_to_nobody(caplog) -> None:
    async def main() -> None:
        done = asyncio.Event()

        async def work(io):
            done.set()
            raise OSError("no disk")

        aside(work)
        await done.wait()
        await asyncio.sleep(0)

    asyncio.run(main(), debug=False)
    assert caplog.records == []


def test_the_work_is_no_child_of_the_run_that_began_it() -> None:
    done, found = threading.Event(), []

    async def work(io):
        found.append(current.get())
        done.set()

    RunnableLambda(lambda _: aside(work)).invoke(1)
    assert done.wait(10)
    assert found == [None]


def test_a_program_ends_while_the_work_still_waits() -> None:
    code = (
        "import threading; from headrace.engine.aside import aside\n"
        "async def work(io): threading.Event().wait()\n"
        "aside(work)"
    )
    ran = [sys.executable, "-c", code]
    done = subprocess.run(ran, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_program_without_a_loop_imports_none() -> None:
    code = (
        "import sys, threading; from headrace.engine.aside import aside\n"
        "done = threading.Event()\n"
        "async def work(io): done.set()\n"
        "aside(work); done.wait(10); print('asyncio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")
