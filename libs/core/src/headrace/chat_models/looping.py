"""tool_loop: a model and its tools, run until the model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from headrace.chat_models.executing import Executor, OnToolError, Talk, identified, unread
from headrace.chat_models.model import Layered, Model, ModelInput, as_model
from headrace.chat_models.settings import NO_CALL, Call
from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.engine.sums import NOTHING
from headrace.errors import InputError, ToolLoopLimitError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolMessage,
    convert_to_messages,
    message_chunk_to_message,
    sum_chunks,
)
from headrace.runnables.base import Runnable, collect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from typing_extensions import TypeForm

    from headrace.engine.drive import AsyncStream, Stream
    from headrace.engine.run import Run

Out = TypeVar("Out", covariant=True)
T = TypeVar("T")
Returns = Literal["answer", "messages"]


class ToolLoop(Runnable[ModelInput, Out]):
    """A model that calls tools, with the tools run for it; see `tool_loop`."""

    name = "tool_loop"

    def __init__(
        self, model: Model[Any], executor: Executor, *, max_steps: int, returns: Returns
    ) -> None:
        self.model, self.executor = model, executor
        self.max_steps, self.returns = max_steps, returns

    async def _invoke(self, input: ModelInput, run: Run) -> Any:
        talk = Talk(convert_to_messages(input))
        items = self._items(talk, run, self._whole)
        try:
            async for _ in items:
                pass
        finally:
            await close(items)
        if self.returns == "answer":
            return talk.answer
        ends = isinstance(talk.answer, BaseMessage)
        return talk.new if ends else [*talk.new, talk.answer]

    async def _transform(
        self, chunks: AsyncIterator[ModelInput], run: Run
    ) -> AsyncGenerator[Any, None]:
        input = await collect(chunks, run)
        if input is NOTHING:
            return
        items = self._items(Talk(convert_to_messages(input)), run, self._chunks)
        try:
            async for item in items:
                yield item
        finally:
            await close(items)

    async def _items(
        self, talk: Talk, run: Run, ask: Callable[..., AsyncGenerator[Any, None]]
    ) -> AsyncGenerator[Any, None]:
        """All that happens on the way; `talk` holds what came of it."""
        # A retry around the loop begins the conversation anew; what it cost to come so far
        # shall not be lost for one request, which is therefore tried again by itself as well.
        run = run.bounded(run.bounds.untaken())
        for step in range(self.max_steps):
            run.check()
            asked = ask(talk, self._call(step), run)
            try:
                async for item in asked:
                    yield item
            finally:
                await close(asked)
            if not self._goes_on(talk.answer):
                return
            if step + 1 == self.max_steps:
                raise self._limit_reached(talk)
            results = self._results(talk, run)
            try:
                async for message in results:
                    yield message
            finally:
                await close(results)
            if isinstance(talk.answer, ToolMessage):
                return

    def _call(self, step: int) -> Call:
        """A choice that forces a call holds for the first request: else no loop would end."""
        return Call(frees=step > 0, passes_calls=True)

    async def _whole(self, talk: Talk, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        """Asks once; gives the answer, whole."""
        self._take(talk, await self.model._ask(talk.messages, call, run))
        yield talk.answer

    async def _chunks(self, talk: Talk, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        """Asks once; gives the chunks, and among them the object of a schema as it grows."""
        chunks: list[AIMessageChunk] = []
        found: Any = NOTHING
        items = self.model._ask_stream(talk.messages, call, run)
        try:
            async for item in items:
                if isinstance(item, AIMessageChunk):
                    ended = bool(chunks) and chunks[-1].chunk_position == "last"
                    if ended and (item.content or item.tool_call_chunks):
                        chunks.clear()  # asked again for an object that could not be read
                    chunks.append(item)
                else:
                    found = item
                yield item
        finally:
            await close(items)
        if chunks:
            self._take(talk, message_chunk_to_message(sum_chunks(chunks)))
        if found is not NOTHING and not self._goes_on(talk.answer):
            self._take(talk, found)

    def _take(self, talk: Talk, answer: Any) -> None:
        talk.answer = identified(answer) if isinstance(answer, AIMessage) else answer
        if isinstance(talk.answer, AIMessage):
            talk.add(talk.answer)

    def _goes_on(self, answer: Any) -> bool:
        if not isinstance(answer, AIMessage):
            return False  # the object of a schema
        calls = [*answer.tool_calls, *answer.invalid_tool_calls]
        schema = bound_call(self.model).schema
        if schema is not None and any(call["name"] == schema.name for call in calls):
            return False
        return bool(calls) or answer.response_metadata.get("finish_reason") == "pause"

    async def _results(self, talk: Talk, run: Run) -> AsyncGenerator[ToolMessage, None]:
        """The answers to all calls as they are done; in the conversation in order of the calls."""
        message, executor = talk.answer, self.executor
        calls: list[dict[str, Any]] = []
        given: dict[str, ToolMessage] = {}
        for call in message.tool_calls:
            call, instead = await executor.approved(call, run)
            calls.append(call)
            if instead is not None:
                given[call["id"]] = instead
        if calls != message.tool_calls:
            self._edit(talk, calls)
        unreadable = unread(talk.answer)
        for answer in (*given.values(), *unreadable):
            yield answer
        todo = [call for call in calls if call["id"] not in given]
        answers = executor.answers(todo, talk, run)
        try:
            async for index, answer in answers:
                given[todo[index]["id"]] = answer
                yield answer
        finally:
            await close(answers)
        results = [given[call["id"]] for call in calls]
        talk.add(*results, *unreadable)
        done = results and not unreadable and all(one.status == "success" for one in results)
        if done and executor.returns_direct(calls):
            talk.answer = results[-1]

    def _edit(self, talk: Talk, calls: list[dict[str, Any]]) -> None:
        """Calls as `approve` changed them stand in the conversation for those of the model."""
        edited = talk.answer.model_copy()
        edited.tool_calls = calls
        talk.answer = talk.messages[-1] = talk.new[-1] = edited

    def _limit_reached(self, talk: Talk) -> ToolLoopLimitError:
        names = ", ".join(f"`{call['name']}`" for call in talk.answer.tool_calls) or "more"
        return ToolLoopLimitError(
            f"the model asked for {names} in the last of {self.max_steps} steps; raise "
            "`max_steps`, or go on from `.messages`",
            messages=talk.messages,
        )

    if TYPE_CHECKING:  # a stream also gives the chunks and results on the way

        def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Stream[Any]: ...
        def astream(self, input: Any, config: Any = None, **kwargs: Any) -> AsyncStream[Any]: ...

    @overload
    def with_structured_output(
        self, schema: TypeForm[T], *, include_raw: Literal[False] = ..., **options: Any
    ) -> ToolLoop[T]: ...
    @overload
    def with_structured_output(
        self, schema: Mapping[str, Any], *, include_raw: Literal[False] = ..., **options: Any
    ) -> ToolLoop[dict[str, Any]]: ...
    @overload
    def with_structured_output(self, schema: Any, **options: Any) -> ToolLoop[Any]: ...
    def with_structured_output(self, schema: Any, **options: Any) -> ToolLoop[Any]:
        """This loop, run to an object of `schema`; options as for a model."""
        return self._over(self.model.with_structured_output(schema, **options))

    def _with_kwargs(self, kwargs: dict[str, Any]) -> ToolLoop[Out]:
        return self._over(self.model.bind(**kwargs))

    def _over(self, model: Model[Any]) -> ToolLoop[Any]:
        return ToolLoop(model, self.executor, max_steps=self.max_steps, returns=self.returns)

    def _limit(self) -> int | None:
        return self.model._limit()

    def __repr__(self) -> str:
        return f"tool_loop({self.model!r}, {list(self.executor.steps)})"


@overload
def tool_loop(
    model: Model[Out],
    tools: Iterable[Any],
    *,
    max_steps: int = ...,
    parallel: bool = ...,
    on_tool_error: OnToolError = ...,
    approve: Callable[[dict[str, Any]], Any] | None = ...,
    returns: Literal["answer"] = ...,
) -> ToolLoop[Out]: ...
@overload
def tool_loop(
    model: Model[Any],
    tools: Iterable[Any],
    *,
    max_steps: int = ...,
    parallel: bool = ...,
    on_tool_error: OnToolError = ...,
    approve: Callable[[dict[str, Any]], Any] | None = ...,
    returns: Literal["messages"],
) -> ToolLoop[list[Any]]: ...
def tool_loop(
    model: Model[Any],
    tools: Iterable[Any],
    *,
    max_steps: int = 10,
    parallel: bool = True,
    on_tool_error: OnToolError = "return",
    approve: Callable[[dict[str, Any]], Any] | None = None,
    returns: Returns = "answer",
) -> ToolLoop[Any]:
    """The model with its calls run and answered, until it answers or `max_steps` requests went.

    Gives the last AIMessage, or the object if the model has a schema; `returns="messages"`:
    all new messages. Streams AIMessageChunks, a ToolMessage for each call as it is done, and
    the object. `approve(call)` returns True, False, a reason to refuse, the call as it shall
    be, or a ToolMessage. `on_tool_error="raise"`: an error of a tool ends the loop.
    """
    if max_steps < 1:
        raise InputError(f"`max_steps` is a whole number from 1 up, not {max_steps!r}")
    if returns not in ("answer", "messages"):
        raise InputError(f'`returns` is "answer" or "messages", not {returns!r}')
    executor = Executor(tools, parallel=parallel, on_tool_error=on_tool_error, approve=approve)
    bound = as_model(model, "tool_loop").bind_tools(executor.bound)
    executor.keep(bound_call(bound).tool_choice)
    return ToolLoop(bound, executor, max_steps=max_steps, returns=returns)


def bound_call(model: Model[Any]) -> Call:
    """What the layers of a model ask for; of fallbacks, those around them and the first."""
    call = NO_CALL
    while isinstance(model, Layered):
        call, model = model.layer.asking(call), model.inner
    return call


provide("tool_loop", tool_loop)
