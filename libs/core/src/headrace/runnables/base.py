"""Runnable: a step written once, and its doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from headrace.engine.drive import AsyncStream, Once, Stream, close, close_all, drive
from headrace.engine.hooks import reach
from headrace.engine.run import check_config, open_run
from headrace.engine.strands import Scope, Stopped
from headrace.engine.sums import NOTHING, Accumulator
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import InputError
from headrace.runnables.composing import Composing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence

    from headrace.engine.run import Run, RunnableConfig
    from headrace.engine.worlds import World

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)


class Runnable(Composing[Input, Output]):
    """A step of a pipeline: value in, value out; chunks in, chunks out.

    A subclass writes `async _invoke(input, run)`, or `async _transform(chunks, run)` as an
    async generator, or both; all waiting goes through `run.io`, so that one coroutine serves
    sync and async callers. What is missing is made from what is there.
    """

    __slots__ = ()
    run_type = "chain"
    transparent = False  # True: passes its run on, so listeners do not see it

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if (
            not abstract
            and cls._invoke is Runnable._invoke
            and cls._transform is Runnable._transform
        ):
            raise TypeError(
                f"class {cls.__name__} has neither `async def _invoke(self, input, run)` nor "
                "`async def _transform(self, chunks, run)`; write one"
            )

    # What a step is, in one coroutine and one async generator.

    async def _invoke(self, input: Input, run: Run) -> Output:
        chunks = self._transform(Once(input), run)
        try:
            total: Any = await collect(chunks, run)
        finally:
            await close(chunks)
        return None if total is NOTHING else total  # type: ignore[return-value]  # None out

    async def _transform(
        self, chunks: AsyncIterator[Input], run: Run
    ) -> AsyncGenerator[Output, None]:
        total = await collect(chunks, run)
        if total is not NOTHING:
            yield await self._invoke(total, run)

    def _with_kwargs(self, kwargs: dict[str, Any]) -> Runnable[Input, Output]:
        """This step with arguments of a call; only some kinds of step take any."""
        raise InputError(
            f"`{self.get_name()}` takes no call arguments; found "
            + ", ".join(f"`{name}`" for name in kwargs)
        )

    def _limit(self) -> int | None:
        """The `max_concurrency` that the step itself was configured with."""
        return None

    def get_name(self, suffix: str | None = None) -> str:
        """The name in events, errors and graphs."""
        name = getattr(self, "name", None) or type(self).__name__
        return f"{name}{suffix[0].upper()}{suffix[1:]}" if suffix else str(name)

    # The doors. Nobody overrides one.

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """The output for one input. Starts no event loop and, without a fan-out, no thread."""
        step = self._with_kwargs(kwargs) if kwargs else self
        run = open_run(sync_world(), config, step._limit())
        output: Output = drive(run.invoke(step, input))
        return output

    async def ainvoke(
        self, input: Input, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Output:
        """The output for one input, awaited."""
        step = self._with_kwargs(kwargs) if kwargs else self
        run = open_run(async_world(), config, step._limit())
        output: Output = await run.invoke(step, input)
        return output

    def stream(
        self, input: Input, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Stream[Output]:
        """The chunks of the output as they come; `.result` is their sum, `close()` ends it."""
        return Stream(self._open(sync_world(), Once(input), config, kwargs))

    def astream(
        self, input: Input, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """As `stream`; `async with chain.astream(x) as chunks:` closes it at once when left."""
        return AsyncStream(self._open(async_world(), Once(input), config, kwargs))

    def transform(
        self, input: Iterable[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Stream[Output]:
        """The chunks of the output from the chunks of the input."""
        io = sync_world()
        return Stream(self._open(io, io.iterate(input), config, kwargs))

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """As `transform`, from an async iterator."""
        io = async_world()
        return AsyncStream(self._open(io, io.iterate(input), config, kwargs))

    def batch(
        self,
        inputs: Iterable[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Output]:
        """The outputs in the order of the inputs, which are pulled one at a time.

        At most `max_concurrency` (32) are worked on at once. The first error stops the rest
        and is raised, or stands in its place with `return_exceptions`.
        """
        step = self._with_kwargs(kwargs) if kwargs else self
        return drive(step._batch(sync_world(), inputs, config, return_exceptions))

    async def abatch(
        self,
        inputs: Iterable[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Output]:
        """As `batch`, awaited."""
        step = self._with_kwargs(kwargs) if kwargs else self
        return await step._batch(async_world(), inputs, config, return_exceptions)

    def batch_as_completed(
        self,
        inputs: Iterable[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> Stream[tuple[int, Output | Exception]]:
        """(index, output) as each is done; stops pulling inputs while 16 results wait."""
        step = self._with_kwargs(kwargs) if kwargs else self
        return Stream(step._completed(sync_world(), inputs, config, return_exceptions), sums=False)

    def abatch_as_completed(
        self,
        inputs: Iterable[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> AsyncStream[tuple[int, Output | Exception]]:
        """As `batch_as_completed`, as an async iterator."""
        step = self._with_kwargs(kwargs) if kwargs else self
        return AsyncStream(
            step._completed(async_world(), inputs, config, return_exceptions), sums=False
        )

    def astream_events(
        self,
        input: Input,
        config: RunnableConfig | None = None,
        *,
        version: str = "v2",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[dict[str, Any]]:
        """What happens in the run and below it, as dicts of `event`, `name`, `data` and more.

        Closing it cancels the run. Events are `on_{type}_{start,stream,end,error}`.
        """
        step = self._with_kwargs(kwargs) if kwargs else self
        return reach("stream_events")(  # type: ignore[no-any-return]  # from the hook table
            step,
            input,
            config,
            version=version,
            include=(include_names, include_types, include_tags),
            exclude=(exclude_names, exclude_types, exclude_tags),
        )

    # What the doors share.

    def _open(
        self,
        io: World,
        chunks: AsyncIterator[Any],
        config: RunnableConfig | None,
        kwargs: dict[str, Any],
    ) -> AsyncGenerator[Output, None]:
        step = self._with_kwargs(kwargs) if kwargs else self
        run = open_run(io, config, step._limit())
        scope = Scope(run.scope)
        produced = run.within(scope).transform(step, chunks)
        return _scoped(produced, chunks, scope, checks=not io.is_async)

    async def _batch(
        self, io: World, inputs: Iterable[Any], config: Any, return_exceptions: bool
    ) -> list[Any]:
        runs, size = _Runs(io, inputs, config, self._limit()), _size(inputs)
        results: dict[int, Any] = {}

        async def do(item: tuple[int, Any]) -> None:
            index, value = item
            try:
                results[index] = await runs.at(index).invoke(self, value)
            except Exception as error:
                if not return_exceptions:
                    raise
                results[index] = error

        if size != 0:
            await io.spread(enumerate(inputs), do, runs.budget, runs.scope, size)
        return [results[index] for index in range(len(results))]

    def _completed(
        self, io: World, inputs: Iterable[Any], config: Any, return_exceptions: bool
    ) -> AsyncGenerator[tuple[int, Any], None]:
        runs, size = _Runs(io, inputs, config, self._limit()), _size(inputs)

        async def one(item: tuple[int, Any]) -> AsyncGenerator[tuple[int, Any], None]:
            index, value = item
            try:
                result = await runs.at(index).invoke(self, value)
            except Exception as error:
                if not return_exceptions:
                    raise
                result = error
            yield index, result

        async def pairs() -> AsyncGenerator[tuple[int, Any], None]:
            flow = io.flow(enumerate(inputs), one, runs.budget, runs.scope, size, lend=True)
            try:
                async for pair in flow:
                    yield pair
            finally:
                await close(flow)

        return pairs()


async def collect(chunks: AsyncIterator[Any], run: Run | None = None) -> Any:
    """The sum of all chunks, or NOTHING; ends early where `run` was called off."""
    if isinstance(chunks, Once):
        async for value in chunks:
            return value
    total = Accumulator()
    check = run.check if run is not None and run.checked else None
    async for chunk in chunks:
        if check is not None:
            check()
        total.feed(chunk)
    return total.total()


async def _scoped(
    produced: AsyncIterator[Any], chunks: AsyncIterator[Any], scope: Scope, checks: bool
) -> AsyncGenerator[Any, None]:
    """The chunks of a root run; leaving it closes its steps, then its source."""
    try:
        async for chunk in produced:
            yield chunk
            if checks and scope.stopped:
                raise Stopped
    except BaseException:
        scope.stop()
        raise
    finally:
        await close_all(produced, chunks)


class _Runs:
    """The run of each item of a batch: one config for all, or one each."""

    def __init__(self, io: World, inputs: Any, config: Any, limit: int | None) -> None:
        many = config if isinstance(config, list | tuple) else None
        size = _size(inputs)
        if many is not None and size is not None and len(many) != size:
            raise InputError(
                f"a batch of {size} inputs takes one config or {size}, not {len(many)}"
            )
        first = None
        for own in many or ():
            check_config(own)
            first = first or own
        shared = first.get("max_concurrency") if first else None
        base = config if many is None else {"max_concurrency": shared} if shared else None
        opened = open_run(io, base, limit, of=first)
        self.scope, self.budget, self._many = Scope(opened.scope), opened.budget, many
        self._first = opened.within(self.scope)
        self._rest = self._first.without_id(warn=size not in (0, 1))

    def at(self, index: int) -> Run:
        if self._many is None:
            return self._rest if index else self._first
        if index >= len(self._many):
            raise InputError(f"input {index} of the batch has no config: {len(self._many)} given")
        own = {k: v for k, v in self._many[index].items() if k != "max_concurrency"}
        return self._first.configured(own) if own else self._first


def _size(inputs: Any) -> int | None:
    return len(inputs) if hasattr(inputs, "__len__") else None
