"""What Semantic Kernel's clients answer, as headrace's chunks.

Each client keeps usage and ids in `metadata`, and what its SDK gave in `inner_content`.
Source: semantic_kernel/connectors/ai of semantic-kernel 1.45 (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json, to_jsonable_python
from semantic_kernel.contents import (
    AnnotationContent,
    ChatMessageContent,
    FinishReason,
    FunctionCallContent,
    TextContent,
)
from semantic_kernel.contents.binary_content import BinaryContent
from semantic_kernel.contents.reasoning_content import ReasoningContent

from headrace.messages import AIMessageChunk, UsageMetadata

_REASONS = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.FUNCTION_CALL: "tool_calls",
}
_KEPT = ("created", "system_fingerprint")


def decode(answer: ChatMessageContent) -> AIMessageChunk:
    """One answer, whole or a piece of one, as a chunk; its usage is all that is known so far."""
    blocks: list[Any] = []
    pieces: list[Any] = []
    for item in answer.items:
        if isinstance(item, FunctionCallContent):
            pieces.append(_piece(item))
        elif (block := _block(item)) is not None:
            blocks.append(block)
    metadata = answer.metadata or {}
    id = metadata.get("id")
    return AIMessageChunk(
        _content(blocks),
        tool_call_chunks=pieces,
        usage_metadata=read_usage(metadata.get("usage")),
        usage_kind="snapshot",
        response_metadata=dict(_about(answer, metadata)),
        id=id if isinstance(id, str) and id else None,
        name=answer.name,
    )


def read_usage(usage: Any) -> UsageMetadata | None:
    """Tokens from a client's own record; None where it says none, or none but zeros."""
    given = _plain(usage)
    if not isinstance(given, Mapping):
        return None
    counts = [_first(given, *names) for names in _COUNTS]
    if not any(counts):
        return None
    found: dict[str, Any] = {}
    for name, count in zip(("input_tokens", "output_tokens"), counts, strict=True):
        if count is not None:
            found[name] = count
    if None not in counts:
        found["total_tokens"] = sum(count or 0 for count in counts)
    said = _plain(given.get("prompt_tokens_details")) or {}
    if cached := said.get("cached_tokens"):
        found["input_token_details"] = {"cache_read": cached}
    said = _plain(given.get("completion_tokens_details")) or {}
    if thought := said.get("reasoning_tokens"):
        found["output_token_details"] = {"reasoning": thought}
    return found  # type: ignore[return-value]  # made of its own keys


_COUNTS = (
    ("prompt_tokens", "input_tokens", "prompt_token_count", "prompt_eval_count"),
    ("completion_tokens", "output_tokens", "candidates_token_count", "eval_count"),
)


def _first(given: Mapping[str, Any], *names: str) -> int | None:
    found = (given.get(name) for name in names)
    return next((count for count in found if isinstance(count, int)), None)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, Mapping):
        return value
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=True)
    return getattr(value, "__dict__", None)


def _about(answer: ChatMessageContent, metadata: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if answer.finish_reason is not None:
        yield "finish_reason", _REASONS.get(answer.finish_reason, "unknown")
        yield "finish_reason_raw", answer.finish_reason.value
    served = getattr(answer.inner_content, "model", None)
    if isinstance(served, str) and served:
        yield "model_name", served
    for name in _KEPT:
        if metadata.get(name) is not None:
            yield name, metadata[name]
    if metadata.get("logprobs") is not None:
        yield "logprobs", to_jsonable_python(metadata["logprobs"], serialize_unknown=True)


def _content(blocks: list[Any]) -> Any:
    """A text where it is nothing else; citations go to the text before them."""
    found: list[Any] = []
    for block in blocks:
        if block["type"] == "citation":
            if not found or found[-1]["type"] != "text":
                found.append({"type": "text", "text": ""})
            found[-1].setdefault("annotations", []).append(block)
        else:
            found.append(block)
    if all(block.keys() == {"type", "text"} for block in found):
        return "".join(block["text"] for block in found)
    return found


def _block(item: Any) -> dict[str, Any] | None:
    match item:
        case TextContent():
            return {"type": "text", "text": item.text} if item.text else None
        case ReasoningContent():
            extras = {key: value for key, value in item.metadata.items() if value is not None}
            block = {"type": "reasoning", "reasoning": item.text or ""}
            return {**block, "extras": extras} if extras else block
        case AnnotationContent():
            return _citation(item)
        case BinaryContent():
            return _media(item)
    return {"type": "non_standard", "value": item.to_dict()}


def _citation(item: AnnotationContent) -> dict[str, Any]:
    fields = {
        "url": item.url,
        "title": item.title,
        "start_index": item.start_index,
        "end_index": item.end_index,
        "cited_text": item.quote,
    }
    extras = {"file_id": item.file_id, "filename": item.filename}
    found = {key: value for key, value in fields.items() if value is not None}
    more = {key: value for key, value in extras.items() if value is not None}
    return {"type": "citation", **found, **({"extras": more} if more else {})}


def _media(item: BinaryContent) -> dict[str, Any]:
    kind = {"ImageContent": "image", "AudioContent": "audio"}.get(type(item).__name__, "file")
    if item.can_read:
        head, _, data = item.data_uri.partition(",")
        if head.endswith(";base64"):
            return {"type": kind, "base64": data, "mime_type": item.mime_type}
    return {"type": kind, "url": str(item.uri)}


def _piece(item: FunctionCallContent) -> dict[str, Any]:
    """A call, or a piece of one; JSON is read by headrace, which mends none."""
    args = item.arguments
    if isinstance(args, Mapping):
        args = to_json(dict(args)).decode()
    return {
        "type": "tool_call_chunk",
        "name": item.name or item.function_name or None,
        "args": args,
        "id": item.id or None,
        "index": item.index,
    }
