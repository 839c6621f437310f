"""What listeners see of a step: it started, its chunks, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from headrace.engine.drive import Once, close
from headrace.engine.sums import NOTHING, Accumulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine

    from headrace.engine.run import Run

NO_MORE: Mapping[str, Any] = MappingProxyType({})


async def value(
    run: Run,
    name: str,
    run_type: str,
    input: Any,
    work: Callable[[Any, Run], Coroutine[Any, Any, Any]],
    tag: str | None = None,
    about: Mapping[str, Any] = NO_MORE,
) -> Any:
    """The value of `work(input, child run)`, with its start and its end told.

    `about`: what each event of it carries beside.
    """
    child = run.child(name, run_type, tag)
    await child.emit("started", {"input": input, **about})
    try:
        output = await work(input, child)
    except BaseException as error:
        await child.emit("failed", {"error": error, "input": input, **about})
        raise
    await child.emit("ended", {"output": output, "input": input, **about})
    return output


async def stream(
    run: Run,
    name: str,
    run_type: str,
    chunks: AsyncIterator[Any],
    work: Callable[[AsyncIterator[Any], Run], AsyncIterator[Any]],
    tag: str | None = None,
    about: Mapping[str, Any] = NO_MORE,
) -> AsyncGenerator[Any, None]:
    """The chunks of `work(chunks, child run)`, each told as it passes; `about` as in `value`."""
    child = run.child(name, run_type, tag)
    seen, total = Accumulator(), Accumulator()
    known, source = None, chunks
    if isinstance(chunks, Once):
        known = chunks.value
    else:  # what comes before this step starts before it, too
        source = _tapped(chunks, await anext(chunks, NOTHING), seen)
    await child.emit("started", {"input": known, "streamed": True, **about})
    produced = work(source, child)
    told = child.wants_chunks
    try:
        async for chunk in produced:
            total.feed(chunk)
            if told:
                await child.emit("chunked", {"chunk": chunk})
            yield chunk
    except GeneratorExit:
        await close(produced)
        await child.emit("ended", _result(known, seen, total, about, reason="closed"))
        raise
    except BaseException as error:
        await close(produced)
        await child.emit("failed", _result(known, seen, total, about, error=error))
        raise
    finally:
        await close(source)
    await child.emit("ended", _result(known, seen, total, about))


async def _tapped(
    chunks: AsyncIterator[Any], first: Any, seen: Accumulator
) -> AsyncGenerator[Any, None]:
    try:
        if first is not NOTHING:
            seen.feed(first)
            yield first
        async for chunk in chunks:
            seen.feed(chunk)
            yield chunk
    finally:
        await close(chunks)


def _result(
    known: Any, seen: Accumulator, total: Accumulator, about: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    output, summed = total.total(), seen.total()
    return {
        "output": None if output is NOTHING else output,
        "input": known if summed is NOTHING else summed,
        **about,
        **more,
    }
