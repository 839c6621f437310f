"""What admits requests: a gate lets each attempt in by a permit, which learns how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from headrace.engine.run import Run
    from headrace.messages import UsageMetadata


class Request(Protocol):
    """A request before it is sent, as far as it can be known; each figure is made when read."""

    @property
    def model(self) -> str: ...

    @property
    def input_tokens(self) -> int:
        """An estimate, for pacing."""

    @property
    def most_input_tokens(self) -> int:
        """An estimate on the safe side, for budgets."""

    @property
    def output_tokens(self) -> int | None:
        """The `max_tokens` that will be sent; None where none is."""

    @property
    def longest_output(self) -> int | None:
        """The most tokens that an answer may have; None where nobody knows."""

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """The most it costs in USD with so many tokens; None where no price is known."""


class Outcome:
    """How an attempt ended. `sent`: the provider may have seen it.

    `usage`, which may be given as a function, and `cost` in USD are None where they are not
    known. `headers` of the response, names in lower case.
    """

    def __init__(
        self,
        *,
        sent: bool,
        usage: UsageMetadata | Callable[[], UsageMetadata | None] | None = None,
        cost: float | None = None,
        error: BaseException | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.sent, self.cost, self.error, self.headers = sent, cost, error, headers
        self._usage = usage

    @cached_property
    def usage(self) -> UsageMetadata | None:
        return self._usage() if callable(self._usage) else self._usage


class Permit(Protocol):
    """Leave for one attempt; `waited` in seconds."""

    waited: float

    def close(self, outcome: Outcome) -> None:
        """Gives back what the attempt did not use; a second time does nothing."""


class Gate(Protocol):
    """Lets attempts in. Those of one attempt are passed in the `order` that all share."""

    order: tuple[int, int]

    async def admit(self, request: Request, run: Run) -> Permit: ...


# Gates that every attempt made in this context passes, and in threads and tasks started from it.
around: ContextVar[tuple[Gate, ...]] = ContextVar("headrace_gates", default=())
