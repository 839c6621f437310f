"""Messages and settings as a `generateContent` request. Pure: no SDK, no I/O.

`model` and `stream` stand in the body too: they say where it goes, and the client takes them out.
Source: https://ai.google.dev/api/generate-content (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headrace.transport import names_of
from headrace_google.history import write_history
from headrace_google.models import model_path, wants_signatures
from headrace_google.parameters import GENERATION, REQUEST, spell_effort
from headrace_google.tooling import camel, merge, write_tools

if TYPE_CHECKING:
    from headrace.chat_models import Notes, ResponseFormat, Settings
    from headrace.messages import BaseMessage

Body = dict[str, Any]

VERTEX = "google_vertexai"
_NESTED = frozenset({"speech_config", "image_config", "model_armor_config"})


def encode(
    messages: Iterable[BaseMessage],
    settings: Settings,
    provider: str = "google_genai",
    *,
    stream: bool = False,
    profile: Mapping[str, Any] | None = None,
) -> Body:
    """The body of a request; the messages are not changed.

    What is not written as asked is recorded in `settings.notes`. Raises UnsupportedContentError
    for blocks with no place.
    """
    params, facts = settings.params, profile or {}
    model = str(params["model"])
    names = names_of(settings)
    modern = wants_signatures(model, facts)
    system, contents = write_history(
        messages, provider, settings.notes, names, signed=modern, rich=modern
    )
    request: Body = {"model": model_path(model, vertex=provider == VERTEX), "contents": contents}
    if system:
        request["systemInstruction"] = {"parts": system}
    request.update(write_tools(settings, names, mixed=modern and provider != VERTEX))
    for ours, theirs in REQUEST.items():
        if params.get(ours) is not None:
            request[theirs] = _value(ours, params[ours])
    if params.get("safety_settings"):
        request["safetySettings"] = _safety(params["safety_settings"])
    config = _generation(settings)
    merge(config, params.get("model_kwargs") or {})
    if config:
        request["generationConfig"] = config
    if params.get("cached_content"):
        _leave_out_cached(request, settings.notes)
    merge(request, params.get("extra_body") or {})
    return {**request, "stream": True} if stream else request


def _generation(settings: Settings) -> Body:
    params = settings.params
    config: Body = {}
    for ours, theirs in GENERATION.items():
        if params.get(ours) is not None:
            config[theirs] = _value(ours, params[ours])
    if "logprobs" in config:
        config.setdefault("responseLogprobs", True)
    if "responseJsonSchema" in config:
        config.setdefault("responseMimeType", "application/json")
    if settings.stop:
        config["stopSequences"] = list(settings.stop)
    thinking: Body = {}
    if params.get("reasoning_effort") is not None:
        thinking.update(spell_effort(params["reasoning_effort"]))
    if params.get("include_thoughts") is not None:
        thinking["includeThoughts"] = params["include_thoughts"]
    if thinking:
        config["thinkingConfig"] = thinking
    if settings.response_format is not None:
        config.update(_response_format(settings.response_format))
    return config


def _response_format(wanted: ResponseFormat) -> Body:
    form: Body = {"responseMimeType": "application/json"}
    if wanted.method == "json_schema" and wanted.schema is not None:
        form["responseJsonSchema"] = wanted.schema
    return form


def _safety(given: Any) -> list[Body]:
    """Thresholds by category, as a dict or as the service's own list."""
    if isinstance(given, Mapping):
        return [{"category": kind, "threshold": bound} for kind, bound in given.items()]
    return [dict(row) for row in given]


def _value(name: str, value: Any) -> Any:
    if name == "response_modalities":
        return [str(kind).upper() for kind in value]
    if name == "media_resolution":
        short = not value.startswith("MEDIA_RESOLUTION_")
        return f"MEDIA_RESOLUTION_{value.upper()}" if short else value
    return camel(value) if name in _NESTED else value


def _leave_out_cached(request: Body, notes: Notes) -> None:
    """What a cached content holds must not be sent again beside it: the service refuses it."""
    reason = "it is fixed in `cached_content`"
    for key in ("systemInstruction", "tools", "toolConfig"):
        if key in request:
            notes.record(key, key, None, "left out", reason)
            del request[key]
