"""Events of a user's own, told to whoever listens to the run they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.engine.drive import drive
from headrace.engine.run import InjectedConfig, current
from headrace.engine.worlds import sync_world
from headrace.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headrace.engine.run import Run


def dispatch_custom_event(
    name: str, data: Any = None, *, config: Mapping[str, Any] | None = None
) -> None:
    """Tells listeners of the function's run of `name` and `data`.

    ConfigurationError outside a run. `config`: the one a function asks for by a parameter,
    where it works in a thread or task without its context.
    """
    # In the sync world even inside an async run: this may be a worker thread of it.
    drive(_run(config).nested(sync_world()).note(name, data, custom=True))


async def adispatch_custom_event(
    name: str, data: Any = None, *, config: Mapping[str, Any] | None = None
) -> None:
    """As `dispatch_custom_event`, awaiting async listeners."""
    await _run(config).note(name, data, custom=True)


def _run(config: Mapping[str, Any] | None) -> Run:
    run = config.run if isinstance(config, InjectedConfig) else current.get()
    if run is None:
        raise ConfigurationError(
            "a custom event is dispatched inside a function of a pipeline, and none runs here; "
            "call it there, or hand on the `config` that the function was given"
        )
    return run
