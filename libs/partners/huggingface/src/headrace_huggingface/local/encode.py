"""Messages and settings as what a local generation is made of. Pure.

Source: `GenerationConfig` of transformers 5.24 (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace_huggingface.local.templates import History, offered

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.messages import BaseMessage

# Parameter -> its name in `generate`. Nothing else goes there.
GENERATION: Mapping[str, str] = {
    "max_tokens": "max_new_tokens", "top_p": "top_p", "top_k": "top_k", "min_p": "min_p",
    "typical_p": "typical_p", "repetition_penalty": "repetition_penalty",
    "num_beams": "num_beams", "do_sample": "do_sample",
}  # fmt: skip
# What only a choice by chance makes use of.
_OF_CHANCE = ("temperature", "top_p", "top_k", "min_p", "typical_p")


def encode(
    model: str, messages: Sequence[BaseMessage], settings: Settings, *, images: bool = False
) -> dict[str, Any]:
    """The request: `messages` and `tools` for the chat template, `generate` for the model."""
    params = settings.params
    body: dict[str, Any] = {
        "model": model,
        "messages": History(settings.notes, parts=images).write(messages),
    }
    if tools := offered(settings):
        body["tools"] = tools
    if params.get("chat_template") is not None:
        body["chat_template"] = params["chat_template"]
    variables = {**_effort(params), **(params.get("chat_template_kwargs") or {})}
    if variables:
        body["chat_template_kwargs"] = variables
    if params.get("seed") is not None:
        body["seed"] = params["seed"]
    if settings.stop:
        body["stop"] = list(settings.stop)
    return {**body, "generate": _generation(settings)}


def _effort(params: Mapping[str, Any]) -> dict[str, Any]:
    """The variable by which templates switch reasoning, or say how hard to think."""
    effort = params.get("reasoning_effort")
    if effort is None:
        return {}
    if effort in ("none", 0, False):
        return {"enable_thinking": False}
    if effort is True or not isinstance(effort, str):
        return {"enable_thinking": True}
    return {"reasoning_effort": effort}


def _generation(settings: Settings) -> dict[str, Any]:
    """Arguments of `generate`; a temperature of 0 is the likeliest word, any other is chance."""
    params, notes = settings.params, settings.notes
    found = {there: params[name] for name, there in GENERATION.items() if name in params}
    temperature = params.get("temperature")
    greedy = temperature == 0 or found.get("do_sample") is False
    asked = [name for name in _OF_CHANCE if params.get(name) is not None]
    if greedy:
        found["do_sample"] = False
        for name in asked:
            if name != "temperature" or temperature:
                reason = "without chance (`do_sample` false, `temperature` 0) it has no effect"
                notes.change(name, params[name], None, "left out", reason)
            found.pop(name, None)
    elif asked:
        found["do_sample"] = True
        if temperature is not None:
            found["temperature"] = float(temperature)
    return {
        **found,
        **(params.get("pipeline_kwargs") or {}),
        **(params.get("extra_body") or {}),
    }
