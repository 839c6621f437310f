"""BasePromptTemplate: variables in, a prompt out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from headrace.engine.user import Seam
from headrace.errors import InputError
from headrace.prompts.fields import check_given, check_known
from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.engine.run import Run

Output = TypeVar("Output", covariant=True)


class BasePromptTemplate(Runnable[Mapping[str, Any], Output], abstract=True):
    """A template whose variables are filled in from a dict; keys it has no use for are ignored.

    Where one variable is needed, its value may stand in place of the dict. A subclass says
    `_names()` and `_optional()`, and makes its value in `_fill(values)`.
    """

    __slots__ = ("_needed", "partial_variables")
    run_type = "prompt"

    def __init__(self, partial_variables: Mapping[str, Any] | None = None) -> None:
        self.partial_variables = dict(partial_variables or {})
        self._needed = sorted(self._names() - self.partial_variables.keys())

    def _names(self) -> set[str]:
        """The variables that must be filled in."""
        raise NotImplementedError

    def _optional(self) -> set[str]:
        """The variables that may be left out."""
        return set()

    def _fill(self, values: Mapping[str, Any]) -> Output:
        raise NotImplementedError

    def _with(self, partial_variables: Mapping[str, Any]) -> Self:
        raise NotImplementedError

    @property
    def input_variables(self) -> list[str]:
        """The variables that a call must give, sorted."""
        return list(self._needed)

    @property
    def optional_variables(self) -> list[str]:
        """The variables that a call may give: optional and partial ones, sorted."""
        return sorted((self._optional() | self.partial_variables.keys()).difference(self._needed))

    def partial(self, **values: Any) -> Self:
        """This template with some variables filled in; a function is called at each use."""
        check_known(type(self).__name__, values, sorted(self._names() | self._optional()))
        return self._with({**self.partial_variables, **values})

    async def _invoke(self, input: Mapping[str, Any], run: Run) -> Output:
        return self._fill(self._values(input, Seam(run, self.get_name()).call))

    def _filled_by_hand(self, values: Mapping[str, Any]) -> Output:
        return self._fill(self._values(values, lambda function: function()))

    def _values(self, given: Any, call: Callable[..., Any]) -> Mapping[str, Any]:
        needed = self._needed
        if not isinstance(given, Mapping) and len(needed) != 1:
            raise InputError(
                f"a {type(self).__name__} takes a dict of its variables, not {given!r}"
            )
        input: Mapping[str, Any] = given if isinstance(given, Mapping) else {needed[0]: given}
        check_given(type(self).__name__, needed, input)
        if not self.partial_variables:
            return input
        partial = self.partial_variables.items()
        filled = {n: call(v) if callable(v) else v for n, v in partial if n not in input}
        return {**filled, **input}
