"""When and how often to try again: one policy for every retry in the toolkit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import close
from headrace.errors import (
    ConfigurationError,
    InputError,
    RecursionLimitError,
    StepError,
    SuspendedError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine

    from headrace.engine.run import Run

# Trying again cannot help against these: the program itself has to change.
HOPELESS = (ConfigurationError, InputError, RecursionLimitError, StepError, SuspendedError)


class RetryPolicy:
    """At most `stop_after_attempt` attempts, with exponential waits and jitter between them.

    `retry_if_exception_type`: exception types, or a predicate of the error. An error whose
    `is_retryable` is False is not retried by types; `retry_after` (seconds) is honoured.
    `exponential_jitter_params`: initial (1), max (60), exp_base (2), jitter (1), in seconds.
    """

    def __init__(
        self,
        *,
        retry_if_exception_type: tuple[type[BaseException], ...]
        | type[BaseException]
        | Callable[[BaseException], bool] = (Exception,),
        wait_exponential_jitter: bool = True,
        exponential_jitter_params: dict[str, float] | None = None,
        stop_after_attempt: int = 3,
    ) -> None:
        if stop_after_attempt < 1:
            raise InputError(f"`stop_after_attempt` is at least 1, not {stop_after_attempt}")
        waits = {"initial": 1.0, "max": 60.0, "exp_base": 2.0, "jitter": 1.0}
        for name, value in (exponential_jitter_params or {}).items():
            if name not in waits:
                raise InputError(f"no jitter parameter `{name}`; there are {', '.join(waits)}")
            waits[name] = value
        self._when, self._waits = retry_if_exception_type, waits
        self._jitters, self.attempts = wait_exponential_jitter, stop_after_attempt

    def wants(self, error: BaseException) -> bool:
        """Whether to try again after this error."""
        if not isinstance(self._when, type | tuple):
            return bool(self._when(error))
        if isinstance(error, HOPELESS) or getattr(error, "is_retryable", True) is False:
            return False
        return isinstance(error, self._when)

    def wait(self, attempt: int, error: BaseException) -> float:
        """Seconds to wait after the failed attempt of this number, the first being 1."""
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            return float(asked)
        if not self._jitters:
            return 0.0
        waits = self._waits
        growing = waits["initial"] * waits["exp_base"] ** (attempt - 1)
        return min(growing + random.uniform(0, waits["jitter"]), waits["max"])

    async def value(self, attempt: Callable[[Run], Coroutine[Any, Any, Any]], run: Run) -> Any:
        """The value of the first attempt that succeeds; else the last one's error."""
        number = 1
        while True:
            try:
                return await attempt(_numbered(run, number))
            except Exception as error:
                if not await self._again(number, error, run):
                    raise
            number += 1

    async def stream(
        self,
        attempt: Callable[[Run], AsyncIterator[Any]],
        run: Run,
        hopeless: Callable[[], bool] = bool,
    ) -> AsyncGenerator[Any, None]:
        """The chunks of the first attempt that begins; after its first chunk errors are raised.

        `hopeless` says after a failure that its cause lies outside the attempts.
        """
        number = 1
        while True:
            items, begun = attempt(_numbered(run, number)), False
            try:
                async for item in items:
                    begun = True
                    yield item
                return
            except Exception as error:
                if begun or hopeless() or not await self._again(number, error, run):
                    raise
            finally:
                await close(items)
            number += 1

    async def _again(self, number: int, error: Exception, run: Run) -> bool:
        if number >= self.attempts or not self.wants(error):
            return False
        wait = self.wait(number, error)
        await run.note("retry", {"attempt": number, "error": error, "wait_s": wait})
        await run.sleep(wait)
        return True

    def __repr__(self) -> str:
        return f"stop_after_attempt={self.attempts}"


def _numbered(run: Run, number: int) -> Run:
    return run if number == 1 else run.pending(tags=(f"retry:attempt:{number}",))
