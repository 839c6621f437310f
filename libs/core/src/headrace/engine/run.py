"""The run: what a call carries down its tree, and the config it is opened from."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from headrace.deferred import uuid
from headrace.engine import observe
from headrace.engine.bounds import NO_BOUNDS, Bounds
from headrace.engine.events import IDS, Event, EventKind, Listener, as_listeners, report
from headrace.engine.strands import DEFAULT_CONCURRENCY, Budget, Scope, Stopped
from headrace.errors import InputError, suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable

    from headrace.engine.worlds import World

DEFAULT_RECURSION_LIMIT = 25


class RunnableConfig(TypedDict, total=False):
    """Settings of one call, inherited by all that it calls, but `run_name` and `run_id`.

    `max_concurrency`: strands at work at once in the whole tree (32). `recursion_limit`: how
    deep functions may return runnables (25). `configurable`: values of configurable fields.
    """

    tags: list[str]
    metadata: dict[str, Any]
    callbacks: Any
    run_name: str
    max_concurrency: int | None
    recursion_limit: int
    configurable: dict[str, Any]
    run_id: uuid.UUID | str | None


class Step(Protocol):
    """What the engine needs of a Runnable."""

    run_type: Any
    transparent: Any

    def get_name(self) -> str: ...
    def _invoke(self, input: Any, run: Run) -> Coroutine[Any, Any, Any]: ...
    def _transform(self, chunks: AsyncIterator[Any], run: Run) -> AsyncIterator[Any]: ...


class Pending:
    """What was said of the next run only: its own name, id, tags, metadata and listeners."""

    __slots__ = ("listeners", "metadata", "name", "run_id", "tags")

    def __init__(self) -> None:
        self.name: str | None = None
        self.run_id: str | None = None
        self.tags: tuple[str, ...] = ()
        self.metadata: dict[str, Any] = {}
        self.listeners: tuple[Listener, ...] = ()


class Run:
    """What a step is given beside its input. For partners: `io`, `note`, `child`, `invoke`.

    `io` is the world the run lives in; all waiting goes through it. With no listener one Run
    serves the whole tree; with listeners every step has its own, with an `id`.
    """

    __slots__ = (
        "_own",
        "_pending",
        "_seq",
        "_shared",
        "bounds",
        "budget",
        "configurable",
        "depth",
        "id",
        "io",
        "listeners",
        "metadata",
        "name",
        "parent_ids",
        "run_type",
        "scope",
        "tags",
        "wants_chunks",
    )

    def __init__(self, io: World, budget: Budget, scope: Scope) -> None:
        self.io, self.budget, self.scope = io, budget, scope
        self.depth, self.bounds = DEFAULT_RECURSION_LIMIT, NO_BOUNDS
        self.tags: tuple[str, ...] = ()
        self.metadata: dict[str, Any] = {}
        self.configurable: dict[str, Any] = {}
        self.listeners: tuple[Listener, ...] = ()
        self.wants_chunks = False
        self.id: str | None = None
        self.parent_ids: tuple[str, ...] = ()
        self.name, self.run_type = "", "chain"
        self._own: tuple[tuple[str, ...], dict[str, Any], tuple[Listener, ...]] = ((), {}, ())
        self._pending: Pending | None = None
        self._shared = False  # whether anybody else works under this budget
        self._seq: Callable[[], int] | None = None

    def _copy(self) -> Run:
        # Written out: a loop over the slots takes five times as long.
        new = Run.__new__(Run)
        new.io, new.budget, new.scope, new.depth = self.io, self.budget, self.scope, self.depth
        new.tags, new.metadata, new.configurable = self.tags, self.metadata, self.configurable
        new.listeners, new.wants_chunks = self.listeners, self.wants_chunks
        new.id, new.parent_ids = self.id, self.parent_ids
        new.name, new.run_type = self.name, self.run_type
        new._own, new._pending, new._seq = self._own, self._pending, self._seq
        new._shared, new.bounds = self._shared, self.bounds
        return new

    def within(self, scope: Scope) -> Run:
        """This run, called off when `scope` is."""
        new = self._copy()
        new.scope = scope
        return new

    def bounded(self, bounds: Bounds) -> Run:
        """This run under other bounds; itself where they are its own."""
        if bounds is self.bounds:
            return self
        new = self._copy()
        new.bounds = bounds
        return new

    def deeper(self) -> Run:
        """This run with one level of `recursion_limit` less."""
        new = self._copy()
        new.depth -= 1
        return new

    def nested(self, io: World) -> Run:
        """The run of a call made inside this one, in the same or the other world."""
        new = self._copy()
        new.io, new._pending, new._shared = io, None, True
        return new

    def configured(self, config: Mapping[str, Any], *, bound: bool = False) -> Run:
        """This run under a config: lists and dicts add up, of single values the new one wins.

        `bound`: the config of a step, under which what the run already says stands.
        Raises InputError for an unknown key or a value of the wrong kind.
        """
        check_config(config)
        new = self._copy()
        if tags := config.get("tags"):
            new.tags = tuple(dict.fromkeys((*self.tags, *tags)))
        if metadata := config.get("metadata"):
            new.metadata = _merged(self.metadata, metadata, bound)
        if configurable := config.get("configurable"):
            new.configurable = _merged(self.configurable, configurable, bound)
        if (callbacks := config.get("callbacks")) is not None:
            new = new.heard_by(as_listeners(callbacks))
        if (limit := config.get("max_concurrency")) is not None:
            new.budget = Budget(limit, self.budget if self._shared else None)
            new._shared = True
        depth = config.get("recursion_limit")
        if depth is not None and not (bound and self.depth != DEFAULT_RECURSION_LIMIT):
            new.depth = depth
        name, run_id = config.get("run_name"), config.get("run_id")
        if name or run_id:
            new._pending = pending = _again(self._pending)
            known = pending.name if bound else None
            pending.name = known or name or pending.name
            pending.run_id = str(run_id) if run_id else pending.run_id
        return new

    def heard_by(self, listeners: tuple[Listener, ...]) -> Run:
        """This run with listeners more, to it and to all below it."""
        new = self._copy()
        new.listeners = _distinct((*self.listeners, *listeners))
        new.wants_chunks = any("chunked" in item.wants for item in new.listeners)
        return new

    def with_configurable(self, values: dict[str, Any]) -> Run:
        """This run with these values of configurable fields in place of its own."""
        new = self._copy()
        new.configurable = values
        return new

    def pending(
        self,
        *,
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        callbacks: Any = None,
        name: str | None = None,
    ) -> Run:
        """This run, with what shall be said of the next step only and not of its children."""
        new = self._copy()
        new._pending = pending = _again(self._pending)
        pending.tags = tuple(dict.fromkeys((*pending.tags, *tags)))
        pending.metadata = {**pending.metadata, **(metadata or {})}
        pending.listeners = _distinct((*pending.listeners, *as_listeners(callbacks)))
        pending.name = pending.name or name
        return new

    def without_id(self, warn: bool) -> Run:
        """This run without a `run_id` of the caller's: an id is of one run only."""
        if self._pending is None or self._pending.run_id is None:
            return self
        if warn:
            warnings.warn("`run_id` names the first run of a batch only", RuntimeWarning, 4)
        new = self._copy()
        new._pending = _again(self._pending)
        new._pending.run_id = None
        return new

    @property
    def observed(self) -> bool:
        """Whether anybody listens, to the tree or to the next step alone."""
        return bool(self.listeners) or (self._pending is not None and bool(self._pending.listeners))

    def child(self, name: str, run_type: str = "chain", tag: str | None = None) -> Run:
        """The run of one step below this one, with an id of its own."""
        pending, new = self._pending, self._copy()
        new.run_type, new._pending = run_type, None
        if self.id is not None:
            new.parent_ids = (*self.parent_ids, self.id)
        else:
            new._seq = count(1).__next__
        own = (tag,) if tag else ()
        if pending is None:
            new.name, new.id, new._own = name, IDS.new(), (own, {}, ())
            return new
        new.name, new.id = pending.name or name, pending.run_id or IDS.new()
        new._own = ((*own, *pending.tags), pending.metadata, pending.listeners)
        if any("chunked" in item.wants for item in pending.listeners):
            new.wants_chunks = True
        return new

    async def emit(self, kind: EventKind, payload: dict[str, Any]) -> None:
        """Tells the listeners that want `kind`; awaits the async ones, in either world."""
        event: Event | None = None
        for listener in self.audience(kind):
            event = event or self.event(kind, payload)
            try:
                answer = listener.handle(event)
                if answer is not None:
                    await self.io.listen(answer)
            except Exception as error:
                report(listener, error)

    def audience(self, kind: EventKind) -> list[Listener]:
        """Who wants events of this kind from this very run."""
        everyone = (*self.listeners, *self._own[2]) if self._own[2] else self.listeners
        return [listener for listener in everyone if kind in listener.wants]

    def event(self, kind: EventKind, payload: dict[str, Any]) -> Event:
        tags, metadata, _ = self._own
        return Event(
            kind,
            self.id or "",
            self.parent_ids,
            self._seq() if self._seq else 0,
            self.name,
            self.run_type,
            tuple(dict.fromkeys((*self.tags, *tags))) if tags else self.tags,
            {**self.metadata, **metadata} if metadata else self.metadata,
            payload,
        )

    async def note(self, name: str, data: Any = None, *, custom: bool = False) -> None:
        """Tells listeners of something on the way: an attempt, a custom event, a figure.

        `custom`: never to be taken for a note of our own, whatever its name.
        """
        if self.listeners or self._own[2]:
            mark = {"custom": True} if custom else {}
            await self.emit("noted", {"name": name, "data": data, **mark})

    async def sleep(self, seconds: float) -> None:
        """Waits; a sync run that is called off meanwhile ends with Stopped."""
        await self.io.sleep(seconds, self.scope)

    @property
    def checked(self) -> bool:
        """Whether this run is to look if it was called off: in sync fan-outs and streams."""
        return self.scope.nested and not self.io.is_async

    def check(self) -> None:
        """Raises Stopped if this run was called off; async runs are cancelled instead."""
        if self.scope.stopped:
            raise Stopped

    def invoke(self, step: Step, input: Any, tag: str | None = None) -> Coroutine[Any, Any, Any]:
        """The value of one step below this run."""
        if self._pending is None and not self.listeners:
            return step._invoke(input, self)
        if step.transparent:
            return step._invoke(input, self.pending(tags=(tag,)) if tag else self)
        if not self.observed:
            return step._invoke(input, self.settled())
        return observe.value(self, step.get_name(), step.run_type, input, step._invoke, tag)

    def transform(
        self, step: Step, chunks: AsyncIterator[Any], tag: str | None = None
    ) -> AsyncIterator[Any]:
        """The chunks of one step below this run, from the chunks of its input."""
        if self._pending is None and not self.listeners:
            return step._transform(chunks, self)
        if step.transparent:
            return step._transform(chunks, self.pending(tags=(tag,)) if tag else self)
        if not self.observed:
            return step._transform(chunks, self.settled())
        return observe.stream(self, step.get_name(), step.run_type, chunks, step._transform, tag)

    def settled(self) -> Run:
        """This run without what was pending, which nobody listens for."""
        new = self._copy()
        new._pending = None
        return new


