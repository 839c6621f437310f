"""The event log: each request to a model as a JSON record of a standard logger.

A handler on the logger `headrace.events` at INFO is all that a user does; nothing is attached to
models or calls. `HEADRACE_LOG` = off, error, info or debug does it without any code, on stderr.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from headrace.callbacks.recording import Recording
from headrace.callbacks.request import ModelRequest
from headrace.errors import InputError

if TYPE_CHECKING:
    from headrace.engine.events import Event, EventKind
    from headrace.engine.run import Run

EVENT_LOGGER_NAME: Final = "headrace.events"

_log = logging.getLogger(EVENT_LOGGER_NAME)
_recording = Recording()


class EventRecord(dict[str, Any]):
    """One record; `str()` of it is JSON."""

    def __str__(self) -> str:
        return to_json(self, inf_nan_mode="null", serialize_unknown=True).decode()


def configure_event_log(
    *,
    max_chars: int | None = 2000,
    max_items: int | None = 20,
    max_depth: int | None = 8,
    redact_names: Iterable[str] = (),
    redact: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None,
) -> None:
    """Sets for this process what event records hold; what is not said is as at the start.

    Texts, lists and dicts are cut to a size (None: never). Fields named like secrets are
    redacted, `redact_names` too, and keys of known forms. `redact` gets each record, a copy of
    its own, and gives what is to be logged, or None; a record on which it fails is not logged.
    """
    global _recording
    for name, size in {"chars": max_chars, "items": max_items, "depth": max_depth}.items():
        if size is not None and size < 1:
            raise InputError(f"`max_{name}` is a whole number above 0 or None, not {size!r}")
    names = frozenset(name.lower().replace("-", "_") for name in redact_names)
    _recording = Recording(max_chars, max_items, max_depth, names, redact)


def logged(run: Run) -> Run:
    """The run of a request, heard by the event log if somebody reads that."""
    if _log.isEnabledFor(logging.INFO) or _log.handlers or _log.level:
        return run.pending(callbacks=LISTENER)
    return run


class _EventLog:
    """The listener behind the logger; it holds nothing."""

    wants: frozenset[EventKind] = frozenset({"started", "ended", "failed", "noted"})
    raise_errors = False

    def handle(self, event: Event) -> None:
        if event.kind == "noted":
            if event.payload["name"] == "retry" and not event.payload.get("custom"):
                _write(logging.DEBUG, lambda: _retry(event))
            return
        request = event.payload.get("request")
        if not isinstance(request, ModelRequest):
            return
        if event.kind != "started":
            level = logging.ERROR if event.kind == "failed" else logging.INFO
            _write(level, lambda: _end(event, request))
        elif request.streamed:
            _write(logging.INFO, lambda: _start(event, request))

    def __repr__(self) -> str:
        return f"<event log {EVENT_LOGGER_NAME!r}>"


LISTENER = _EventLog()


def _write(level: int, build: Callable[[], dict[str, Any]]) -> None:
    """Logs what `build` gives, if somebody reads that level."""
    readers = _readers(level)
    if not readers:
        return
    recording = _recording
    if _log.isEnabledFor(logging.DEBUG):
        recording = replace(recording, max_chars=None, max_items=None, max_depth=None)
    found = recording.record(build())
    if found is None:
        return
    carried = {"event": found}
    told = EventRecord(found)
    record = _log.makeRecord(_log.name, level, __file__, 0, told, (), None, None, carried)
    for reader in readers:
        reader.handle(record)


def _readers(level: int) -> Sequence[logging.Logger | logging.Handler]:
    """Who reads records of a level: the logger, or handlers that name their own level."""
    if _log.disabled:
        return ()
    if _log.isEnabledFor(level) and (_log.level or _log.isEnabledFor(logging.INFO)):
        return (_log,)  # not where errors pass only because a logger above takes warnings
    return () if _log.level else [one for one in _log.handlers if 0 < one.level <= level]


def _start(event: Event, request: ModelRequest) -> dict[str, Any]:
    return {**_about("LLMStreamStart", event, request), "messages": request.messages}


def _end(event: Event, request: ModelRequest) -> dict[str, Any]:
    payload, error = event.payload, event.payload.get("error")
    answer = payload.get("output", getattr(error, "partial", None))
    usage = getattr(answer, "usage_metadata", None) or getattr(error, "usage", None) or {}
    meta = getattr(answer, "response_metadata", None) or {}
    name = "LLMStreamEnd" if request.streamed else "LLMCall"
    record = _about(name, event, request)
    if not request.streamed:
        record["messages"] = request.messages
    record["response"] = answer
    record["prompt_tokens"] = usage.get("input_tokens")
    record["completion_tokens"] = usage.get("output_tokens")
    record["duration_s"] = request.elapsed
    told = ("first_chunk_s", "cost_usd", "cached")
    record.update((key, meta[key]) for key in told if meta.get(key) is not None)
    if "reason" in payload:
        record["reason"] = payload["reason"]
    if error is not None:
        record["error"] = _failure(error)
    return record


def _retry(event: Event) -> dict[str, Any]:
    data = event.payload["data"]
    return {
        **_origin("LLMRetry", event),
        "attempt": data["attempt"],
        "wait_s": data["wait_s"],
        "error": _failure(data["error"]),
    }


def _origin(name: str, event: Event) -> dict[str, Any]:
    return {
        "type": name,
        "time": datetime.fromtimestamp(event.time, UTC).isoformat(),
        "run_id": event.run_id,
        "parent_run_id": event.parent_ids[-1] if event.parent_ids else None,
        "name": event.name,
    }


def _about(name: str, event: Event, request: ModelRequest) -> dict[str, Any]:
    about = {
        **_origin(name, event),
        "provider": request.provider,
        "model": request.model,
        "tools": request.tool_names,
    }
    if event.tags:
        about["tags"] = event.tags
    if event.metadata:
        about["metadata"] = event.metadata
    return about


def _failure(error: BaseException) -> dict[str, Any]:
    told = {"type": type(error).__name__, "message": str(error)}
    known = {name: getattr(error, name, None) for name in ("status", "code", "request_id")}
    return told | {name: value for name, value in known.items() if value is not None}


class _Stderr(logging.StreamHandler[Any]):
    """Writes to stderr as it is now, events as they are and other records with their level."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        pass  # a stream of another time

    def format(self, record: logging.LogRecord) -> str:
        told = super().format(record)
        return (
            told
            if record.name == EVENT_LOGGER_NAME
            else f"{record.levelname} {record.name}: {told}"
        )


def _read_environment(wanted: str | None) -> None:
    """Sets up what HEADRACE_LOG asks for."""
    match (wanted or "").strip().lower():
        case "":
            return
        case "off":
            _log.disabled = True
        case "error" | "info" | "debug" as level:
            package = logging.getLogger("headrace")
            package.addHandler(_Stderr())
            for log in (package, _log):
                log.setLevel(level.upper())
        case other:
            warnings.warn(
                f"HEADRACE_LOG is off, error, info or debug, not {other!r}; it is ignored",
                RuntimeWarning,
                stacklevel=2,
            )


_read_environment(os.environ.get("HEADRACE_LOG"))
