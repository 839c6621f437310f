"""A function of yours as a chat model: plain, async, or a generator of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from headrace.chat_models.asked import REQUEST, Asked
from headrace.chat_models.base import BaseChatModel
from headrace.chat_models.chunking import as_chunk
from headrace.chat_models.identity import identity_of
from headrace.chat_models.prompt_caching import EVERYWHERE
from headrace.chat_models.settings import Settings
from headrace.chat_models.wires import Wire
from headrace.engine.drive import close
from headrace.engine.user import (
    Seam,
    is_async_generator_function,
    is_coroutine_function,
    is_generator_function,
)
from headrace.errors import InputError
from headrace.messages import AIMessage, AIMessageChunk, BaseMessage
from headrace.profiles import ModelProfile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.engine.run import Run

Piece = str | AIMessage | list[Any]
Answer = Piece | Iterator[Piece] | AsyncIterator[Piece]
Answering = Callable[..., Answer | Awaitable[Answer]]


def from_callable(
    function: Answering, name: str | None = None, **parameters: Any
) -> FunctionChatModel:
    """A chat model that answers by calling `function(messages, …)`.

    It gives a text, a list of blocks or an AIMessage, or an iterator of texts and chunks, sync
    or async. What else it wants to see it asks for by the names of its parameters: `tools`,
    `tool_choice`, `response_format`, `stop`, `model`, `temperature` …, `**others`, or all as
    `settings`. `name`: the model's name, else the function's. `parameters`: of the model.
    """
    return FunctionChatModel(function=function, model=name or _name_of(function), **parameters)


class FunctionChatModel(BaseChatModel):
    """A function as a model; see `from_callable`.

    What the function does not ask for it cannot take: parameters are left out with a record,
    tools are refused. Usage is what an AIMessage of the function says, else None.
    """

    provider: ClassVar[str] = "callable"
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {"function"}
    model: str = Field(default="function", description="Any name.", min_length=1)
    function: Callable[..., Any] = Field(description="What answers.", repr=False, exclude=True)
    _asked: Asked | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:

        def __init__(self, function: Callable[..., Any], **data: Any) -> None:
            super().__init__(function=function, **data)

    @field_validator("function")
    @classmethod
    def _check_function(cls, value: Any, info: ValidationInfo) -> Any:
        cls._asked_by(value, info.data.get("model_kwargs"))
        return value

    @classmethod
    def _asked_by(cls, function: Callable[..., Any], more: Any) -> Asked:
        return Asked.by(function, {*_parameters_of(cls), *REQUEST, "model", *(more or ())})

    @property
    def asked(self) -> Asked:
        """What the function asks for of a request, read from its signature once."""
        kept = self.__pydantic_private__ or {}
        found: Asked | None = kept.get("_asked")
        if found is None:
            found = self._asked = self._asked_by(self.function, self.model_kwargs)
        return found

    def _known_facts(self) -> ModelProfile:
        asked = self.asked
        facts = {"tool_calling": asked.sees("tools"), "tool_choice": asked.sees("tool_choice")}
        if "response_format" in asked.names:
            facts["structured_output"] = True
        sources = dict.fromkeys(facts, "signature")
        return ModelProfile(facts, sources, provider=self.provider, model=self.model)

    def _wire(self) -> Wire:
        asked = self.asked
        forms = {"json_schema", "json_mode"} if not asked.sees("response_format") else set()
        lacks = {name for name in _parameters_of(type(self)) if not asked.sees(name)}
        return Wire(
            service=f"{_name_of(self.function)}()",
            takes=frozenset({"cache_prompt"} - lacks),
            lacks=frozenset((lacks | forms) - {"cache_prompt"}),
            marks=EVERYWHERE,  # content reaches a function as it is
        )

    def _address(self) -> str:
        return identity_of(self.function)

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        positional, named = self.asked.arguments(messages, settings)
        function = partial(self.function, *positional, **named)
        found = await _called(function, Seam(run, self.get_name()))
        if not isinstance(found, AsyncIterator):
            yield self._whole(found)
            return
        called, told = False, set[str]()
        try:
            async for item in found:
                chunk = _chunk(item)
                called = called or bool(chunk.tool_call_chunks or chunk.tool_calls)
                told |= chunk.response_metadata.keys()
                yield chunk
        finally:
            await close(found)
        about = {name: said for name, said in self._about(called).items() if name not in told}
        if about:
            yield AIMessageChunk("", response_metadata=about)

    def _whole(self, answer: Any) -> AIMessageChunk:
        """An answer that came at once, as the one chunk of a stream."""
        chunk = _chunk(answer)
        about = {**self._about(bool(chunk.tool_calls)), **chunk.response_metadata}
        return cast("AIMessageChunk", chunk.model_copy(update={"response_metadata": about}))

    def _about(self, called: bool) -> dict[str, str]:
        """What is said of an answer, where the function does not say it."""
        reason = "tool_calls" if called else "stop"
        return {
            "model_provider": self.provider,
            "model_name": self.model,
            "finish_reason": reason,
        }


async def _called(function: Callable[[], Any], seam: Seam) -> Any:
    """What a function gives: called, awaited if need be, an iterator as an async one."""
    io = seam.run.io
    if is_generator_function(function):
        return io.generate(lambda _: function(), _nothing(), seam)
    if is_async_generator_function(function):
        found = seam.call(function)
    elif is_coroutine_function(function):
        found = await seam.call_async(function)
    else:
        found = await seam.call_plain(function)
        if isinstance(found, Awaitable):
            found = await seam.call_async(_awaited, found)
    if isinstance(found, AsyncIterator):
        return seam.items(found)
    return io.generate(lambda _: found, _nothing(), seam) if isinstance(found, Iterator) else found


async def _awaited(found: Awaitable[Any]) -> Any:
    return await found


async def _nothing() -> AsyncGenerator[Any, None]:
    return
    yield


def _chunk(item: Any) -> AIMessageChunk:
    if isinstance(item, AIMessageChunk):
        return item
    if isinstance(item, AIMessage):
        return as_chunk(item, last=False)
    if isinstance(item, str | list):
        return AIMessageChunk(item)
    raise InputError(
        "a function that is a model gives a text, a list of blocks, an AIMessage, or an iterator "
        f"of texts and chunks, not {type(item).__name__} {item!r}"
    )


def _parameters_of(cls: type[BaseChatModel]) -> set[str]:
    """The parts of a request that may be set on a model or in a call."""
    fields = {name for name in cls.model_fields if name not in cls.plumbing}
    return {*fields, "stop", "tools", "tool_choice"} - {"model", "model_kwargs", "extra_body"}


def _name_of(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return "function" if name == "<lambda>" else str(name)