def check_config(config: Mapping[str, Any]) -> None:
    """Raises InputError for what no config holds."""
    if not isinstance(config, Mapping):
        raise InputError(f"a config is a dict, not {config!r}")
    for key, value in config.items():
        kind = _KINDS.get(key)
        if kind is None:
            raise InputError(
                f"no config key `{key}`{suggestion(key, _KINDS)}; there are "
                + ", ".join(f"`{name}`" for name in _KINDS)
                + "; values of configurable fields go into `configurable`"
            )
        identifies = key == "run_id" and isinstance(value, uuid.UUID)
        if value is not None and not isinstance(value, kind) and not identifies:
            raise InputError(f"config `{key}` is {_WORDS[key]}, not {value!r}")
        if key == "max_concurrency" and value is not None and value < 1:
            raise InputError(f"config `max_concurrency` is at least 1, not {value!r}")


_KINDS: dict[str, Any] = {
    "tags": list | tuple,
    "metadata": Mapping,
    "callbacks": object,
    "run_name": str,
    "max_concurrency": int,
    "recursion_limit": int,
    "configurable": Mapping,
    "run_id": str,
}
_WORDS = {
    "tags": "a list of strings",
    "metadata": "a dict",
    "run_name": "a string",
    "max_concurrency": "a whole number",
    "recursion_limit": "a whole number",
    "configurable": "a dict",
    "run_id": "a UUID or string",
}


