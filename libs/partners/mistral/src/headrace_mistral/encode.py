"""Messages and settings as a request in Mistral's form of Chat Completions. Pure.

Source: https://docs.mistral.ai/api/endpoint/chat (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace_openai.codec import DIALECTS, Media
from headrace_openai.codec import encode as encode_chat

if TYPE_CHECKING:
    from headrace.chat_models import Settings
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
    media=_MEDIA,
    lacks=DIALECTS["mistral_openai"].lacks - {*OWN},
    takes=DIALECTS["mistral_openai"].takes | {*OWN} | {"reasoning_effort"},
)


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
    return dict(part)
