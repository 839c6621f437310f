"""What calls cost: by model, and by the place in the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.callbacks.usage import (
    COUNTED,
    UsageMetadataCallbackHandler,
    listening,
    outcome,
    served,
)
from headrace.errors import ModelConnectionError, ModelTimeoutError, StreamInterruptedError
from headrace.messages import UsageMetadata, add_usage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from headrace.engine.events import Event, EventKind

# After these the provider may have worked, and nobody knows for how much.
_COSTLY = (ModelConnectionError, ModelTimeoutError, StreamInterruptedError)


@dataclass(frozen=True, slots=True)
class Spend:
    """What some requests cost: `cost_usd` of those whose cost is known, `unpriced` the others.

    `cached`: answers out of a cache, which cost nothing; `saved_cost_usd`: what they cost when
    they were made.
    """

    requests: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    cached: int = 0
    saved_cost_usd: float = 0.0
    usage: UsageMetadata = field(default_factory=UsageMetadata)

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            self.requests + other.requests,
            self.cost_usd + other.cost_usd,
            self.unpriced + other.unpriced,
            self.cached + other.cached,
            self.saved_cost_usd + other.saved_cost_usd,
            add_usage(self.usage, other.usage),
        )


class CostTracker(UsageMetadataCallbackHandler):
    """A listener that sums what requests cost, and their usage. May listen to many calls at once.

    A request is unpriced if its usage or a price is unknown, or if it broke off.
    """

    wants: frozenset[EventKind] = frozenset({"started", "ended", "failed"})

    def __init__(self) -> None:
        super().__init__()
        self._spent: dict[tuple[tuple[str, ...], str], Spend] = {}
        self._places: dict[str, tuple[str, ...]] = {}

    def handle(self, event: Event) -> None:
        if event.kind == "started":
            with self._guard:
                above = self._places.get(event.parent_ids[-1], ()) if event.parent_ids else ()
                self._places[event.run_id] = (*above, _place(event))
            return
        super().handle(event)
        with self._guard:
            place = self._places.pop(event.run_id, (event.name,))
            if event.run_type in COUNTED:
                usage, about = outcome(event)
                key = place, served(about)
                spent = _spend(event, usage, about)
                self._spent[key] = self._spent.get(key, Spend()) + spent

    @property
    def total(self) -> Spend:
        """All requests together."""
        return self._summed(lambda place, model: [""]).get("", Spend())

    @property
    def cost_usd(self) -> float:
        """What the requests cost whose cost is known; `unpriced` says if there are others."""
        return self.total.cost_usd

    @property
    def unpriced(self) -> int:
        """How many requests cost what nobody knows."""
        return self.total.unpriced

    @property
    def by_model(self) -> dict[str, Spend]:
        """{served model: Spend}; "unknown" where it is not said."""
        return self._summed(lambda place, model: [model])

    @property
    def by_step(self) -> dict[str, Spend]:
        """{path of names: Spend of all at and below it}, such as `RunnableSequence/1:ChatModel`.

        Steps of a sequence are numbered from 0, branches of a parallel named by their key.
        """
        return self._summed(
            lambda place, model: ["/".join(place[:end]) for end in range(1, len(place) + 1)]
        )

    def _summed(self, names: Callable[[tuple[str, ...], str], list[str]]) -> dict[str, Spend]:
        with self._guard:
            spent = list(self._spent.items())
        found: dict[str, Spend] = {}
        for (place, model), one in spent:
            for name in names(place, model):
                found[name] = found.get(name, Spend()) + one
        return found

    def __repr__(self) -> str:
        total = self.total
        return f"CostTracker({total.cost_usd:.6f} USD, {total.unpriced} unpriced)"


def cost_tracker() -> AbstractContextManager[CostTracker]:
    """Sums what all calls made inside cost, also in threads' copies of its context and tasks."""
    return listening(CostTracker())


def _place(event: Event) -> str:
    """How a step is called among its siblings."""
    for tag in event.tags:
        if tag.startswith("seq:step:"):
            return f"{int(tag.rpartition(':')[2]) - 1}:{event.name}"
        if tag.startswith("map:key:"):
            return f"{tag.removeprefix('map:key:')}:{event.name}"
    return event.name


def _spend(event: Event, usage: UsageMetadata | None, about: Mapping[str, Any]) -> Spend:
    cost = about.get("cost_usd")
    if about.get("cached"):
        return Spend(1, cached=1, saved_cost_usd=about.get("saved_cost_usd", cost) or 0.0)
    known = cost is not None or (event.kind == "failed" and not usage and not _costly(event))
    return Spend(1, cost or 0.0, 0 if known else 1, usage=usage or UsageMetadata())


def _costly(event: Event) -> bool:
    error = event.payload["error"]
    return isinstance(error, _COSTLY) or not isinstance(error, Exception)
