"""Answers out of a cache: the key of a request, and how a hit is told from an answer.

The cache stands outside the attempts: a hit passes no limiter, is tried once, and costs nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from headrace.caches import CacheStore, get_default_cache
from headrace.caches.store import read, tell_once, write
from headrace.chat_models.cache_records import Fields, Record, fields_of, write_record
from headrace.chat_models.fitting import remarks
from headrace.chat_models.timeouts import Watch
from headrace.engine.drive import close
from headrace.engine.flights import Turn, take_turn
from headrace.errors import ConfigurationError, InputError
from headrace.messages import AIMessage, AIMessageChunk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Call, Settings
    from headrace.engine.run import Run
    from headrace.messages import BaseMessage

VERSION = 1
# What earlier answers in a conversation carry that no provider is sent.
_UNSENT = frozenset({"id", "response_metadata", "usage_metadata"})
# With these a service answers from what it keeps itself, or later: equal requests differ.
_UNREPEATABLE = ("background", "conversation")
_STREAM_FLAGS = frozenset({"stream", "stream_options"})


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How a cache is used. `store`: None is the model's own, True the process's, False none.

    `ttl` in seconds, None: the store's own. `fresh`: what is kept is not read, only replaced.
    """

    store: CacheStore | bool | None = None
    ttl: float | None = None
    namespace: str = ""
    fresh: bool = False

    def over(self, inner: CacheUse) -> CacheUse:
        """Both, this one outside: its store stands, if it names one."""
        named = inner if self.store is None else self
        return replace(named, fresh=self.fresh or inner.fresh)


_NO_USE = CacheUse()


def fresh(call: Call) -> Call:
    """The call tried again: what is kept was not good enough, or is not there."""
    return replace(call, cache=replace(call.cache or _NO_USE, fresh=True))