def _merged(old: dict[str, Any], new: Mapping[str, Any], keep: bool) -> dict[str, Any]:
    return {**new, **old} if keep else {**old, **new}


def _again(pending: Pending | None) -> Pending:
    new = Pending()
    if pending is not None:
        for slot in Pending.__slots__:
            setattr(new, slot, getattr(pending, slot))
    return new


def _distinct(listeners: Iterable[Listener]) -> tuple[Listener, ...]:
    known: list[Listener] = []
    for listener in listeners:
        if not any(item is listener or item == listener for item in known):
            known.append(listener)
    return tuple(known)


current: ContextVar[Run | None] = ContextVar("headrace_run", default=None)

# Listeners to every call made in this context, and in the threads and tasks started from it.
ambient: ContextVar[tuple[Listener, ...]] = ContextVar("headrace_listeners", default=())

_everywhere: tuple[Listener, ...] = ()


def listen_everywhere(listener: Listener) -> None:
    """Lets a listener hear every call of this process that begins from now on."""
    global _everywhere
    _everywhere = _distinct((*_everywhere, listener))


def stop_listening(listener: Listener) -> None:
    """Takes back `listen_everywhere`; calls under way are heard to their end."""
    global _everywhere
    _everywhere = tuple(item for item in _everywhere if item is not listener)


