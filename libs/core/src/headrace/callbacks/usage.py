"""The tokens that models used, summed for each model."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from headrace.engine.recent import Guard
from headrace.engine.run import ambient
from headrace.messages import UsageMetadata, add_usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headrace.engine.events import Event, EventKind


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
        if event.run_type != "chat_model":
            return
        if event.kind == "ended":
            message = event.payload["output"]
            usage = getattr(message, "usage_metadata", None)
        else:
            error = event.payload["error"]
            message, usage = getattr(error, "partial", None), getattr(error, "usage", None)
        about: Any = getattr(message, "response_metadata", None)
        about = about if isinstance(about, Mapping) else {}
        if not usage or about.get("cached"):
            return
        model = str(about.get("model_name") or "unknown")
        with self._guard:
            self._used[model] = add_usage(self._used.get(model), usage)

    def __repr__(self) -> str:
        return f"UsageMetadataCallbackHandler({self.usage_metadata!r})"


@contextmanager
def get_usage_metadata_callback() -> Iterator[UsageMetadataCallbackHandler]:
    """Sums the usage of all calls made inside, also in threads' copies of its context and tasks."""
    handler = UsageMetadataCallbackHandler()
    ambient.set((*ambient.get(), handler))
    try:
        yield handler
    finally:
        # Not by a Token: the block may be left in another context than it was entered in.
        ambient.set(tuple(item for item in ambient.get() if item is not handler))
