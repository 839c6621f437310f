"""One request from its input to its message: events, attempts, timeouts, and what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from headrace.callbacks.event_log import logged
from headrace.chat_models.admission import admit
from headrace.chat_models.attempts import begun, late_error, own_policy
from headrace.chat_models.caching import slot_for
from headrace.chat_models.charging import charge, usage_and_facts
from headrace.chat_models.chunking import as_chunk
from headrace.chat_models.fitting import fit, remarks
from headrace.chat_models.telling import told_of
from headrace.engine import observe
from headrace.engine.drive import Once, close
from headrace.errors import ModelError, WireError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    convert_to_messages,
    message_chunk_to_message,
    sum_chunks,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from headrace.chat_models.base import BaseChatModel
    from headrace.chat_models.settings import Call, Settings
    from headrace.engine.run import Run


def _own(model: BaseChatModel, settings: Settings, run: Run) -> Run:
    """The run with what the model itself was given to say of its requests, and its deadline."""
    run = run.bounded(run.bounds.hoping(settings.watch.timeout.total))
    if model.callbacks is not None or model.tags or model.metadata:
        run = run.pending(tags=model.tags, metadata=model.metadata, callbacks=model.callbacks)
    return logged(run)


async def ask(model: BaseChatModel, input: Any, call: Call, run: Run) -> AIMessage:
    """The message that answers `input`; streams inside where a listener wants chunks."""
    messages, settings = fit(model, convert_to_messages(input), model.settings(call))
    run = _own(model, settings, run)

    async def work(_: Any, run: Run) -> AIMessage:
        streams = model.streams and (run.wants_chunks or not model.generates)
        once = _summed if streams else _generate
        policy = own_policy(model.max_retries)

        def make() -> Coroutine[Any, Any, AIMessage]:
            return policy.value(lambda run: once(model, messages, settings, call, run), run)

        slot = slot_for(model, messages, settings, call)
        return await (make() if slot is None else slot.value(make, run))

    if not run.observed:
        return await work(input, run)
    about = told_of(model, messages, settings, streamed=False)
    answer = await observe.value(run, model.get_name(), "chat_model", input, work, about=about)
    return cast(AIMessage, answer)


async def ask_stream(
    model: BaseChatModel, input: Any, call: Call, run: Run
) -> AsyncGenerator[AIMessageChunk, None]:
    """The chunks of the answer; the last has `chunk_position="last"`."""
    messages, settings = fit(model, convert_to_messages(input), model.settings(call))
    run = _own(model, settings, run)

    def work(_: Any, run: Run) -> AsyncGenerator[AIMessageChunk, None]:
        policy = own_policy(model.max_retries)

        def open() -> AsyncGenerator[AIMessageChunk, None]:
            return policy.stream(lambda run: _watched(model, messages, settings, call, run), run)

        slot = slot_for(model, messages, settings, call)
        return open() if slot is None else slot.stream(open, run)

    if run.observed:
        about = told_of(model, messages, settings, streamed=True)
        given = Once(input)
        items = observe.stream(run, model.get_name(), "chat_model", given, work, about=about)
    else:
        items = work(input, run)
    try:
        async for chunk in items:
            yield chunk
    finally:
        await close(items)


async def _summed(
    model: BaseChatModel, messages: list[BaseMessage], settings: Settings, call: Call, run: Run
) -> AIMessage:
    """The message of a stream, each chunk told to those who listen.

    One that breaks off may be tried again as any request: its caller has seen nothing of it.
    """
    chunks = []
    items = _watched(model, messages, settings, call, run)
    try:
        async for chunk in items:
            if run.wants_chunks:
                await run.emit("chunked", {"chunk": chunk})
            chunks.append(chunk)
    finally:
        await close(items)
    return cast(AIMessage, message_chunk_to_message(sum_chunks(chunks)))


async def _generate(
    model: BaseChatModel, messages: list[BaseMessage], settings: Settings, call: Call, run: Run
) -> AIMessage:
    run.check()
    await model._prepare(run)
    with await admit(model, messages, settings, call, run) as ticket:
        watch, settings = begun(settings, run, ticket)
        message = await _timed(model, messages, settings, run)
        about = message.response_metadata
        about.update(remarks(model, settings, about.get("model_name")))
        about.update(watch.figures, **ticket.figures)
        about.update(charge(model, settings, message.usage_metadata, about))
        ticket.seen.append(message)
        ticket.answered(message.usage_metadata, about)
    return message


async def _timed(
    model: BaseChatModel, messages: list[BaseMessage], settings: Settings, run: Run
) -> AIMessage:
    watch = settings.watch
    try:
        message = await run.io.bounded(model._generate(messages, settings, run), watch.left)
    except TimeoutError as error:
        if (late := late_error(error, watch)) is None:
            raise
        raise late from error
    if not isinstance(message, AIMessage):
        raise WireError(
            f"`{model.get_name()}._generate` gives an AIMessage, not {type(message).__name__}"
        )
    return message


async def _watched(
    model: BaseChatModel, messages: list[BaseMessage], settings: Settings, call: Call, run: Run
) -> AsyncGenerator[AIMessageChunk, None]:
    """The chunks of one attempt, under its timeout; a break after the first keeps the partial."""
    if not model.streams:
        yield as_chunk(await _generate(model, messages, settings, call, run))
        return
    run.check()
    await model._prepare(run)
    with await admit(model, messages, settings, call, run) as ticket:
        watch, settings = begun(settings, run, ticket)
        seen = ticket.seen
        items = run.io.guarded(model._stream(messages, settings, run), lambda: watch.left)
        try:
            async for chunk in items:
                watch.saw(True)
                seen.append(chunk)
                yield chunk
                watch.resume()
        except GeneratorExit:
            raise
        except BaseException as error:
            late = late_error(error, watch)
            _keep_partial(late or error, seen, model, settings)
            if late is None:
                raise
            raise late from error
        finally:
            await close(items)
        told = {**_told(model, settings, seen), **watch.figures, **ticket.figures}
        ticket.answered(None, told)
    yield AIMessageChunk("", response_metadata=told, chunk_position="last")


def _told(model: BaseChatModel, settings: Settings, seen: list[AIMessageChunk]) -> dict[str, Any]:
    """What is to be said of an answer that came in these chunks: remarks and its cost."""
    usage, said = usage_and_facts(seen)
    told = remarks(model, settings, said.get("model_name"))
    return {**told, **charge(model, settings, usage, {**said, **told})}


def _keep_partial(
    error: Any, seen: list[AIMessageChunk], model: BaseChatModel, settings: Settings
) -> None:
    """Leaves on the error of a stream, or on its cancellation, what had come until then."""
    ours = isinstance(error, ModelError) or not isinstance(error, Exception)
    if ours and seen and getattr(error, "partial", None) is None:
        error.partial = message_chunk_to_message(sum_chunks(seen))
        error.partial.response_metadata.update(_told(model, settings, seen))
        error.usage = error.partial.usage_metadata
