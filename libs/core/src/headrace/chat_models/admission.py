"""The one place where an attempt is let in: by limiters, by budgets, in an order that all share."""

from __future__ import annotations

from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self, cast

from headrace.chat_models.charging import usage_and_facts
from headrace.chat_models.fitting import profile_for
from headrace.chat_models.room import tokens_of
from headrace.messages import (
    AIMessageChunk,
    UsageMetadata,
    count_tokens_approximately,
    sum_chunks,
)
from headrace.profiles import mode_of, worst_case
from headrace.rate_limiters import Gate, Outcome, Permit, Request
from headrace.rate_limiters.gate import around

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Call, Settings
    from headrace.chat_models.timeouts import Watch
    from headrace.engine.run import Run
    from headrace.messages import BaseMessage

_SAFE = 2.0  # characters a token where an estimate should rather be too high


async def admit(
    model: BaseChatModel, messages: list[BaseMessage], settings: Settings, call: Call, run: Run
) -> Ticket:
    """Leave for one attempt of a chat model; see `let_in`."""
    gates = call.gates if model.rate_limiter is None else (*call.gates, model.rate_limiter)
    if not gates and not around.get():
        return Ticket()
    return await let_in(gates, ModelRequest(model, messages, settings), run)


async def let_in(gates: Iterable[Gate], request: Request, run: Run) -> Ticket:
    """Leave for one attempt, waited for; the time counts against no timeout."""
    ticket = Ticket(request)
    order = attrgetter("order")
    try:
        for gate in sorted(dict.fromkeys((*around.get(), *gates)), key=order):
            await ticket.pass_by(gate, run)
        if ticket.waited:
            await run.note("rate_limited", {"waited_s": ticket.waited})
    except BaseException as error:
        ticket.close(Outcome(sent=False, error=error))
        raise
    return ticket


class ModelRequest:
    """See `rate_limiters.Request`."""

    def __init__(
        self, model: BaseChatModel, messages: list[BaseMessage], settings: Settings
    ) -> None:
        self._model, self._messages, self._settings = model, messages, settings
        self.model = str(settings.params.get("model", model.model))

    @cached_property
    def input_tokens(self) -> int:
        return tokens_of(self._messages, self._settings)

    @cached_property
    def most_input_tokens(self) -> int:
        return tokens_of(self._messages, self._settings, _SAFE)

    @property
    def output_tokens(self) -> int | None:
        return self._of_all(self._settings.params.get("max_tokens"))

    @cached_property
    def longest_output(self) -> int | None:
        return self.output_tokens or self._of_all(self._facts.get("max_output_tokens"))

    def _of_all(self, bound: int | None) -> int | None:
        """The bound of one answer times the number of answers asked for."""
        return bound * (self._settings.sent.get("n") or 1) if bound else None

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        mode = mode_of(self._settings.sent, self._facts)
        return worst_case(input_tokens, output_tokens, self._facts, mode=mode)

    @cached_property
    def _facts(self) -> Mapping[str, Any]:
        return profile_for(self._model, self._settings).facts


class Ticket:
    """Leave for one attempt: `with` it the attempt is made, and what it used is settled.

    `watch`: what the attempt is timed by; `seen`: its chunks so far, or its whole answer.
    """

    __slots__ = ("_cost", "_permits", "_request", "_usage", "seen", "waited", "watch")

    def __init__(self, request: Request | None = None) -> None:
        self._request, self._permits = request, list[Permit]()
        self.waited = 0.0
        self.watch: Watch | None = None
        self.seen: list[Any] = []
        self._usage: UsageMetadata | None = None
        self._cost: float | None = None

    async def pass_by(self, gate: Gate, run: Run) -> None:
        assert self._request is not None  # there are gates
        permit = await gate.admit(self._request, run)
        self._permits.append(permit)
        self.waited += permit.waited

    def answered(self, usage: UsageMetadata | None, about: Mapping[str, Any]) -> None:
        """A whole answer came; its usage, or None for that of what was seen, and its metadata."""
        self._usage, self._cost = usage, about.get("cost_usd")

    @property
    def figures(self) -> dict[str, float]:
        """`waited_s`, the seconds it waited to be let in, if it did."""
        return {"waited_s": self.waited} if self.waited else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._permits:
            self.close(self._outcome(error))

    def close(self, outcome: Outcome) -> None:
        """Tells every gate that was passed how the attempt ended."""
        for permit in reversed(self._permits):
            permit.close(outcome)
        self._permits = []

    def _outcome(self, error: BaseException | None) -> Outcome:
        usage = self._usage or getattr(error, "usage", None)
        headers = None if self.watch is None else self.watch.headers
        if isinstance(error, GeneratorExit):  # a stream that was left: no failure
            error = None
        known = usage or (self._usage_seen if self.seen else None)
        return Outcome(sent=True, usage=known, cost=self._cost, error=error, headers=headers)

    def _usage_seen(self) -> UsageMetadata:
        """What an answer says it used, or about what was seen of it."""
        answer = self.seen[0]
        if isinstance(answer, AIMessageChunk):
            usage, _ = usage_and_facts(self.seen)
            if usage:
                return cast(UsageMetadata, usage)
            answer = sum_chunks(self.seen)
        assert self._request is not None  # there are permits
        into, out = self._request.input_tokens, count_tokens_approximately([answer])
        found = {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}
        return cast(UsageMetadata, found)
