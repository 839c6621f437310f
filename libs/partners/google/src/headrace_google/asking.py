"""Requests beside the conversation: how many tokens it has, and which models are served.

Source: https://ai.google.dev/api/tokens and https://ai.google.dev/api/models (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from headrace.chat_models.wire import excerpt, parse
from headrace.errors import WireError

# What a request for tokens may say beside the conversation: at the Gemini API, on Vertex AI.
_GEMINI = ("contents", "systemInstruction", "tools", "toolConfig", "cachedContent")
_VERTEX = ("contents", "systemInstruction", "tools", "generationConfig")


def count_request(body: Mapping[str, Any], *, vertex: bool) -> dict[str, Any]:
    """What asks for the tokens of a request that is made of `body`."""
    if vertex:
        return {name: body[name] for name in _VERTEX if name in body}
    asked = {name: body[name] for name in _GEMINI if name in body}
    return {"generateContentRequest": {"model": body["model"], **asked}}


def read_count(data: bytes) -> int:
    """The number in an answer of `countTokens`."""
    found = parse(data)
    total = found.get("totalTokens") if isinstance(found, dict) else None
    if total.__class__ is not int:
        raise WireError(f"a number of tokens was expected, not {excerpt(data)!r}")
    return int(total)


def models_path(page: str | None, *, vertex: bool) -> str:
    """The path of one page of the list of models."""
    path = "publishers/google/models?pageSize=200" if vertex else "models?pageSize=1000"
    return f"{path}&pageToken={quote(page, safe='')}" if page else path


def read_models(data: bytes) -> tuple[list[str], str | None]:
    """The names of the models of a page that answer, and the next page."""
    listed = parse(data)
    if not isinstance(listed, dict):
        raise WireError(f"a list of models was expected, not {excerpt(data)!r}")
    rows = listed.get("models", listed.get("publisherModels", []))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WireError(f"a list of models was expected, not {excerpt(data)!r}")
    names = [str(row["name"]).rpartition("/")[2] for row in rows if _answers(row)]
    return names, listed.get("nextPageToken") or None


def _answers(row: Mapping[str, Any]) -> bool:
    """Whether a model makes messages; Vertex AI does not say what its models are for."""
    methods = row.get("supportedGenerationMethods", row.get("supportedActions"))
    return bool(row.get("name")) and (methods is None or "generateContent" in methods)
