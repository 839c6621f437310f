"""Which errors and which answers are reason enough to try again, or to ask somebody else."""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr as shortened
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args

from headrace.engine.drive import close
from headrace.engine.sums import NOTHING, Accumulator
from headrace.engine.user import is_coroutine_function
from headrace.errors import AnswerRejectedError, InputError
from headrace.runnables.annotations import first_parameter, parameter_type

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

Predicate = Callable[[Any], bool]


class Reasons:
    """Exception types, and predicates of errors and of answers.

    `on`: one or several of all kinds; a function in it is told by the annotation of its
    parameter, an exception type or any other. `errors`: types, or a predicate of an error.
    `answers`: a predicate of an answer. `word` names the options in error messages.
    """

    __slots__ = ("_answers", "_errors", "types")

    def __init__(
        self,
        words: tuple[str, str, str],
        *,
        on: Any = None,
        errors: Any = None,
        answers: Any = None,
    ) -> None:
        self.types: tuple[type[BaseException], ...] = ()
        self._errors: list[Predicate] = []
        self._answers: list[Predicate] = []
        for item in _listed(on):
            self._add(item, _is_of_errors(item, words), words[0])
        for item in _listed(errors):
            self._add(item, True, words[1])
        for item in _listed(answers):
            self._add(item, False, words[2])

    def _add(self, item: Any, of_errors: bool, word: str) -> None:
        if of_errors and isinstance(item, type) and issubclass(item, Exception):
            self.types += (item,)
        elif isinstance(item, type) or not callable(item) or is_coroutine_function(item):
            kinds = (
                "subclasses of Exception and plain functions" if of_errors else "plain functions"
            )
            raise InputError(f"`{word}` takes {kinds}, not {item!r}")
        else:
            (self._errors if of_errors else self._answers).append(item)

    @property
    def judges(self) -> bool:
        """Whether answers are looked at, too."""
        return bool(self._answers)

    def of_type(self, error: BaseException) -> bool:
        return isinstance(error, self.types)

    def said(self, error: BaseException) -> bool:
        """Whether a predicate says yes to an error."""
        return any(wants(error) for wants in self._errors)

    def judge(self, answer: Any) -> None:
        """Raises AnswerRejectedError if a predicate says yes to an answer."""
        for wants in self._answers:
            if wants(answer):
                name = getattr(wants, "__name__", repr(wants))
                raise AnswerRejectedError(
                    f"`{name}` refused the answer {shortened(answer)}", answer=answer
                )


async def held(
    items: AsyncIterator[Any], reasons: Reasons, whole: Callable[[Any], Any]
) -> AsyncGenerator[Any, None]:
    """The items once all are there and their sum, as `whole` makes it an answer, is accepted."""
    kept, total = [], Accumulator()
    try:
        async for item in items:
            kept.append(item)
            total.feed(item)
    finally:
        await close(items)
    if kept and reasons.judges:
        summed = total.total()
        reasons.judge(None if summed is NOTHING else whole(summed))
    for item in kept:
        yield item


def explain(error: BaseException, text: str) -> None:
    """Notes on an error what was not done about it; once, for an error may come twice."""
    if text not in getattr(error, "__notes__", ()):
        error.add_note(text)


def _listed(given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    return tuple(given) if isinstance(given, tuple | list) else (given,)


def _is_of_errors(item: Any, words: tuple[str, str, str]) -> bool:
    if isinstance(item, type) or not callable(item):
        return True
    name = first_parameter(item)
    kind = Any if name is None else parameter_type(item, name)
    if kind is Any:
        raise InputError(
            f"`{words[0]}` cannot tell whether {item!r} is about errors or answers; annotate its "
            f"parameter, or give it as `{words[1]}` (errors) or `{words[2]}` (answers)"
        )
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return all(isinstance(one, type) and issubclass(one, BaseException) for one in kinds)
