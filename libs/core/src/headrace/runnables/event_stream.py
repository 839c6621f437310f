"""What happens in a run, as a stream of dicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import AsyncStream
from headrace.engine.events import KINDS, OWN_NOTES
from headrace.engine.worlds import relayed
from headrace.errors import InputError
from headrace.runnables.binding import RunnableBinding

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from headrace.engine.events import Event
    from headrace.runnables.base import Runnable

    Names = Sequence[str] | None
    Wanted = tuple[Names, Names, Names]  # names, types, tags


def stream_events(
    step: Runnable[Any, Any],
    input: Any,
    config: Any,
    *,
    version: str,
    include: Wanted,
    exclude: Wanted,
) -> AsyncStream[dict[str, Any]]:
    """Dicts of event, name, run_id, parent_ids, tags, metadata and data; then the run's error.

    An event is wanted if it has one of the names, types or tags of `include`, where any are
    given, and none of `exclude`. Closing the stream cancels the run and waits for its end.
    """
    if version != "v2":
        raise InputError(f'events have `version="v2"`; {version!r} is not there')
    listener = _Listener(_Filter(include, exclude))
    heard: Runnable[Any, Any] = RunnableBinding(step, {"callbacks": [listener]})
    # Opened here, so that the run is nested in the one of the function that calls this.
    return AsyncStream(_events(heard.astream(input, config), listener), sums=False)


async def _events(
    chunks: AsyncStream[Any], listener: _Listener
) -> AsyncGenerator[dict[str, Any], None]:
    async def work(put: Callable[[Any], Any]) -> None:
        listener.put = put
        async with chunks:
            async for _ in chunks:
                pass

    items = relayed(work)
    try:
        async for item in items:
            yield item
    finally:
        await items.aclose()


class _Listener:
    """Puts each wanted event into the stream; one that is ahead is asked to wait."""

    wants = KINDS
    raise_errors = False

    def __init__(self, keeps: _Filter) -> None:
        self._keeps = keeps
        self.put: Callable[[Any], Any] = list[Any]().append  # until the stream is read

    def handle(self, event: Event) -> Awaitable[None] | None:
        told = _as_dict(event)
        if not self._keeps(told, event.run_type):
            return None
        return self.put(told)  # type: ignore[no-any-return]  # Room, or None


class _Filter:
    def __init__(self, include: Wanted, exclude: Wanted) -> None:
        self._include, self._exclude = _sets(include), _sets(exclude)

    def __call__(self, told: dict[str, Any], run_type: str) -> bool:
        if self._include and not _matches(self._include, told, run_type):
            return False
        return not (self._exclude and _matches(self._exclude, told, run_type))


def _sets(wanted: Wanted) -> tuple[frozenset[str], ...]:
    for names in wanted:
        if isinstance(names, str):
            raise InputError(f"filters of events are lists of strings, not {names!r}")
    if all(names is None for names in wanted):
        return ()
    return tuple(frozenset(names or ()) for names in wanted)


def _matches(sets: tuple[frozenset[str], ...], told: dict[str, Any], run_type: str) -> bool:
    names, types, tags = sets
    return told["name"] in names or run_type in types or not tags.isdisjoint(told["tags"])


_ENDINGS = {"started": "start", "chunked": "stream", "ended": "end", "failed": "error"}


def _as_dict(event: Event) -> dict[str, Any]:
    name, data = event.name, event.payload
    if event.kind != "noted":
        kind = f"on_{event.run_type}_{_ENDINGS[event.kind]}"
    else:
        data = data["data"]
        own = event.payload["name"] in OWN_NOTES and not event.payload.get("custom")
        kind = f"on_{event.payload['name']}" if own else "on_custom_event"
        name = name if own else event.payload["name"]
    return {
        "event": kind,
        "name": name,
        "run_id": event.run_id,
        "parent_ids": list(event.parent_ids),
        "tags": list(event.tags),
        "metadata": dict(event.metadata),
        "data": data if event.kind == "noted" else _known(event),
    }


_INSIDE = frozenset({"request", "streamed"})  # for listeners; the rest is for everybody


def _known(event: Event) -> dict[str, Any]:
    """The payload, without the input of an inner step as long as its chunks are to come."""
    data = {name: value for name, value in event.payload.items() if name not in _INSIDE}
    if event.parent_ids and data.get("input", ...) is None:
        del data["input"]
    return data
