"""What a model or an encoder is asked in tests, in one line."""

from __future__ import annotations

from typing import Any

from headrace.chat_models import Settings, Timeout, Watch
from headrace.messages import AIMessage, convert_to_messages
from headrace_google.decode import Decoder, decode_response
from headrace_google.encode import encode

GEMINI_2 = "gemini-2.5-flash"
GEMINI_3 = "gemini-3-flash-preview"


def settings(model: str = GEMINI_2, tools: Any = (), choice: Any = None, **params: Any) -> Settings:
    return Settings({"model": model, **params}, Watch(Timeout()), tuple(tools), choice)


def encoded(messages: Any, provider: str = "google_genai", **more: Any) -> dict[str, Any]:
    """The body of a request."""
    return encode(convert_to_messages(messages), settings(**more), provider)


def noted(messages: Any, provider: str = "google_genai", **more: Any) -> list[tuple[Any, ...]]:
    """(name, asked, sent, action) of all that is not written as asked."""
    asked = settings(**more)
    encode(convert_to_messages(messages), asked, provider)
    return [(r["name"], r["asked"], r["sent"], r["action"]) for r in asked.notes.records]


def contents(messages: Any, **more: Any) -> Any:
    return encoded(messages, **more)["contents"]


def response(*parts: Any, finish: str | None = "STOP", **candidate: Any) -> dict[str, Any]:
    """A response of one candidate with these parts."""
    found: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    if finish:
        found["finishReason"] = finish
    return {"candidates": [{**found, **candidate}], "modelVersion": "m", "responseId": "r1"}


def decoded(*parts: Any, **candidate: Any) -> AIMessage:
    return decode_response(response(*parts, **candidate))


def streamed(*events: Any, **options: Any) -> Any:
    """The sum of the chunks of these events."""
    decoder = Decoder(**options)
    chunks = [chunk for event in events for chunk in decoder.feed(event)]
    return sum([*chunks, *decoder.finish()])  # type: ignore[arg-type]  # chunks add up
