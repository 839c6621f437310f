"""The two worlds a step may run in, as steps see them: one protocol, `run.io`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from headrace.engine.sync import SYNC

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Coroutine,
        Iterable,
        Iterator,
    )

    from headrace.engine.bell import Bell
    from headrace.engine.strands import Budget, Scope, Strand
    from headrace.engine.user import Seam

T = TypeVar("T")
U = TypeVar("U")


class World(Protocol):
    """All that waits. The sync world blocks and never suspends; the async world awaits."""

    is_async: bool

    async def settle(self, value: Any) -> Any:
        """What a client call gave: its value here, its awaited value in an async run."""

    def iterate(self, source: Any) -> AsyncIterator[Any]:
        """The items of a sync or an async iterator, closed when left; no extra loop turns."""

    def ahead(self, source: Iterator[T], stop: Callable[[], None]) -> AsyncGenerator[list[T], None]:
        """The items of a source that blocks, all that are ready at once; closed when left.

        In an async run a thread reads up to 64 ahead; `stop` wakes it where it waits.
        """

    def pushed(
        self,
        work: Callable[[Callable[[T], bool]], object],
        stop: Callable[[], None],
        scope: Scope | None = None,
    ) -> AsyncGenerator[list[T], None]:
        """What `work(put)` puts, all that is ready at once, while it runs in one worker thread.

        For producers that call back rather than be pulled. `put` waits while 64 items wait, and
        is False once nobody reads; then the work is to return. Leaving calls `stop`, from
        another thread, for work that puts too seldom, and waits for the work. An error of the
        work comes after what it put. `scope`: a sync run that is called off ends with Stopped.
        """

    async def sleep(self, seconds: float, scope: Scope | None = None) -> None: ...

    def bell(self) -> Bell:
        """A bell for the strand that asks, to wait for until another rings it."""

    def strand(self) -> Strand:
        """Who runs here."""

    async def blocking(
        self, function: Callable[..., T], *args: Any, undo: Callable[[T], None] | None = None
    ) -> T:
        """`function(*args)`, in a thread of our own in an async run.

        `undo` gets the result there if nobody waits for it any more.
        """

    async def bounded(self, work: Coroutine[Any, Any, T], seconds: float | None) -> T:
        """`await work`, with TimeoutError after `seconds`; sync work bounds itself."""

    def guarded(
        self, items: AsyncIterator[T], left: Callable[[], float | None]
    ) -> AsyncIterator[T]:
        """The items, with TimeoutError for one that `left()` seconds do not bring.

        Sync sources bound their reads themselves.
        """

    async def listen(self, answer: Awaitable[None]) -> None:
        """Waits for an async listener; in a sync run, on the one side-loop thread."""

    async def aside(self, work: Coroutine[Any, Any, T]) -> T:
        """What a client that is only async gives: awaited, in a sync run on the side loop.

        All of a process's sync runs share that loop, so such a client may be shared as well.
        """

    async def spread(
        self,
        source: Iterable[T],
        do: Callable[[T], Coroutine[Any, Any, None]],
        budget: Budget,
        scope: Scope,
        size: int | None = None,
    ) -> None:
        """`do(item)` for each item, over the budget; the first error ends it and is raised."""

    def flow(
        self,
        source: Iterable[T],
        open: Callable[[T], AsyncIterator[U]],
        budget: Budget,
        scope: Scope,
        size: int | None = None,
        lend: bool = False,
    ) -> AsyncIterator[U]:
        """What the iterators opened on the items yield, as it comes, at most 16 waiting.

        `lend`: the caller's own strand works too, for its caller only waits.
        """

    def tee(self, chunks: AsyncIterator[T], count: int) -> list[AsyncIterator[T]]:
        """Independent readers of one source, pulled once by whoever is ahead."""

    def generate(
        self, function: Callable[..., Any], chunks: AsyncIterator[Any], seam: Seam
    ) -> AsyncIterator[Any]:
        """The items of a plain generator function over chunks, pulled on demand."""


def sync_world() -> World:
    return SYNC


def async_world() -> World:
    """The async world; imports asyncio on first use, so that sync programs never do."""
    from headrace.engine.aio import ASYNC

    return ASYNC


def relayed(
    work: Callable[[Callable[[Any], Any]], Coroutine[Any, Any, None]],
) -> AsyncGenerator[Any, None]:
    """The items that `work(put)` puts while it runs in a task of this loop."""
    from headrace.engine.relay import relayed

    return relayed(work)


def running_loop() -> Any:
    """The event loop that runs in this thread."""
    from asyncio import get_running_loop

    return get_running_loop()
