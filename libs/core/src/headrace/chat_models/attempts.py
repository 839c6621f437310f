"""What every attempt has, whatever is asked for: when it is tried again, and how it is timed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from headrace.chat_models.timeouts import Watch
from headrace.errors import ModelTimeoutError
from headrace.runnables.retrying import RetryPolicy

if TYPE_CHECKING:
    from headrace.chat_models.admission import Ticket
    from headrace.chat_models.settings import Settings
    from headrace.embeddings import EmbeddingSettings  # upward: timed alike
    from headrace.engine.run import Run

S = TypeVar("S", "Settings", "EmbeddingSettings")
_WAITS = {"initial": 0.5, "max": 8.0, "jitter": 0.5}  # seconds


@cache
def own_policy(retries: int) -> RetryPolicy:
    """How a model tries a request again by itself: what its provider calls worth it."""
    return RetryPolicy(
        retry_if_exception_type=lambda error: getattr(error, "is_retryable", False) is True,
        exponential_jitter_params=_WAITS,
        stop_after_attempt=retries + 1,
    )


def begun(settings: S, run: Run, ticket: Ticket) -> tuple[Watch, S]:
    """A watch and notes of this attempt's own, and the settings with them."""
    left = run.bounds.left_after(ticket.waited)  # its place in the queue costs no time
    watch = ticket.watch = Watch(settings.watch.timeout, run.scope, left)
    if not watch.in_time:
        raise watch.error()
    return watch, replace(settings, watch=watch, notes=settings.notes.copy())


def late_error(error: BaseException, watch: Watch) -> ModelTimeoutError | None:
    """What a timeout of the event loop means, if it is that of this attempt."""
    if not isinstance(error, TimeoutError) or isinstance(error, ModelTimeoutError):
        return None
    return None if watch.in_time else watch.error()
