"""Models that answer as a test says."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PrivateAttr

from headrace.chat_models import BaseChatModel, Settings
from headrace.errors import InputError
from headrace.messages import AIMessage, AIMessageChunk, BaseMessage
from headrace.testing.streaming import pieces

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.engine.run import Run


class ScriptedCall:
    """One request that a scripted model got: its messages and settings."""

    def __init__(self, messages: list[BaseMessage], settings: Settings) -> None:
        self.messages, self.settings = messages, settings

    def __repr__(self) -> str:
        return f"ScriptedCall({self.messages!r})"


class ScriptedChatModel(BaseChatModel):
    """Gives the replies in order; `calls` holds every request.

    A reply is a text, an AIMessage, a list of chunks (streamed as they are), or an exception
    to raise. With none left: InputError.
    """

    provider: ClassVar[str] = "scripted"
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {"replies"}
    model: str = Field(default="scripted", description="Any name.")
    replies: tuple[Any, ...] = Field(
        default=(), description="What to answer, in order.", repr=False
    )
    _calls: list[ScriptedCall] = PrivateAttr(default_factory=list)
    _next: Any = PrivateAttr(default_factory=lambda: count().__next__)

    if not TYPE_CHECKING:

        def __init__(self, replies: Iterable[Any] = (), **data: Any) -> None:
            super().__init__(replies=tuple(replies), **data)

    @property
    def calls(self) -> list[ScriptedCall]:
        return self._calls

    def _reply(self, messages: list[BaseMessage], settings: Settings) -> Any:
        self._calls.append(ScriptedCall(list(messages), settings))
        number = self._next()
        if number >= len(self.replies):
            raise InputError(
                f"the script has {len(self.replies)} replies and this is request {number + 1}"
            )
        reply = self.replies[number]
        if isinstance(reply, BaseException):
            raise reply
        return reply

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        reply = self._reply(messages, settings)
        if isinstance(reply, list | tuple):
            for chunk in reply:
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk if isinstance(chunk, AIMessageChunk) else AIMessageChunk(chunk)
            return
        for chunk in pieces(_message(reply, self.model)):
            yield chunk


def _message(reply: Any, name: str) -> AIMessage:
    if isinstance(reply, AIMessage):
        return reply
    if isinstance(reply, str):
        metadata = {"model_provider": "scripted", "model_name": name, "finish_reason": "stop"}
        return AIMessage(reply, response_metadata=metadata)
    raise InputError(f"a reply is a text or an AIMessage, not {type(reply).__name__} {reply!r}")