class Slot:
    """The place in a cache of the answer to one request."""

    def __init__(
        self, model: BaseChatModel, settings: Settings, store: CacheStore, key: str, use: CacheUse
    ) -> None:
        self._model, self._settings, self._store = model, settings, store
        self._key, self._use = key, use
        self._watch = Watch(settings.watch.timeout)

    async def value(self, make: Callable[[], Coroutine[Any, Any, Any]], run: Run) -> AIMessage:
        """The answer kept, or the one that `make` gives, which is then kept."""
        turn = await self._turn(run)
        try:
            record = await self._found(turn, run)
            if record is not None:
                about = self._about(record)
                if run.wants_chunks:
                    for chunk in record.chunks(about):
                        await run.emit("chunked", {"chunk": chunk})
                return record.message(about)
            message: AIMessage = await make()
            await self._keep([message], turn, run)
            return message
        finally:
            turn.leave()

    async def stream(
        self, open: Callable[[], AsyncGenerator[AIMessageChunk, None]], run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """The chunks kept, as they came; or those of `open()`, kept once the last is there."""
        turn = await self._turn(run)
        try:
            record = await self._found(turn, run)
            if record is not None:
                for chunk in record.chunks(self._about(record)):
                    yield chunk
                return
            items = self._recorded(open(), turn, run)
            try:
                async for chunk in items:
                    turn.hands_out()
                    yield chunk
                    turn.resumes()
            finally:
                await close(items)
        finally:
            turn.leave()

    async def _recorded(
        self, items: AsyncGenerator[AIMessageChunk, None], turn: Turn, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """The chunks, each copied before anybody has it; the last one waits until all is kept."""
        kept: list[Fields] | None = []
        last: AIMessageChunk | None = None
        try:
            async for chunk in items:
                if last is not None:
                    yield last
                last = chunk if chunk.chunk_position == "last" else None
                kept = self._copied(chunk, kept)
                if last is None:
                    yield chunk
            if kept:
                await self._write(kept, turn, run)
            if last is not None:
                yield last
        finally:
            await close(items)

    async def _turn(self, run: Run) -> Turn:
        """The turn among equal requests; who waits for another's keeps to a timeout of its own."""
        key = (id(self._store), self._key, self._use.fresh)
        try:
            return await take_turn(key, run.bounded(run.bounds.within(run.bounds.left)))
        except TimeoutError as error:
            end = run.bounds.to_end
            if end is not None and end <= 0:
                raise  # that of a `with_timeout` further out
            raise self._watch.error() from error

    async def _found(self, turn: Turn, run: Run) -> Record | None:
        if (landed := turn.found) is not None:
            return Record(landed)
        if self._use.fresh:
            return None
        data = await read(self._store, self._key, run.io)
        if data is None:
            return None
        try:
            record = Record(data)
        except InputError as error:
            tell_once(self._store, "read back in part", error)
            return None
        turn.land(data)
        return record

    def _about(self, record: Record) -> dict[str, Any]:
        """What a hit says of itself: its own adaptations, and that it cost nothing."""
        said = record.said
        about = {"cached": True, **remarks(self._model, self._settings, said.get("model_name"))}
        if (cost := said.get("cost_usd")) is not None:
            about["saved_cost_usd"] = cost
        return {**about, "cost_usd": 0.0, **self._watch.figures}

    async def _keep(self, answers: Sequence[AIMessage], turn: Turn, run: Run) -> None:
        kept: list[Fields] | None = []
        for answer in answers:
            kept = self._copied(answer, kept)
        if kept:
            await self._write(kept, turn, run)

    def _copied(self, answer: AIMessage, kept: list[Fields] | None) -> list[Fields] | None:
        """`kept` and this; None from the first on that cannot be written as JSON."""
        if kept is not None:
            try:
                kept.append(fields_of(answer))
            except ValueError as error:  # a partner's or user's metadata hold what is no JSON
                tell_once(self._store, "given an answer", error)
                return None
        return kept

    async def _write(self, kept: list[Fields], turn: Turn, run: Run) -> None:
        data = write_record(kept)
        await write(self._store, self._key, data, self._use.ttl, run.io)
        turn.land(data)


def slot_for(
    model: BaseChatModel, messages: list[BaseMessage], settings: Settings, call: Call
) -> Slot | None:
    """The place of this request in the cache it is to use; None where it uses none."""
    use = call.cache or _NO_USE
    given = model.cache if use.store is None else use.store
    if given is False:
        return None
    store = get_default_cache() if given is None or given is True else given
    if store is None:
        if given is None:
            return None
        raise ConfigurationError(
            "`cache=True` asks for the cache of the process and there is none; "
            "set one by `set_default_cache(InMemoryCache())` or give a store"
        )
    settings = replace(settings, notes=settings.notes.copy())
    if any(settings.sent.get(name) for name in _UNREPEATABLE):
        return None
    try:
        key = key_of(model, messages, settings)
    except TypeError as error:  # something in the request is no JSON
        tell_once(store, "asked", error)
        return None
    return Slot(model, settings, store, f"{use.namespace}:{key}", use)


def key_of(model: BaseChatModel, messages: list[BaseMessage], settings: Settings) -> str:
    """The digest of what a request says to whom, streamed or not.

    The order of the body's own fields does not matter; inside them it does, for a model sees
    the order of a schema's properties.
    """
    body = model._request(messages, settings)
    if body is None:
        body = _neutral_body(messages, settings)
    said = {name: body[name] for name in sorted(body) if name not in _STREAM_FLAGS}
    asked = [VERSION, model.provider, model._address(), said]
    return sha256(json.dumps(asked, default=_plain, ensure_ascii=False).encode()).hexdigest()


def _neutral_body(messages: list[BaseMessage], settings: Settings) -> dict[str, Any]:
    """The request of a model that does not say how it is written."""
    said = []
    for message in messages:
        data = message.model_dump(mode="json")
        said.append({name: value for name, value in data.items() if name not in _UNSENT})
    form = settings.response_format
    return {
        "messages": said,
        "params": dict(sorted(settings.params.items())),
        "tools": settings.tools,
        "tool_choice": settings.tool_choice,
        "response_format": form and [form.name, form.schema, form.method, form.strict],
        "stop": settings.stop,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"sha256": sha256(value).hexdigest()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "items"):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a cache's key")
