"""Where an answer comes from: sources as citations, searches as calls of a server tool.

One citation for each source, in the service's order; it says where the text leans on it first
(`start_index`, `end_index`, `cited_text`), and every place in `extras["supports"]`.
Source: https://ai.google.dev/gemini-api/docs/google-search (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Block = dict[str, Any]

SEARCH = "google_search"
SEARCH_ID = f"{SEARCH}_0"  # of the search that only metadata tell of
# The kinds of source, and what each calls its address.
_SOURCES = {"web": "uri", "maps": "uri", "retrievedContext": "uri", "image": "sourceUri"}


def citations(grounding: Mapping[str, Any], text: str) -> list[Block]:
    """The sources; `text` is what the offsets of the service, in bytes, count through."""
    offsets = _Offsets(text)
    supports: dict[int, list[Block]] = {}
    for support in grounding.get("groundingSupports") or ():
        place = _place(support, offsets)
        scores = support.get("confidenceScores") or ()
        for position, index in enumerate(support.get("groundingChunkIndices") or ()):
            score = {"confidence": scores[position]} if position < len(scores) else {}
            supports.setdefault(index, []).append({**place, **score})
    return [
        _citation(chunk, supports.get(index, []))
        for index, chunk in enumerate(grounding.get("groundingChunks") or ())
    ]


def quoted(metadata: Any, text: str) -> list[Block]:
    """Sources that the model repeated at length (`citationMetadata`)."""
    if not isinstance(metadata, Mapping):
        return []
    offsets, found = _Offsets(text), []
    for source in metadata.get("citations") or metadata.get("citationSources") or ():
        start, end = offsets.at(source.get("startIndex") or 0), offsets.at(source.get("endIndex"))
        note: Block = {"type": "citation", "start_index": start}
        if end is not None:
            note.update(end_index=end, cited_text=text[start:end])
        for ours, theirs in (("url", "uri"), ("title", "title")):
            if source.get(theirs):
                note[ours] = source[theirs]
        extras = {k: source[k] for k in ("license", "publicationDate") if source.get(k)}
        found.append({**note, "extras": extras} if extras else note)
    return found


def searches(grounding: Mapping[str, Any]) -> list[Block]:
    """The web search behind an answer as call and result; none if nothing was searched for."""
    asked = {
        ours: list(grounding[theirs])
        for ours, theirs in (
            ("queries", "webSearchQueries"),
            ("image_queries", "imageSearchQueries"),
            ("retrieval_queries", "retrievalQueries"),
        )
        if grounding.get(theirs)
    }
    if not asked:
        return []
    # The service's terms ask for its search suggestions to be shown beside a grounded answer.
    shown = (grounding.get("searchEntryPoint") or {}).get("renderedContent")
    output: Block = {"sources": list(grounding.get("groundingChunks") or ())}
    if shown:
        output["search_entry_point"] = shown
    return [
        {"type": "server_tool_call", "id": SEARCH_ID, "name": SEARCH, "args": asked},
        {
            "type": "server_tool_result", "tool_call_id": SEARCH_ID, "status": "success",
            "output": output,
        },
    ]  # fmt: skip


def _place(support: Mapping[str, Any], offsets: _Offsets) -> Block:
    """Where the text leans on a source."""
    segment = support.get("segment") or {}
    place: Block = {"start_index": offsets.at(segment.get("startIndex") or 0)}
    end = offsets.at(segment.get("endIndex"))
    if end is not None:
        place["end_index"] = end
    if segment.get("text"):
        place["cited_text"] = segment["text"]
    return place


def _citation(chunk: Mapping[str, Any], supports: list[Block]) -> Block:
    kind = next((kind for kind in _SOURCES if isinstance(chunk.get(kind), Mapping)), None)
    note: Block = {"type": "citation"}
    extras: Block = {}
    if kind is None:
        extras["source"] = dict(chunk)
    else:
        source, address = chunk[kind], _SOURCES[kind]
        if source.get(address):
            note["url"] = source[address]
        if source.get("title"):
            note["title"] = source["title"]
        rest = {k: v for k, v in source.items() if k not in (address, "title") and v}
        extras.update(kind=kind, **({"source": rest} if rest else {}))
    if supports:
        note.update({k: v for k, v in supports[0].items() if k != "confidence"})
        extras["supports"] = supports
    return {**note, "extras": extras}


class _Offsets:
    """Places in a text: the service counts bytes of UTF-8, we count characters."""

    __slots__ = ("_ascii", "_data")

    def __init__(self, text: str) -> None:
        self._ascii = text.isascii()
        self._data = b"" if self._ascii else text.encode("utf-8", "replace")

    def at(self, place: Any) -> int | None:
        if place.__class__ is not int or place < 0:
            return None
        return place if self._ascii else len(self._data[:place].decode("utf-8", "ignore"))
