"""Chat Completions as Hugging Face speaks it, and what its servers take beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from headrace.chat_models import Wire
from headrace_openai.codec import Dialect, wire_of
from headrace_openai.codec import encode as encode_chat

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.messages import BaseMessage

# Parameters that go out under their own name. `tool_prompt` is in the SDK's types; the sampling
# ones are not: vLLM and some providers behind the router take them, others may ignore them.
OWN = ("tool_prompt", "top_k", "min_p", "repetition_penalty")
# Of text generation, not of chats.
TEXT_ONLY = ("do_sample", "return_full_text", "truncate", "typical_p", "watermark")

DIALECT = Dialect(
    id="huggingface",
    # What it takes: `ChatCompletionInput` of huggingface_hub 2.4, and `reasoning_effort`, by
    # https://schemas.apis.io/schemas/hugging-face (read 2026-11).
    page="https://huggingface.co/docs/inference-providers/tasks/chat-completion",
    read="",
    # `JSONSchema.strict` of the SDK; its tools have no such field, and it is sent there as well.
    strict=True,
    takes=frozenset(
        {
            *OWN, "frequency_penalty", "json_mode", "json_schema", "logprobs", "max_tokens",
            "presence_penalty", "reasoning_effort", "seed", "stop", "temperature", "tool_choice",
            "tools", "top_logprobs", "top_p",
        }
    ),
    lacks=frozenset(TEXT_ONLY),
    media=frozenset({"image_url", "image_data"}),
    extras=frozenset(),
    call_extras=frozenset({"extra_content"}),
)  # fmt: skip


@cache
def wire() -> Wire:
    """What the core must know to bring a request to it."""
    return replace(wire_of(DIALECT), service="huggingface")


def encode(
    messages: Sequence[BaseMessage],
    settings: Settings,
    *,
    stream: bool = False,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a request; the messages are not changed.

    The model comes first and bears its provider: the router reads it off the body's beginning.
    """
    params = settings.params
    body = encode_chat(messages, settings, DIALECT, stream=stream, profile=profile)
    own = {name: params[name] for name in OWN if params.get(name) is not None}
    name = routed(str(params["model"]), params.get("inference_provider"))
    return {**body, "model": name, **own, **(params.get("extra_body") or {})}


def routed(model: str, provider: str | None) -> str:
    """The model with the provider, or the policy, that the router shall choose for it."""
    if provider in (None, "auto") or ":" in model:
        return model
    return f"{model}:{provider}"


def bare(model: str) -> str:
    """The model's name on the Hub, without a provider or a policy."""
    return model.partition(":")[0]
