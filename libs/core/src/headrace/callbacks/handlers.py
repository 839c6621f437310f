"""Handlers: listeners with a method for each kind of event, under the names the field knows."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from headrace.callbacks.request import ModelRequest
from headrace.engine.events import OWN_NOTES
from headrace.messages import convert_to_messages, get_buffer_string

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from headrace.engine.events import Event, EventKind


# Which kind of event each method hears of.
_METHODS: dict[str, EventKind] = {
    **{f"on_{family}_start": "started" for family in ("chain", "llm", "tool", "retriever")},
    **{f"on_{family}_end": "ended" for family in ("chain", "llm", "tool", "retriever")},
    **{f"on_{family}_error": "failed" for family in ("chain", "llm", "tool", "retriever")},
    "on_chat_model_start": "started",
    "on_llm_new_token": "chunked",
    "on_retry": "noted",
    "on_fallback": "noted",
    "on_text": "noted",
    "on_custom_event": "noted",
}


class BaseCallbackHandler:
    """Override what you want to hear of; what nobody overrides costs nothing.

    Every method also gets `run_id`, `parent_run_id`, `tags` and `metadata` by keyword, and
    but for `on_custom_event` the `name` of the step.
    A method may be a coroutine function. What it raises is logged once and changes no result,
    unless `raise_error` is True. `ignore_*` mute methods without their being overridden.
    """

    wants: frozenset[EventKind] = frozenset()
    _heard: frozenset[str] = frozenset()  # the methods that are overridden
    raise_error: bool = False
    ignore_llm: bool = False
    ignore_chat_model: bool = False
    ignore_chain: bool = False
    ignore_agent: bool = False
    ignore_retriever: bool = False
    ignore_retry: bool = False
    ignore_custom_event: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        base = BaseCallbackHandler
        cls._heard = frozenset(n for n in _METHODS if getattr(cls, n) is not getattr(base, n))
        cls.wants = frozenset(_METHODS[name] for name in cls._heard)

    @property
    def raise_errors(self) -> bool:
        return self.raise_error

    # The methods, by what runs.

    def on_chain_start(self, serialized: dict[str, Any], inputs: Any, **kwargs: Any) -> Any:
        """A step begins; `serialized` holds its `name` and `type`."""

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> Any:
        """A step has its output; `reason="closed"` if its stream was left before the end."""

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> Any:
        """A step failed."""

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[Any], **kwargs: Any
    ) -> Any:
        """A chat model begins, on a list of messages; `invocation_params` holds its parameters."""

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], **kwargs: Any) -> Any:
        """A model begins: of chat models, their messages as one text, unless
        `on_chat_model_start` is overridden."""

    def on_llm_new_token(self, token: str, *, chunk: Any = None, **kwargs: Any) -> Any:
        """A piece of a model's answer: its text, and the chunk."""

    def on_llm_end(self, response: Any, **kwargs: Any) -> Any:
        """A model has answered; `response` is the message."""

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> Any:
        """A model failed."""

    def on_tool_start(self, serialized: dict[str, Any], input_str: str, **kwargs: Any) -> Any:
        """A tool begins; `inputs`, a keyword, holds its arguments as they are."""

    def on_tool_end(self, output: Any, **kwargs: Any) -> Any:
        """A tool has its output."""

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> Any:
        """A tool failed."""

    def on_retriever_start(self, serialized: dict[str, Any], query: Any, **kwargs: Any) -> Any:
        """A retriever begins."""

    def on_retriever_end(self, documents: Any, **kwargs: Any) -> Any:
        """A retriever has its documents."""

    def on_retriever_error(self, error: BaseException, **kwargs: Any) -> Any:
        """A retriever failed."""

    # The methods, by what is told on the way.

    def on_retry(self, retry_state: dict[str, Any], **kwargs: Any) -> Any:
        """A failed attempt is followed by another: `attempt`, `error` and `wait_s`."""

    def on_fallback(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """A step failed and another takes its place: `error`, and who."""

    def on_text(self, text: str, **kwargs: Any) -> Any:
        """A step said something on the way, by `run.note("text", …)`."""

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> Any:
        """A custom event of the user's, by its name."""

    def handle(self, event: Event) -> Awaitable[None] | None:
        """Calls the method for an event; what it returns if that is to be awaited."""
        name = self._method(event)
        if name is None or self._ignores(name, event.run_type):
            return None
        args, extra = _arguments(name, event)
        if name != "on_custom_event":
            extra["name"] = event.name
        answer = getattr(self, name)(*args, **_about(event), **extra)
        return answer if answer is not None and inspect.isawaitable(answer) else None

    def _method(self, event: Event) -> str | None:
        """The overridden method that hears of this event."""
        name = _noted(event) if event.kind == "noted" else _name(event.kind, event.run_type)
        if name == "on_chat_model_start" and name not in self._heard:
            name = "on_llm_start"
        return name if name in self._heard else None

    def _ignores(self, name: str, run_type: str) -> bool:
        if run_type == "chat_model" and self.ignore_chat_model and name not in _APART:
            return True
        return bool(getattr(self, _mute(name, run_type)))


class AsyncCallbackHandler(BaseCallbackHandler):
    """A handler whose methods may be `async def`, as those of the other may: a name to port by.

    In an async run they are awaited in place; in a sync one on a loop in a thread of its own.
    """


_FAMILIES = {"chat_model": "llm", "llm": "llm", "tool": "tool", "retriever": "retriever"}
_MUTED_BY = {"llm": "llm", "tool": "agent", "retriever": "retriever"}
_APART = frozenset({"on_retry", "on_custom_event"})  # what they tell is of no family
_ENDINGS = {"started": "start", "ended": "end", "failed": "error"}


def _family(run_type: str) -> str:
    """Which methods hear of a step; of parsers and prompts, those for chains."""
    return _FAMILIES.get(run_type, "chain")


def _noted(event: Event) -> str:
    note = event.payload["name"]
    own = note in OWN_NOTES and not event.payload.get("custom")
    return f"on_{note}" if own else "on_custom_event"


@lru_cache(maxsize=256)  # few kinds of steps; each event asks
def _name(kind: EventKind, run_type: str) -> str:
    if kind == "chunked":
        return f"on_{_family(run_type)}_new_token"
    if kind == "started" and run_type == "chat_model":
        return "on_chat_model_start"
    return f"on_{_family(run_type)}_{_ENDINGS[kind]}"


@lru_cache(maxsize=256)
def _mute(name: str, run_type: str) -> str:
    """The switch that mutes a method."""
    if name in _APART:
        return f"ignore_{name.removeprefix('on_')}"
    return f"ignore_{_MUTED_BY.get(_family(run_type), 'chain')}"


def _arguments(name: str, event: Event) -> tuple[tuple[Any, ...], dict[str, Any]]:
    payload = event.payload
    match event.kind:
        case "noted":
            own = () if name != "on_custom_event" else (payload["name"],)
            return (*own, payload["data"]), {}
        case "chunked":
            chunk = payload["chunk"]
            text = chunk if isinstance(chunk, str) else getattr(chunk, "text", "")
            return (text,), {"chunk": chunk}
        case "failed":
            return (payload["error"],), {}
        case "ended":
            reason = {"reason": payload["reason"]} if "reason" in payload else {}
            return (payload["output"],), reason
        case "started":
            return _beginning(name, event)


def _beginning(name: str, event: Event) -> tuple[tuple[Any, ...], dict[str, Any]]:
    serialized, given = {"name": event.name, "type": event.run_type}, event.payload["input"]
    if name == "on_chat_model_start":
        return (serialized, convert_to_messages(given)), _parameters(event.payload.get("request"))
    if name == "on_llm_start":
        text = get_buffer_string(convert_to_messages(given))
        return (serialized, [given if isinstance(given, str) else text]), {}
    if name == "on_tool_start":
        return (serialized, str(given)), {"inputs": given}
    return (serialized, given), {}


def _parameters(request: Any) -> dict[str, Any]:
    if not isinstance(request, ModelRequest):
        return {}
    asked = {"tools": request.tools, "tool_choice": request.tool_choice, "stop": request.stop}
    given = {name: value for name, value in asked.items() if value}
    return {"invocation_params": {**request.params, **given}}


def _about(event: Event) -> dict[str, Any]:
    return {
        "run_id": _uuid(event.run_id),
        "parent_run_id": _uuid(event.parent_ids[-1]) if event.parent_ids else None,
        "tags": list(event.tags),
        "metadata": dict(event.metadata),
    }


@lru_cache(maxsize=1024)  # each run is told of twice, and by each of its children
def _uuid(run_id: str) -> UUID | str:
    """A run id as the field's handlers know it; one of the caller's own making stays a str."""
    try:
        return UUID(run_id)
    except ValueError:
        return run_id
