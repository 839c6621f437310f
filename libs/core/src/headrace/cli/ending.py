"""How a command ends that does not go well: what is said of an error, and a mistake in usage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headrace.errors import InputError, UnknownProviderError


class UsageError(Exception):
    """The command line asks for what there is not; the message says what and what to do."""


class CommandError(Exception):
    """A command has failed; the message is all that is said of it."""


@contextmanager
def asked_rightly() -> Iterator[None]:
    """Inside, an unknown provider or a wrong value is a mistake of who typed it."""
    try:
        yield
    except (InputError, UnknownProviderError) as error:
        raise UsageError(str(error)) from error


def told(error: BaseException) -> str:
    """`Type: message (in step …)`."""
    step = getattr(error, "step", None) or getattr(error, "__headrace_step__", None)
    message = str(error)
    return (
        type(error).__name__
        + (f": {message}" if message else "")
        + (f" (in step {step})" if isinstance(step, str) else "")
    )
