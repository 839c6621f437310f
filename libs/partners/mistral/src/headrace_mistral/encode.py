"""Messages and settings as a request in Mistral's form of Chat Completions. Pure.

Source: https://docs.mistral.ai/api/endpoint/chat (read 2026-11)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from headrace_openai.codec import DIALECTS, Media
from headrace_openai.codec import encode as encode_chat

if TYPE_CHECKING:
    from headrace.chat_models import Notes, Settings
    from headrace.messages import BaseMessage

# Parameters of Mistral's own, under their own names.
OWN = (
    "safe_prompt", "prompt_mode", "min_tokens", "top_k", "repetition_penalty", "guardrails",
    "metadata_tags", "prompt_cache_key", "service_tier", "logprobs", "top_logprobs",
)  # fmt: skip
_MEDIA: frozenset[Media] = frozenset(
    {
        "image_url", "image_data", "audio_data", "audio_url", "file_url", "file_data", "file_id",
    }
)  # fmt: skip
DIALECT = replace(
    DIALECTS["mistral_openai"],
    id="mistralai",
    media=frozenset(
        {"image_url", "image_data", "audio_data", "audio_url", "file_url", "file_data", "file_id"}
    ),
    lacks=DIALECTS["mistral_openai"].lacks - {*OWN},
    takes=DIALECTS["mistral_openai"].takes | {*OWN} | {"reasoning_effort"},
)
_ID = re.compile(r"^[a-zA-Z0-9]{9}$")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def encode(
    messages: Sequence[BaseMessage],
    settings: Settings,
    *,
    stream: bool = False,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a request; the messages are not changed."""
    body = encode_chat(messages, settings, DIALECT, stream=stream, profile=profile)
    params = settings.params
    for name in OWN:
        if params.get(name) is not None:
            body["metadata" if name == "metadata_tags" else name] = params[name]
    for message in body["messages"]:
        if isinstance(message.get("content"), list):
            message["content"] = [_part(part) for part in message["content"]]
    _fit_ids(body["messages"], settings.notes)
    if params.get("prefix") and body["messages"] and body["messages"][-1]["role"] == "assistant":
        body["messages"][-1]["prefix"] = True
    return body


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part in Mistral's own spelling, where that differs."""
    match part:
        case {"type": "file", "file": {"file_id": str(id)}}:
            return {"type": "file", "file_id": id}
        case {"type": "input_audio", "input_audio": {"data": str(data)}}:
            return {"type": "input_audio", "input_audio": data}
        case {"type": "document_url", "title": str(title), **rest}:
            return {"type": "document_url", **rest, "document_name": title}
    return dict(part)


def _fit_ids(messages: list[dict[str, Any]], notes: Notes) -> None:
    """Ids of calls in the form that Mistral takes, nine letters and digits; those of others change.

    Source: https://github.com/mistralai/mistral-common (`InvalidFunctionCallException`), and the
    API's "Tool call id has to be defined in a valid format: a-z, A-Z, 0-9, with a length of 9"
    """
    changed: dict[str, str] = {}
    for message in messages:
        for call in message.get("tool_calls") or ():
            call["id"] = _fitted(call["id"], changed)
        if "tool_call_id" in message:
            message["tool_call_id"] = _fitted(message["tool_call_id"], changed)
    if changed:
        reason = "Mistral takes ids of nine letters and digits"
        notes.record("tool call ids", list(changed), list(changed.values()), "translated", reason)


def _fitted(id: Any, changed: dict[str, str]) -> str:
    text = str(id or "")
    if _ID.match(text):
        return text
    if text not in changed:
        number = int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
        letters = ""
        for _ in range(9):
            number, digit = divmod(number, len(_DIGITS))
            letters += _DIGITS[digit]
        changed[text] = letters
    return changed[text]
