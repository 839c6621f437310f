"""What a message or delta holds, as content blocks: text, reasoning, refusal, sound, sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from headrace_openai.reasoning import Block, reasoning_block, thinking_block

_SHOWN = frozenset({"type", "url", "title", "start_index", "end_index", "content"})


def content_of(message: Mapping[str, Any]) -> str | list[Block]:
    """The content of a whole message: a str if it is nothing but text."""
    blocks: list[Block] = []
    if (said := reasoning_block(message)) is not None:
        blocks.append(said)
    blocks.extend(server_tools(message.get("executed_tools")))
    blocks.extend(content_parts(message.get("content")))
    notes = read_annotations(message.get("annotations"))
    if notes:
        annotate(blocks, notes)
    blocks.extend(other_parts(message))
    if (audio := audio_block(message.get("audio"))) is not None:
        blocks.append(audio)
    return plain(blocks)


def plain(blocks: list[Block]) -> str | list[Block]:
    """A lone block of text as str, no blocks as an empty one."""
    if not blocks:
        return ""
    only = blocks[0]
    return only["text"] if len(blocks) == 1 and only.keys() == {"type", "text"} else blocks


def content_parts(content: Any) -> list[Block]:
    """The blocks of `content`, which is a str or, at Mistral, a list of chunks."""
    if not content:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for part in content if (block := _part(part)) is not None]


def _part(part: Any) -> Block | None:
    if isinstance(part, str):
        return {"type": "text", "text": part} if part else None
    match part.get("type"):
        case "text":
            return {"type": "text", "text": part["text"]} if part["text"] else None
        case "thinking":
            return thinking_block(part)
        case "refusal":
            return {"type": "refusal", "refusal": part["refusal"]}
        case "image_url" | "input_audio" | "file":
            return dict(part)
        case _:
            return {"type": "non_standard", "value": dict(part)}


def other_parts(message: Mapping[str, Any]) -> list[Block]:
    """The refusal of a message or delta and its images (OpenRouter's image models)."""
    blocks: list[Block] = []
    refusal = message.get("refusal")
    if refusal:
        blocks.append({"type": "refusal", "refusal": refusal})
    blocks.extend(dict(image) for image in message.get("images") or ())
    return blocks


def audio_block(audio: Any, index: int | None = None) -> Block | None:
    """Spoken output; its `id` is what a later request may refer to, until `expires_at`."""
    if not audio or not any(audio.values()):
        return None
    block: Block = {"type": "audio"}
    for ours, theirs in (("id", "id"), ("base64", "data"), ("transcript", "transcript")):
        if audio.get(theirs):
            block[ours] = audio[theirs]
    if audio.get("expires_at"):
        block["extras"] = {"expires_at": audio["expires_at"]}
    if index is not None:
        block["index"] = index
    return block


def read_annotations(items: Iterable[Mapping[str, Any]] | None) -> list[Block]:
    """The annotations of a message in our form; what is not a web source is kept as it is."""
    return [_annotation(item) for item in items or ()]


def _annotation(item: Mapping[str, Any]) -> Block:
    source = item.get("url_citation")
    if item.get("type") != "url_citation" or not isinstance(source, Mapping):
        return {"type": "non_standard_annotation", "value": dict(item)}
    citation: Block = {"type": "citation", "url": source.get("url")}
    for name in ("title", "start_index", "end_index"):
        if source.get(name) is not None:
            citation[name] = source[name]
    if source.get("content"):
        citation["cited_text"] = source["content"]
    extras = {k: v for k, v in source.items() if k not in _SHOWN and v is not None}
    if extras:
        citation["extras"] = extras
    return citation


def citations(event: Mapping[str, Any]) -> list[Block]:
    """Perplexity's `citations`, a list of URLs for the [1] in the text, with their titles.

    Source: https://docs.perplexity.ai/docs/sonar/openai-compatibility (read 2026-11)
    """
    urls = event.get("citations")
    if not urls:
        return []
    results = event.get("search_results") or ()
    titles = {r["url"]: r["title"] for r in results if r.get("url") and r.get("title")}
    return [
        {"type": "citation", "url": url, **({"title": titles[url]} if url in titles else {})}
        for url in urls
        if isinstance(url, str)
    ]


def annotate(blocks: list[Block], notes: Sequence[Block]) -> None:
    """Put annotations on the last block of text; make an empty one if there is none."""
    for block in reversed(blocks):
        if block["type"] == "text":
            block["annotations"] = [*block.get("annotations", ()), *notes]
            return
    blocks.append({"type": "text", "text": "", "annotations": list(notes)})


def server_tools(executed: Iterable[Mapping[str, Any]] | None) -> list[Block]:
    """Groq's `executed_tools`: each call that the service ran itself, and what came back.

    Source: https://console.groq.com/docs/api-reference (read 2026-11)
    """
    blocks: list[Block] = []
    for place, tool in enumerate(executed or ()):
        id = f"executed_tool_{tool.get('index', place)}"
        blocks.append(
            {
                "type": "server_tool_call",
                "id": id,
                "name": tool.get("name") or tool.get("type") or "",
                "args": _arguments(tool.get("arguments")),
            }
        )
        rest = {
            k: v
            for k, v in tool.items()
            if k not in ("index", "type", "name", "arguments", "output") and v not in (None, [], {})
        }
        if tool.get("output") is not None or rest:
            result: Block = {"type": "server_tool_result", "tool_call_id": id}
            result.update(status="success", output=tool.get("output"))
            blocks.append({**result, **({"extras": rest} if rest else {})})
    return blocks


def _arguments(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        from_text = _object(value)
        return {"arguments": value} if from_text is None else from_text
    return dict(value or {})


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = from_json(text or "{}")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
