"""Limiters of other libraries as gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.engine.user import is_coroutine_function
from headrace.errors import ConfigurationError, InputError
from headrace.rate_limiters.gate import Outcome
from headrace.rate_limiters.limiter import ORDERS

if TYPE_CHECKING:
    from headrace.engine.run import Run
    from headrace.rate_limiters.gate import Gate, Request


def as_gate(thing: Any) -> Gate:
    """A gate as it is, a limiter of another library made one.

    Taken are objects whose `acquire` is a coroutine function (in async calls only), and those
    with the pair `acquire` and `aacquire`; a `release` is called when an attempt is over.
    """
    if hasattr(thing, "admit") and hasattr(thing, "order"):
        gate: Gate = thing
        return gate
    if callable(getattr(thing, "acquire", None)) and not isinstance(thing, type):
        return ForeignLimiter(thing)
    raise InputError(
        "a rate limiter is a RateLimiter, an InMemoryRateLimiter or an object with `acquire`, "
        f"not {type(thing).__name__} {thing!r}"
    )


class ForeignLimiter:
    """One of aiolimiter's, a semaphore of asyncio, or a limiter with `acquire` and `aacquire`."""

    def __init__(self, limiter: Any) -> None:
        self.limiter = limiter
        self._waits = is_coroutine_function(limiter.acquire)
        self.order = (1, ORDERS())

    async def admit(self, request: Request, run: Run) -> ForeignPermit:
        if not run.io.is_async:
            if self._waits:
                kind = type(self.limiter).__name__
                raise ConfigurationError(
                    f"a limiter of type `{kind}` can only be waited for in async calls; call by "
                    "`ainvoke`, or take a RateLimiter, which works in both"
                )
            self.limiter.acquire()
        elif self._waits:
            await self.limiter.acquire()
        elif hasattr(self.limiter, "aacquire"):
            await self.limiter.aacquire()
        else:
            await run.io.blocking(self.limiter.acquire, undo=self._undo)
        return ForeignPermit(self.limiter)

    def _undo(self, acquired: Any) -> None:
        """Gives back what a thread got for a call that was cancelled while it waited."""
        ForeignPermit(self.limiter).close(Outcome(sent=False))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ForeignLimiter) and self.limiter is other.limiter

    def __hash__(self) -> int:
        return hash((ForeignLimiter, id(self.limiter)))

    def __repr__(self) -> str:
        return repr(self.limiter)


class ForeignPermit:
    """Leave of another library's limiter."""

    __slots__ = ("_release", "waited")

    def __init__(self, limiter: Any) -> None:
        self._release, self.waited = getattr(limiter, "release", None), 0.0

    def close(self, outcome: Outcome) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()
