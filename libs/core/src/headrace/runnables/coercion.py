"""What a pipe accepts in place of a Runnable: functions, generator functions and dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.engine.hooks import reach
from headrace.engine.user import is_async_generator_function, is_generator_function
from headrace.errors import InputError
from headrace.runnables.base import Runnable


def coerce_to_runnable(thing: Any) -> Runnable[Any, Any]:
    """A Runnable as it is; a function, generator function or dict made into one.

    Raises InputError (a TypeError too) for anything else.
    """
    if isinstance(thing, Runnable):
        return thing
    if isinstance(thing, Mapping):
        return reach("parallel")(thing)  # type: ignore[no-any-return]  # from the hook table
    if is_async_generator_function(thing) or is_generator_function(thing):
        return reach("generator")(thing)  # type: ignore[no-any-return]  # from the hook table
    if callable(thing):
        return reach("function")(thing)  # type: ignore[no-any-return]  # from the hook table
    raise PipeError(
        f"a pipe takes a Runnable, a function, a generator function or a dict of them, "
        f"not {type(thing).__name__} {thing!r}"
    )


class PipeError(InputError, TypeError):
    """What was put into a pipe cannot be a step of it."""
