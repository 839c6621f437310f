"""Functions that make content blocks, leaving out what is not given.

Extra keywords become the block's `extras`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from headrace.errors import InputError
from headrace.messages.blocks import (
    Annotation,
    AudioContentBlock,
    Citation,
    FileContentBlock,
    ImageContentBlock,
    InvalidToolCall,
    NonStandardContentBlock,
    PlainTextContentBlock,
    ReasoningContentBlock,
    RefusalContentBlock,
    ServerToolCall,
    ServerToolCallChunk,
    ServerToolResult,
    TextContentBlock,
    ToolCall,
    ToolCallChunk,
    VideoContentBlock,
)
from headrace.messages.calls import invalid_tool_call, tool_call, tool_call_chunk

Index = int | str | None


def create_text_block(
    text: str,
    *,
    annotations: Sequence[Annotation] | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> TextContentBlock:
    """A text block."""
    notes = None if annotations is None else list(annotations)
    fields = {"type": "text", "text": text, "annotations": notes, "id": id, "index": index}
    return cast("TextContentBlock", _block(fields, extras))


def create_reasoning_block(
    reasoning: str = "", *, id: str | None = None, index: Index = None, **extras: Any
) -> ReasoningContentBlock:
    """A reasoning block; a provider's `signature` is an extra."""
    fields = {"type": "reasoning", "reasoning": reasoning, "id": id, "index": index}
    return cast("ReasoningContentBlock", _block(fields, extras))


def create_refusal_block(
    refusal: str, *, id: str | None = None, index: Index = None, **extras: Any
) -> RefusalContentBlock:
    """A refusal block."""
    fields = {"type": "refusal", "refusal": refusal, "id": id, "index": index}
    return cast("RefusalContentBlock", _block(fields, extras))


def create_image_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> ImageContentBlock:
    """An image block from exactly one of `url`, `base64`, `file_id`."""
    media = _media("image", url, base64, file_id, mime_type)
    return cast("ImageContentBlock", _block({**media, "id": id, "index": index}, extras))


def create_audio_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    transcript: str | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> AudioContentBlock:
    """An audio block from exactly one of `url`, `base64`, `file_id`."""
    media = _media("audio", url, base64, file_id, mime_type)
    fields = {**media, "transcript": transcript, "id": id, "index": index}
    return cast("AudioContentBlock", _block(fields, extras))


def create_video_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> VideoContentBlock:
    """A video block from exactly one of `url`, `base64`, `file_id`."""
    media = _media("video", url, base64, file_id, mime_type)
    return cast("VideoContentBlock", _block({**media, "id": id, "index": index}, extras))


def create_file_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    filename: str | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> FileContentBlock:
    """A file block from exactly one of `url`, `base64`, `file_id`."""
    media = _media("file", url, base64, file_id, mime_type)
    fields = {**media, "filename": filename, "id": id, "index": index}
    return cast("FileContentBlock", _block(fields, extras))


def create_plaintext_block(
    text: str | None = None,
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    title: str | None = None,
    context: str | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> PlainTextContentBlock:
    """A text document from exactly one of `text`, `url`, `base64`, `file_id`."""
    sources = {"text": text, "url": url, "base64": base64, "file_id": file_id}
    _check_one("create_plaintext_block", sources)
    fields = {
        "type": "text-plain", "mime_type": "text/plain", **sources, "title": title,
        "context": context, "id": id, "index": index,
    }  # fmt: skip
    return cast("PlainTextContentBlock", _block(fields, extras))


def create_tool_call_block(
    name: str, args: Mapping[str, Any], *, id: str | None = None, **extras: Any
) -> ToolCall:
    """A tool call block."""
    return tool_call(name=name, args=args, id=id, extras=extras)


def create_tool_call_chunk_block(
    *,
    name: str | None = None,
    args: str | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> ToolCallChunk:
    """A piece of a streamed tool call."""
    return tool_call_chunk(name=name, args=args, id=id, index=index, extras=extras)


def create_invalid_tool_call_block(
    *,
    name: str | None = None,
    args: str | None = None,
    id: str | None = None,
    error: str | None = None,
    **extras: Any,
) -> InvalidToolCall:
    """A tool call that cannot run."""
    return invalid_tool_call(name=name, args=args, id=id, error=error, extras=extras)


def create_server_tool_call_block(
    name: str,
    args: Mapping[str, Any],
    *,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> ServerToolCall:
    """A call that the provider runs itself."""
    call = {"type": "server_tool_call", "name": name, "args": dict(args), "id": id}
    return cast("ServerToolCall", _block({**call, "index": index}, extras))


def create_server_tool_call_chunk_block(
    *,
    name: str | None = None,
    args: str | None = None,
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> ServerToolCallChunk:
    """A piece of a streamed server tool call."""
    piece = {"type": "server_tool_call_chunk", "name": name, "args": args, "id": id}
    return cast("ServerToolCallChunk", _block({**piece, "index": index}, extras))


def create_server_tool_result_block(
    tool_call_id: str,
    output: Any = None,
    *,
    status: Literal["success", "error"] = "success",
    id: str | None = None,
    index: Index = None,
    **extras: Any,
) -> ServerToolResult:
    """What a provider's own tool gave back."""
    result = {"type": "server_tool_result", "tool_call_id": tool_call_id, "status": status}
    return cast(
        "ServerToolResult", _block({**result, "output": output, "id": id, "index": index}, extras)
    )


def create_non_standard_block(
    value: Mapping[str, Any], *, id: str | None = None, index: Index = None
) -> NonStandardContentBlock:
    """A block that only its provider understands."""
    fields = {"type": "non_standard", "value": dict(value), "id": id, "index": index}
    return cast("NonStandardContentBlock", _block(fields, {}))


def create_citation(
    *,
    url: str | None = None,
    title: str | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    cited_text: str | None = None,
    id: str | None = None,
    **extras: Any,
) -> Citation:
    """An annotation of a text block."""
    fields = {
        "type": "citation", "url": url, "title": title, "start_index": start_index,
        "end_index": end_index, "cited_text": cited_text, "id": id,
    }  # fmt: skip
    return cast("Citation", _block(fields, extras))


def _media(
    kind: str, url: str | None, base64: str | None, file_id: str | None, mime_type: str | None
) -> dict[str, Any]:
    sources = {"url": url, "base64": base64, "file_id": file_id}
    _check_one(f"create_{kind}_block", sources)
    if base64 is not None and mime_type is None:
        raise InputError(
            f"create_{kind}_block needs `mime_type` with `base64`; `{kind}(...)` finds it out"
        )
    return {"type": kind, **sources, "mime_type": mime_type}


def _check_one(caller: str, sources: dict[str, Any]) -> None:
    given = [f"`{name}`" for name, value in sources.items() if value is not None]
    if len(given) != 1:
        wanted = ", ".join(f"`{name}`" for name in sources)
        raise InputError(f"{caller} takes one of {wanted}; given: {', '.join(given) or 'none'}")


def _block(fields: dict[str, Any], extras: dict[str, Any]) -> dict[str, Any]:
    block = {key: value for key, value in fields.items() if value is not None}
    if extras:
        block["extras"] = extras
    return block
