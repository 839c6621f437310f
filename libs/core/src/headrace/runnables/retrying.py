"""When and how often to try again: one policy for every retry in the toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.deferred import random
from headrace.engine.drive import close
from headrace.errors import (
    AnswerRejectedError,
    ConfigurationError,
    InputError,
    RecursionLimitError,
    StepError,
    SuspendedError,
    ToolLoopLimitError,
    UnsupportedContentError,
    UnsupportedParameterError,
    UsageLimitExceeded,
)
from headrace.runnables.reasons import Reasons, explain, held

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine

    from headrace.engine.run import Run

# Trying again cannot help against these: the program itself has to change, or a budget.
HOPELESS = (
    ConfigurationError, InputError, RecursionLimitError, StepError, SuspendedError,
    ToolLoopLimitError, UnsupportedContentError, UnsupportedParameterError, UsageLimitExceeded,
)  # fmt: skip
_WORDS = ("retry_on", "retry_if_exception_type", "retry_if_result")
_STEEPEST = 64  # attempts after which waits grow no more; `exp_base` to its power is a float


class RetryPolicy:
    """At most `stop_after_attempt` attempts, with exponential waits and jitter between them.

    `retry_on`: exception types, predicates of errors and of answers, told apart by the
    annotation of their parameter; or by name `retry_if_exception_type` and `retry_if_result`.
    An error whose `is_retryable` is False is not retried by types; `retry_after` is honoured,
    or the error raised where it is beyond `max_retry_after`. All waits are in seconds;
    `exponential_jitter_params`: initial (1), max (60), exp_base (2), jitter (1).
    """

    def __init__(
        self,
        *,
        retry_on: Any = None,
        retry_if_exception_type: Any = None,
        retry_if_result: Callable[[Any], bool] | None = None,
        wait_exponential_jitter: bool = True,
        exponential_jitter_params: dict[str, float] | None = None,
        stop_after_attempt: int = 3,
        max_retry_after: float = 60.0,
        retry_after_first_chunk: bool = False,
    ) -> None:
        if stop_after_attempt < 1:
            raise InputError(f"`stop_after_attempt` is at least 1, not {stop_after_attempt}")
        waits = {"initial": 1.0, "max": 60.0, "exp_base": 2.0, "jitter": 1.0}
        for name, value in (exponential_jitter_params or {}).items():
            if name not in waits:
                raise InputError(f"no jitter parameter `{name}`; there are {', '.join(waits)}")
            waits[name] = value
        if retry_on is None and retry_if_exception_type is None:
            retry_if_exception_type = Exception
        self._reasons = Reasons(
            _WORDS, on=retry_on, errors=retry_if_exception_type, answers=retry_if_result
        )
        self._waits, self._patience = waits, max_retry_after
        self._jitters, self.attempts = wait_exponential_jitter, stop_after_attempt
        self._holds = retry_after_first_chunk or self._reasons.judges

    def wants(self, error: BaseException) -> bool:
        """Whether to try again after this error."""
        reasons = self._reasons
        if _asked(error, 0.0) > self._patience:
            return False
        if reasons.said(error) or (reasons.judges and isinstance(error, AnswerRejectedError)):
            return True
        if isinstance(error, HOPELESS) or getattr(error, "is_retryable", True) is False:
            return False
        return reasons.of_type(error)

    def takes(self, run: Run) -> Run:
        """The run of an attempt: what is inside leaves to this policy the errors it wants."""
        return run.bounded(run.bounds.taking(self.wants))

    def wait(self, attempt: int, error: BaseException) -> float:
        """Seconds to wait after the failed attempt of this number, the first being 1."""
        if (asked := _asked(error, -1.0)) >= 0:
            return asked
        if not self._jitters:
            return 0.0
        waits = self._waits
        growing = waits["initial"] * waits["exp_base"] ** min(attempt - 1, _STEEPEST)
        return min(growing + random.uniform(0, waits["jitter"]), waits["max"])

    async def value(self, attempt: Callable[[Run], Coroutine[Any, Any, Any]], run: Run) -> Any:
        """The value of the first attempt that succeeds; else the last one's error."""
        number = 1
        while True:
            try:
                answer = await attempt(_numbered(run, number))
                self._reasons.judge(answer)
            except Exception as error:
                if not await self._again(number, error, run):
                    raise
            else:
                return answer
            number += 1

    async def stream(
        self,
        attempt: Callable[[Run], AsyncIterator[Any]],
        run: Run,
        hopeless: Callable[[], bool] = bool,
        whole: Callable[[Any], Any] = lambda total: total,
    ) -> AsyncGenerator[Any, None]:
        """The chunks of the first attempt that begins; after its first chunk errors are raised.

        `hopeless` says after a failure that its cause lies outside the attempts. `whole` makes
        an answer of the sum of chunks, which are held back until it is accepted.
        """
        number = 1
        while True:
            items, begun = attempt(_numbered(run, number)), False
            if self._holds:
                items = held(items, self._reasons, whole)
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
        if run.bounds.taken(error) or not self._goes_on(number, error):
            return False
        wait, left = self.wait(number, error), run.bounds.left
        if left is not None and wait >= left:
            explain(error, f"not tried again: {wait:g} s to wait, and {max(left, 0):g} s were left")
            return False
        await run.note("retry", {"attempt": number, "error": error, "wait_s": wait})
        await run.sleep(wait)
        return True

    def _goes_on(self, number: int, error: Exception) -> bool:
        if not self.wants(error):
            if (asked := _asked(error, 0.0)) > self._patience:
                explain(error, f"not tried again: the service asks to wait for {asked:g} s")
            return False
        if number >= self.attempts:
            if number > 1:
                explain(error, f"gave up after {number} attempts")
            return False
        return True

    def __repr__(self) -> str:
        return f"stop_after_attempt={self.attempts}"


def _asked(error: BaseException, otherwise: float) -> float:
    """The seconds that an error's `retry_after` says."""
    asked = getattr(error, "retry_after", None)
    return float(asked) if isinstance(asked, int | float) else otherwise


def _numbered(run: Run, number: int) -> Run:
    return run if number == 1 else run.pending(tags=(f"retry:attempt:{number}",))
