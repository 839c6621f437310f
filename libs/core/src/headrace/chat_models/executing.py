"""Runs the tool calls of one answer: approval first, then all calls, each answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import uuid4

from headrace.engine.drive import close
from headrace.engine.strands import Scope
from headrace.engine.user import Seam, is_coroutine_function
from headrace.errors import (
    ConfigurationError,
    InputError,
    SuspendedError,
    UsageLimitExceeded,
    suggestion,
)
from headrace.messages import AIMessage, BaseMessage, ToolMessage
from headrace.runnables.base import Runnable
from headrace.tools import Tool, ToolArgumentError, convert_to_tool, tool
from headrace.tools.convert import tool_inside
from headrace.tools.result import content_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.chat_models.settings import ToolChoice
    from headrace.engine.run import Run

OnToolError = Literal["return", "raise"]
# True or False, the reason of a refusal, the call as it shall be, or the answer in its place.
Verdict: TypeAlias = bool | str | Mapping[str, Any] | ToolMessage
# Errors of the program, which no model can make good.
_OURS = (SuspendedError, ConfigurationError, UsageLimitExceeded, InputError)


class Talk:
    """One run of a loop: the conversation, what is new in it, and what came of it."""

    __slots__ = ("answer", "messages", "new", "state")

    def __init__(self, messages: list[BaseMessage]) -> None:
        self.messages, self.new = list(messages), list[BaseMessage]()
        self.state: dict[str, Any] = {}
        self.answer: Any = None

    def add(self, *messages: BaseMessage) -> None:
        self.messages += messages
        self.new += messages


class Executor:
    """The tools that may be run, and how."""

    def __init__(
        self,
        tools: Iterable[Any],
        *,
        parallel: bool,
        on_tool_error: OnToolError,
        approve: Callable[[dict[str, Any]], Any] | None,
    ) -> None:
        if on_tool_error not in ("return", "raise"):
            raise InputError(f'`on_tool_error` is "return" or "raise", not {on_tool_error!r}')
        if approve is not None and not callable(approve):
            raise InputError(f"`approve` is a function of a call, not {approve!r}")
        self.bound = [_runnable(item) for item in tools]
        steps = [item for item in self.bound if isinstance(item, Runnable)]
        self.steps = {_tool_of(step).name: step for step in steps}
        self.parallel, self.on_tool_error, self.approve = parallel, on_tool_error, approve

    def keep(self, choice: ToolChoice | None) -> None:
        """Of a list of allowed tools the others are not run, whatever the model asks for."""
        if isinstance(choice, tuple):
            self.steps = {name: step for name, step in self.steps.items() if name in choice}

    async def answers(
        self, calls: list[dict[str, Any]], talk: Talk, run: Run
    ) -> AsyncGenerator[tuple[int, ToolMessage], None]:
        """(index of the call, its answer) as each is done."""

        async def one(item: tuple[int, Any]) -> AsyncGenerator[tuple[int, ToolMessage], None]:
            index, call = item
            yield index, await self._answer(call, talk, run.within(scope))

        scope = Scope(run.scope)
        if self.parallel and len(calls) > 1:
            todo = enumerate(calls)
            flow = run.io.flow(todo, one, run.budget, scope, len(calls), lend=True)
            try:
                async for answer in flow:
                    yield answer
            finally:
                await close(flow)
            return
        for index, call in enumerate(calls):
            yield index, await self._answer(call, talk, run)

    async def approved(
        self, call: dict[str, Any], run: Run
    ) -> tuple[dict[str, Any], ToolMessage | None]:
        """The call as it shall be run; or with the answer to give in its place."""
        if self.approve is None or call["name"] not in self.steps:
            return call, None
        seam, asked = Seam(run, "approve"), partial(self.approve, deepcopy(call))
        waits = is_coroutine_function(self.approve)
        verdict: Verdict = await (seam.call_async(asked) if waits else seam.call_plain(asked))
        match verdict:
            case True:
                return call, None
            case False:
                return call, _failed(call, f"the call of `{call['name']}` was refused")
            case str():
                said = f"the call of `{call['name']}` was refused: {verdict}"
                return call, _failed(call, said)
            case ToolMessage():
                return call, verdict
            case {"name": str(name), "args": Mapping() as args}:
                return {**call, "name": name, "args": dict(args)}, None
        raise InputError(
            "`approve` returns True, False, the reason of a refusal, the call as it shall be, or "
            f"a ToolMessage in its place; it returned {verdict!r}"
        )

    async def _answer(self, call: dict[str, Any], talk: Talk, run: Run) -> ToolMessage:
        name = call["name"]
        step = self.steps.get(name)
        if step is None:
            return _failed(call, _unknown(name, self.steps))
        step = _told(step, talk)
        try:
            found = await run.invoke(step, call)
        except ToolArgumentError as error:
            return _failed(call, str(error))  # the model's mistake, which it can make good
        except _OURS:
            raise
        except Exception as error:
            if self.on_tool_error == "raise":
                raise
            return _failed(call, said_by(error))
        if not isinstance(found, ToolMessage):
            return ToolMessage(content_of(found), call["id"], name=name)
        if found.tool_call_id == call["id"]:
            return found
        return found.model_copy(update={"tool_call_id": call["id"]})

    def returns_direct(self, calls: list[dict[str, Any]]) -> bool:
        """Whether the results of all these calls are the answer."""
        steps = [self.steps.get(call["name"]) for call in calls]
        return all(step is not None and _tool_of(step).return_direct for step in steps)


def identified(message: AIMessage) -> AIMessage:
    """The message with an id for each of its calls: a new one where it is missing or used twice.

    A call that may have been cut off before its first argument counts as one that was.
    """
    calls, invalid = list(message.tool_calls), list(message.invalid_tool_calls)
    if _cut(message):
        cut = calls.pop()
        why = "the answer was cut off (finish_reason `length`), perhaps before its arguments"
        invalid.append(
            {
                "type": "invalid_tool_call",
                "name": cut["name"],
                "args": "",
                "id": cut["id"],
                "error": why,
            }
        )
    ids = [call["id"] for call in (*calls, *invalid)]
    if len(invalid) == len(message.invalid_tool_calls) and all(ids) and len({*ids}) == len(ids):
        return message
    seen: set[Any] = {None, ""}
    new = message.model_copy()
    new.tool_calls = [_with_id(call, seen) for call in calls]
    new.invalid_tool_calls = [_with_id(call, seen) for call in invalid]
    return new


def unread(message: AIMessage) -> list[ToolMessage]:
    """The answers to calls that could not be read."""
    return [
        _failed(call, f"the call was not run: {call.get('error') or 'it could not be read'}")
        for call in message.invalid_tool_calls
    ]


def said_by(error: Exception) -> str:
    """What a model is told of an error of a tool."""
    return str(error) if isinstance(error, ToolArgumentError) else f"{_kind(error)}{error}"


def _kind(error: Exception) -> str:
    name = type(error).__name__
    return "" if name == "ToolError" else f"{name}: " if str(error) else name


def _cut(message: AIMessage) -> bool:
    if message.response_metadata.get("finish_reason") != "length" or message.invalid_tool_calls:
        return False
    return bool(message.tool_calls) and not message.tool_calls[-1]["args"]


def _with_id(call: Any, seen: set[Any]) -> Any:
    id = call["id"]
    if id in seen:
        id = f"call_{uuid4().hex[:24]}"
    seen.add(id)
    return {**call, "id": id}


def _failed(call: Mapping[str, Any], said: str) -> ToolMessage:
    return ToolMessage(said, call["id"], name=call["name"], status="error")


def _unknown(name: str, known: Iterable[str]) -> str:
    names = list(known)
    there = ", ".join(f"`{item}`" for item in names) or "none"
    return f"there is no tool `{name}`{suggestion(name, names)}; the tools are {there}"


def _runnable(item: Any) -> Any:
    """A step that runs a tool; the dict of one that the provider runs, as it is."""
    if tool_inside(item) is not None:
        return item
    if callable(item) and not isinstance(item, type):
        return tool(item)
    described = convert_to_tool(item)
    if "parameters" not in described:
        return described
    raise InputError(
        f"a tool loop cannot run `{described['name']}`, which is only described; give a function "
        "or a Tool of that name"
    )


def _tool_of(step: Any) -> Tool:
    found = tool_inside(step)
    assert found is not None  # `_runnable` lets nothing else through
    return found


def _told(step: Any, talk: Talk) -> Any:
    """The step with what its ToolRuntime shows, where it is a tool that asks for one."""
    if isinstance(step, Tool):
        return step.inside(talk.messages, talk.state)
    return step
