"""Blocks of an answer as content blocks: canonical, with what is Claude's own in `extras`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headrace.messages.canonical import canonical_block

Block = dict[str, Any]

# Where each kind of citation keeps the title of its source, if elsewhere.
_TITLE = "document_title"
_SHOWN = frozenset({"cited_text", "url", "title", _TITLE})


def read_content(content: Iterable[Mapping[str, Any]]) -> list[Block]:
    """The blocks of a whole answer; neighbouring texts without sources are one run."""
    blocks: list[Block] = []
    for raw in content:
        block = read_block(raw)
        if block["type"] != "text":
            blocks.append(block)
        elif block["text"] or len(block) > 2:
            if blocks and is_run(block) and is_run(blocks[-1]):
                blocks[-1]["text"] += block["text"]
            else:
                blocks.append(block)
    return blocks


def is_run(block: Mapping[str, Any]) -> bool:
    """Whether a block is text and nothing else."""
    return block["type"] == "text" and len(block) == 2


def read_block(raw: Mapping[str, Any]) -> Block:
    """One block; of an unknown kind `non_standard`, to go back as it came."""
    kind = raw["type"]
    if kind == "text":
        block: Block = {"type": "text", "text": _text(raw["text"])}
        if raw.get("citations"):
            block["annotations"] = [read_citation(item) for item in raw["citations"]]
        extras = {k: v for k, v in raw.items() if k not in ("type", "text", "citations") and v}
        return {**block, "extras": extras} if extras else block
    if not isinstance(kind, str):
        raise TypeError(f"the type of a block is {kind!r}")
    if kind == "tool_use" and not isinstance(raw.get("input"), dict):
        raise TypeError("a tool_use block without an object as input")
    return dict(canonical_block(raw))


def read_citation(raw: Mapping[str, Any]) -> Block:
    """A citation; its kind and its place within the source are in `extras`, to go back."""
    citation: Block = {"type": "citation"}
    for name in ("url", "cited_text"):
        if raw.get(name):
            citation[name] = _text(raw[name])
    if title := raw.get("title") or raw.get(_TITLE):
        citation["title"] = _text(title)
    if "url" not in citation and str(raw.get("source", "")).startswith(("http://", "https://")):
        citation["url"] = raw["source"]
    citation["extras"] = {k: v for k, v in raw.items() if k not in _SHOWN}
    return citation


def write_citation(citation: Mapping[str, Any]) -> Block | None:
    """The citation as it came; None for one of another service."""
    extras = citation.get("extras") or {}
    kind = extras.get("type")
    if not isinstance(kind, str) or not kind.endswith("_location"):
        return None
    wire: Block = {**extras, "cited_text": citation.get("cited_text", "")}
    wire["title" if "search_result" in kind else _TITLE] = citation.get("title")
    if kind == "web_search_result_location":
        wire["url"] = citation.get("url", "")
    return wire


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is {value!r}")
    return value
