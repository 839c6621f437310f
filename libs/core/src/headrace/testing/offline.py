"""A model that needs no key and no network: `offline:demo`. Deterministic.

It does not understand; it follows a rule, so that pipelines, tools and structured output run
as they would with a real model. Without a tool result after the last human message it calls
the bound tools that share a word with the input; after results it quotes them; structured
output is filled by the same rule; otherwise it answers with a short extract of the input.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from pydantic_core import to_json

from headrace.chat_models import BaseChatModel, Settings
from headrace.chat_models.settings import tool_name
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    count_tokens_approximately,
)
from headrace.profiles import ModelProfile
from headrace.testing.filling import calls_for, extract, fill
from headrace.testing.streaming import pieces

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.engine.run import Run


FACTS = {
    "name": "Offline model",
    "context_size": 136_000,
    "max_input_tokens": 128_000,
    "max_output_tokens": 8_000,
    "text_inputs": True,
    "text_outputs": True,
    "tool_calling": True,
    "tool_choice": True,
    "tool_call_streaming": True,
    "parallel_tool_calls": True,
    "structured_output": True,
    "temperature": True,
    "reasoning_output": False,
}


class OfflineChatModel(BaseChatModel):
    """Answers by rule, without a provider; usage is counted approximately."""

    provider: ClassVar[str] = "offline"
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {"chunk_delay"}
    model: str = Field(default="demo", description="Any name.")
    chunk_delay: float = Field(default=0, ge=0, description="Seconds to wait before each chunk.")
    parallel_tool_calls: bool | None = Field(default=None, description="False: one call at most.")

    def _known_facts(self) -> ModelProfile:
        sources = dict.fromkeys(FACTS, "offline")
        return ModelProfile(FACTS, sources, provider=self.provider, model=self.model)

    def _request(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool = False
    ) -> dict[str, Any]:
        """What the rule would read; there is no wire."""
        form = settings.response_format
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [message.model_dump(exclude_none=True) for message in messages],
            **settings.params,
            "tools": list(settings.tools),
            "tool_choice": settings.tool_choice,
            "response_format": None if form is None else asdict(form),
            "stop": list(settings.stop),
            "stream": stream,
        }
        return {name: value for name, value in body.items() if value not in (None, [], False)}

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        message = answer(messages, settings)
        for chunk in pieces(message):
            if self.chunk_delay:
                await run.sleep(self.chunk_delay)
            yield chunk

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        return answer(messages, settings)


def answer(messages: list[BaseMessage], settings: Settings) -> AIMessage:
    """The message that the rule gives, with usage and finish reason."""
    asked, results = _last_turn(messages)
    text, calls = "", []
    form, told = settings.response_format, settings.shape
    schema = told.schema if told is not None and told.schema else form and form.schema
    if results and not _forced(settings):
        text = " ".join(message.text for message in results)
    elif settings.tools and settings.tool_choice != "none":
        calls = _calls(asked, settings)
    if (form is not None or schema) and not calls:
        text = to_json(fill(schema or {"type": "object"}, asked)).decode()
    elif not text and not calls:
        text = extract(asked)
    text, finish = _bounded(text, settings)
    return _finished(messages, text, calls, "tool_calls" if calls else finish, settings)


def _last_turn(messages: list[BaseMessage]) -> tuple[str, list[ToolMessage]]:
    """The last human text, and the tool results that came after it."""
    results: list[ToolMessage] = []
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            results.insert(0, message)
        elif isinstance(message, HumanMessage):
            return message.text, results
    return (messages[-1].text if messages else ""), results


def _forced(settings: Settings) -> bool:
    """Whether the answer must be a call even after results: a schema's own tool."""
    return isinstance(settings.tool_choice, str) and settings.tool_choice not in (
        "auto", "none", "any",
    )  # fmt: skip


def _calls(asked: str, settings: Settings) -> list[dict[str, Any]]:
    choice = settings.tool_choice
    tools = [tool for tool in settings.tools if "parameters" in tool]
    if isinstance(choice, tuple):
        tools = [tool for tool in tools if tool_name(tool) in choice]
    elif choice not in (None, "auto", "any"):
        tools = [tool for tool in tools if tool_name(tool) == choice]
    calls = calls_for(tools, asked, forced=choice not in (None, "auto"))
    return calls[:1] if settings.params.get("parallel_tool_calls") is False else calls


def _bounded(text: str, settings: Settings) -> tuple[str, str]:
    """The text up to a stop word or `max_tokens` words, and why it ended."""
    ends = [text.index(word) for word in settings.stop if word in text]
    if ends:
        text = text[: min(ends)]
    limit, words = settings.params.get("max_tokens"), text.split(" ")
    if limit is not None and len(words) > limit:
        return " ".join(words[:limit]), "length"
    return text, "stop"


def _finished(
    messages: list[BaseMessage],
    text: str,
    calls: list[dict[str, Any]],
    finish: str,
    settings: Settings,
) -> AIMessage:
    seed = to_json([[message.type, message.text] for message in messages] + [[text, calls]])
    digest = hashlib.sha256(seed).hexdigest()
    for number, call in enumerate(calls):
        call["id"] = f"call_{digest[:8]}_{number}"
    message = AIMessage(
        text,
        tool_calls=calls,
        id=f"offline-{digest[:12]}",
        response_metadata={
            "model_provider": "offline",
            "model_name": settings.params.get("model", "demo"),
            "finish_reason": finish,
            "finish_reason_raw": finish,
        },
    )
    read = count_tokens_approximately(messages)
    wrote = count_tokens_approximately([AIMessage(text, tool_calls=calls)])
    message.usage_metadata = {
        "input_tokens": read,
        "output_tokens": wrote,
        "total_tokens": read + wrote,
    }
    return message