class InjectedConfig(dict[str, Any]):
    """The config a function asks for by a parameter `config`; remembers the run it is of."""

    run: Run


class _Callbacks(list[Any]):
    """The `callbacks` of an injected config; by them a changed copy of it remembers the run."""

    run: Run


def config_of(run: Run) -> InjectedConfig:
    """The config under which a call made by hand continues this run, wherever it is made."""
    callbacks = _Callbacks(run.listeners)
    config = InjectedConfig(
        tags=list(run.tags),
        metadata=dict(run.metadata),
        callbacks=callbacks,
        configurable=dict(run.configurable),
        recursion_limit=run.depth,
    )
    config.run = callbacks.run = run
    return config


def run_of(config: Any) -> Run | None:
    """The run that an injected config is of, else the one whose function runs here."""
    if isinstance(config, dict):
        carrier = config if isinstance(config, InjectedConfig) else config.get("callbacks")
        if isinstance(carrier, InjectedConfig | _Callbacks):
            return carrier.run
    return current.get()


def open_run(
    io: World, config: Mapping[str, Any] | None, limit: int | None = None, of: Any = None
) -> Run:
    """The run of a call at a door: nested in the run of the function that makes it, if any.

    `of`: the config that says which run that is, where it is not `config` itself.
    """
    parent = run_of(config if of is None else of)
    if parent is not None:
        run = parent.nested(io)
        if parent.scope.stopped and not io.is_async:
            run.scope = _cleaning()
    else:
        run = Run(io, Budget(limit or DEFAULT_CONCURRENCY), Scope())
    around = ambient.get()
    if around or _everywhere:
        run = run.heard_by((*_everywhere, *around))
    if config:
        run = run.configured(config)
    run._shared = True
    return run


def _cleaning() -> Scope:
    """A scope for what a step that was called off calls while it cleans up, else Stopped."""
    if isinstance(sys.exc_info()[1], Stopped | GeneratorExit):
        return Scope()
    raise Stopped
