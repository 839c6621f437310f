"""Methods of a wrapped step: what they make of it is wrapped in the same way."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any

from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from collections.abc import Callable


def rewrapped(
    attribute: Any, wrap: Callable[[str, Runnable[Any, Any], tuple[Any, ...], dict[str, Any]], Any]
) -> Any:
    """An attribute of the inner step; of a method that makes a Runnable, one that wraps it."""
    if not inspect.ismethod(attribute):
        return attribute

    @wraps(attribute)
    def method(*args: Any, **kwargs: Any) -> Any:
        made = attribute(*args, **kwargs)
        if not isinstance(made, Runnable):
            return made
        return wrap(attribute.__name__, made, args, kwargs)

    return method
