"""When another step takes the place of one: one policy for every fallback in the toolkit."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import close
from headrace.errors import AnswerRejectedError, SuspendedError
from headrace.runnables.reasons import Reasons, explain, held

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from headrace.engine.run import Run
    from headrace.runnables.base import Runnable

    Steps = Sequence[Runnable[Any, Any]]

_WORDS = ("fallback_on", "exceptions_to_handle", "fallback_if_result")


class FallbackPolicy:
    """The next step after an error, or after an answer, that is reason enough.

    `fallback_on`: exception types, predicates of errors and of answers, told apart by the
    annotation of their parameter; or by name `exceptions_to_handle` (types, or a predicate;
    all errors where nothing is said) and `fallback_if_result`. SuspendedError is never
    handled: it says that the call was made by the wrong door.
    """

    def __init__(
        self,
        *,
        fallback_on: Any = None,
        exceptions_to_handle: Any = None,
        fallback_if_result: Callable[[Any], bool] | None = None,
    ) -> None:
        if fallback_on is None and exceptions_to_handle is None:
            exceptions_to_handle = Exception
        self._reasons = Reasons(
            _WORDS, on=fallback_on, errors=exceptions_to_handle, answers=fallback_if_result
        )

    async def value(
        self,
        steps: Steps,
        ask: Callable[[int, Exception | None], Coroutine[Any, Any, Any]],
        run: Run,
    ) -> Any:
        """The first accepted value of `ask(number, last error)`; else the first error."""
        failed = _Failed(run)
        for number, step in enumerate(steps):
            await failed.tell(step)
            try:
                answer = await ask(number, failed.last)
                self._reasons.judge(answer)
            except Exception as error:
                if not self._handles(error, run):
                    raise
                failed.add(error, step)
            else:
                return answer
        raise failed.first

    async def stream(
        self,
        steps: Steps,
        open: Callable[[int, Exception | None], AsyncIterator[Any]],
        run: Run,
        hopeless: Callable[[], bool] = bool,
        whole: Callable[[Any], Any] = lambda total: total,
    ) -> AsyncGenerator[Any, None]:
        """The chunks of the first step that begins; see `RetryPolicy.stream`."""
        failed = _Failed(run)
        for number, step in enumerate(steps):
            await failed.tell(step)
            items, begun = open(number, failed.last), False
            if self._reasons.judges:
                items = held(items, self._reasons, whole)
            try:
                async for item in items:
                    begun = True
                    yield item
                return
            except Exception as error:
                if begun or hopeless() or not self._handles(error, run):
                    raise
                failed.add(error, step)
            finally:
                await close(items)
        raise failed.first

    def _handles(self, error: Exception, run: Run) -> bool:
        left = run.bounds.left
        if isinstance(error, SuspendedError) or (left is not None and left <= 0):
            return False
        reasons = self._reasons
        if reasons.judges and isinstance(error, AnswerRejectedError):
            return True
        return reasons.of_type(error) or reasons.said(error)


class _Failed:
    """The steps that failed so far: the first error is raised, with notes of the others."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._first: Exception | None = None
        self.last: Exception | None = None

    def add(self, error: Exception, step: Runnable[Any, Any]) -> None:
        if self._first is None:
            self._first = error
        elif self._first is not error:
            name = type(error).__name__
            explain(self._first, f"fallback `{step.get_name()}` failed too: {name}: {error}")
        self.last = error

    async def tell(self, step: Runnable[Any, Any]) -> None:
        if self.last is not None:
            await self._run.note("fallback", {"error": self.last, "step": step.get_name()})

    @property
    def first(self) -> Exception:
        assert self._first is not None  # there is at least one step
        return self._first
