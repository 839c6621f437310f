"""The tokens that models used, summed for each model."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.recent import Guard
from headrace.engine.run import ambient
from headrace.messages import UsageMetadata, add_usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from headrace.engine.events import Event, EventKind, Listener

T = TypeVar("T", bound="Listener")

COUNTED = frozenset({"chat_model", "embedding"})  # the types of runs that have usage


class UsageMetadataCallbackHandler:
    """A listener that sums `usage_metadata` by served model; "unknown" where that is not said.

    Answers out of a cache are not counted. A stream that broke off counts as far as its error
    or its sum knows. May listen to many calls at once.
    """

    wants: frozenset[EventKind] = frozenset({"ended", "failed"})
    raise_errors = False

    def __init__(self) -> None:
        self._guard = Guard()
        self._used: dict[str, UsageMetadata] = {}

    @property
    def usage_metadata(self) -> dict[str, UsageMetadata]:
        """{model: usage} so far; the caller's own copy."""
        with self._guard:
            return deepcopy(self._used)

    def handle(self, event: Event) -> None:
        if event.run_type in COUNTED and event.kind != "started":
            usage, about = outcome(event)
            if usage and not about.get("cached"):
                self._count(served(about), usage)

    def _count(self, model: str, usage: UsageMetadata) -> None:
        with self._guard:
            self._used[model] = add_usage(self._used.get(model), usage)

    def __repr__(self) -> str:
        return f"UsageMetadataCallbackHandler({self.usage_metadata!r})"


def outcome(event: Event) -> tuple[UsageMetadata | None, Mapping[str, Any]]:
    """Usage and metadata of what came of a request, as far as its answer or error knows them."""
    if event.kind == "ended":
        message = event.payload["output"]
        usage = getattr(message, "usage_metadata", None)
    else:
        error = event.payload["error"]
        message, usage = getattr(error, "partial", None), getattr(error, "usage", None)
    about: Any = getattr(message, "response_metadata", None)
    return usage, about if isinstance(about, Mapping) else {}


def served(about: Mapping[str, Any]) -> str:
    """The model that answered, by its metadata."""
    return str(about.get("model_name") or "unknown")


@contextmanager
def listening(listener: T) -> Iterator[T]:
    """A listener to all calls made inside, also in threads' copies of its context and tasks."""
    ambient.set((*ambient.get(), listener))
    try:
        yield listener
    finally:
        # Not by a Token: the block may be left in another context than it was entered in.
        ambient.set(tuple(item for item in ambient.get() if item is not listener))


def get_usage_metadata_callback() -> AbstractContextManager[UsageMetadataCallbackHandler]:
    """Sums the usage of all calls made inside, also in threads' copies of its context and tasks."""
    return listening(UsageMetadataCallbackHandler())
