"""Messages and settings as a request to the Messages API. Pure: no SDK, no I/O.

Source: https://platform.claude.com/docs/en/api/messages (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headrace.chat_models.shaping import reasons
from headrace.transport import names_of
from headrace_anthropic.caching import mark_prompt
from headrace_anthropic.history import write_history
from headrace_anthropic.outgoing import plain
from headrace_anthropic.parameters import MAX_TOKENS, spell_effort
from headrace_anthropic.tools import declare_called, spell_names, write_tools

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.messages import BaseMessage

# Parameters that go out under their own name.
SAME = (
    "temperature", "top_p", "top_k", "service_tier", "speed", "inference_geo", "container",
    "context_management", "betas",
)  # fmt: skip
PREFILL = "{"


def encode(
    messages: Iterable[BaseMessage],
    settings: Settings,
    profile: Mapping[str, Any] | None = None,
    *,
    stream: bool = False,
) -> dict[str, Any]:
    """The body of a request, and `betas`, which go into a header; the messages do not change.

    What the service takes was seen to before, by the core; what is still not written as asked
    is recorded in `settings.notes`. Raises UnsupportedContentError for blocks with no place.
    """
    params, notes, facts = settings.params, settings.notes, profile or {}
    names = names_of(settings)
    system, turns = write_history(messages, notes)
    spell_names(turns, names)
    request: dict[str, Any] = {"model": params["model"]} if params.get("model") else {}
    request["max_tokens"] = params.get("max_tokens") or MAX_TOKENS
    if system:
        request["system"] = plain(system)
    request["messages"] = turns
    for name in SAME:
        if params.get(name) is not None:
            request[name] = params[name]
    for name in ("betas", "mcp_servers"):
        if params.get(name):
            request[name] = list(params[name])
    if params.get("user_id") is not None:
        request["metadata"] = {"user_id": params["user_id"]}
    if settings.stop:
        request["stop_sequences"] = list(settings.stop)
    request.update(write_tools(settings, names) or declare_called(turns, notes))
    _reason(request, params, facts)
    _shape(request, settings, facts)
    _sample(request, settings)
    _trim(request, settings)
    if params.get("cache_prompt"):
        mark_prompt(request, params["cache_prompt"], notes)
    if stream:
        request["stream"] = True
    request.update(params.get("model_kwargs") or {})
    request.update(params.get("extra_body") or {})
    return request


def prefilled(settings: Settings, facts: Mapping[str, Any]) -> bool:
    """Whether JSON is asked for by beginning the answer with a brace, where the model allows it."""
    form = settings.response_format
    return (
        form is not None
        and form.method == "json_mode"
        and facts.get("prefill") is True
        and settings.params.get("json_prefill", True)
        and not settings.tools
        and not reasons(settings.params, facts)
    )


def _reason(request: dict[str, Any], params: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    if params.get("output_config"):
        request["output_config"] = dict(params["output_config"])
    effort = params.get("reasoning_effort")
    if effort is not None:
        spelled = spell_effort(effort, adaptive=facts.get("reasoning_adaptive") is not False)
        request["thinking"] = spelled["thinking"]
        if "output_config" in spelled:
            request["output_config"] = {
                **request.get("output_config", {}),
                **spelled["output_config"],
            }
    display = params.get("thinking_display")
    if display is not None and request.get("thinking", {}).get("type") != "disabled":
        request.setdefault("thinking", {"type": "adaptive"})["display"] = display


def _shape(request: dict[str, Any], settings: Settings, facts: Mapping[str, Any]) -> None:
    """The form of the answer: a schema that is enforced, or JSON begun with a brace."""
    form = settings.response_format
    if form is None:
        return
    if form.method == "json_schema" and form.schema is not None:
        schema = {"type": "json_schema", "schema": form.schema}
        request["output_config"] = {**request.get("output_config", {}), "format": schema}
    elif prefilled(settings, facts):
        request["messages"].append({"role": "assistant", "content": PREFILL})
    else:
        reason = "the Messages API has no JSON mode; the instruction alone asks for it"
        settings.notes.record("response_format", "json_mode", None, "left out", reason)


def _sample(request: dict[str, Any], settings: Settings) -> None:
    """While Claude thinks in a budget, `top_p` is 0.95 or more."""
    top_p = request.get("top_p")
    if top_p is None or top_p >= 0.95 or request.get("thinking", {}).get("type") != "enabled":
        return
    reason = "while Claude reasons it takes 0.95 to 1"
    request["top_p"] = settings.notes.change("top_p", top_p, 0.95, "clamped", reason)
    if request["top_p"] is None:
        del request["top_p"]


def _trim(request: dict[str, Any], settings: Settings) -> None:
    """An answer that is to be gone on with must not end with white space."""
    last = request["messages"][-1] if request["messages"] else {"role": "user"}
    if last["role"] != "assistant":
        return
    content = last["content"]
    text = content if isinstance(content, str) else (content[-1].get("text") or "")
    if text == text.rstrip() or (not isinstance(content, str) and content[-1]["type"] != "text"):
        return
    reason = "what Claude goes on from must not end with white space"
    settings.notes.record("assistant message", text, text.rstrip(), "translated", reason)
    if isinstance(content, str):
        last["content"] = text.rstrip()
    else:
        content[-1]["text"] = text.rstrip()
