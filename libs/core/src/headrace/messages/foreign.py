"""Blocks in the shapes of other libraries and wire formats, read into canonical fields.

A reader gives the canonical dict, or None if the block does not have the shape it knows.
Shapes as of the vendors' API references (read 2026-11): Chat Completions and Responses parts,
Messages API blocks, blocks of Converse and DashScope and parts of generateContent (which have no
`type`), and `media` parts.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from headrace.deferred import pydantic_core

Block = dict[str, Any]
Reader = Callable[[Block], Block | None]

_AUDIO = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}
_DOCUMENTS = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "txt": "text/plain",
    "md": "text/markdown",
}


def split_data_url(url: str) -> dict[str, str]:
    """{"base64", "mime_type"} of a base64 data URL, {"url"} of any other."""
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        mime = head[5:-7].partition(";")[0]
        return {"base64": data, "mime_type": mime} if mime else {"base64": data}
    return {"url": url}


def with_extras(result: Block, block: Mapping[str, Any], *used: str) -> Block:
    """`result` with the keys of `block` that were not `used` moved to `extras`."""
    extras = dict(result.get("extras") or {})
    skip = {"type", "id", "index", *used}
    if isinstance(block.get("extras"), Mapping):
        extras.update(block["extras"])
        skip.add("extras")
    extras.update({k: v for k, v in block.items() if k not in skip and v is not None})
    if extras:
        result["extras"] = extras
    return result


def _text(block: Block) -> Block:
    return with_extras({"type": "text", "text": block.get("text") or ""}, block, "text")


def _image_url(block: Block) -> Block | None:
    value = block.get("image_url")
    if isinstance(value, str):
        return with_extras({"type": "image", **split_data_url(value)}, block, "image_url")
    if isinstance(value, Mapping) and isinstance(value.get("url"), str):
        result = with_extras({"type": "image", **split_data_url(value["url"])}, value, "url")
        return with_extras(result, block, "image_url")
    if isinstance(block.get("file_id"), str):
        return with_extras({"type": "image", "file_id": block["file_id"]}, block, "file_id")
    return None


def _input_audio(block: Block) -> Block | None:
    value = block.get("input_audio")
    if not isinstance(value, Mapping) or "data" not in value:
        return None
    form = str(value.get("format") or "wav")
    mime = _AUDIO.get(form, f"audio/{form}")
    result = {"type": "audio", "base64": value["data"], "mime_type": mime}
    return with_extras(result, block, "input_audio")


def _file(block: Block) -> Block | None:
    inner = block.get("file", block if block["type"] == "input_file" else None)
    if not isinstance(inner, Mapping):
        return _media_source(block)
    result: Block = {"type": "file"}
    if inner.get("file_id"):
        result["file_id"] = inner["file_id"]
    elif isinstance(inner.get("file_data"), str) and inner["file_data"]:
        result |= split_data_url(inner["file_data"])
        if "url" in result:
            result = {"type": "file", "base64": inner["file_data"]}
    elif inner.get("file_url"):
        result["url"] = inner["file_url"]
    else:
        return None
    if inner.get("filename"):
        result["filename"] = inner["filename"]
    return with_extras(result, block, "file", "file_id", "file_data", "file_url", "filename")


def _media_source(block: Block) -> Block | None:
    """`source` (Messages API) or `source_type` blocks of images, documents and other media."""
    kind = {"document": "file"}.get(block["type"], block["type"])
    source = block.get("source")
    used = {"source"}
    if "source_type" in block:
        data = block.get("data") or block.get("text")
        source = {**block, "type": block["source_type"], "data": data}
        source["media_type"] = block.get("mime_type")
        source["file_id"] = block.get("id")
        used = {"source_type", "data", "text", "url", "mime_type"}
    if not isinstance(source, Mapping):
        return None
    result: Block = {"type": kind}
    match source.get("type"):
        case "base64":
            result |= {"base64": source.get("data"), "mime_type": source.get("media_type")}
        case "url":
            result["url"] = source.get("url")
        case "file" | "id":
            result["file_id"] = source.get("file_id")
        case "text":
            result = {"type": "text-plain", "text": source.get("data"), "mime_type": "text/plain"}
            for key in ("title", "context"):
                if block.get(key):
                    result[key] = block[key]
            used |= {"title", "context"}
        case _:
            return None
    result = {key: value for key, value in result.items() if value is not None}
    return with_extras(result, block, *used)


def _thinking(block: Block) -> Block:
    result = {"type": "reasoning", "reasoning": block.get("thinking") or ""}
    return with_extras(result, block, "thinking")


def _redacted(block: Block) -> Block:
    extras = {"redacted_data": block.get("data")}
    return with_extras({"type": "reasoning", "reasoning": "", "extras": extras}, block, "data")


def _reasoning_content(block: Block) -> Block | None:
    inner = block.get("reasoning_content", block.get("reasoningContent"))
    if isinstance(inner, str):
        return {"type": "reasoning", "reasoning": inner}
    if not isinstance(inner, Mapping):
        return None
    said = inner.get("reasoningText", inner)
    if not isinstance(said, Mapping):
        return None
    result = with_extras({"type": "reasoning", "reasoning": said.get("text") or ""}, said, "text")
    if extras := result.get("extras"):
        result["extras"] = {key: _base64(value) for key, value in extras.items()}
    return result


def _tool_use(block: Block) -> Block:
    args = block.get("input")
    kind = "tool_call" if block["type"] == "tool_use" else "server_tool_call"
    result = {"type": kind, "name": block.get("name"), "args": args, "id": block.get("id")}
    if block["type"] == "mcp_tool_use":
        result["extras"] = {"block_type": block["type"]}
    if not isinstance(args, Mapping):
        result["type"] = f"{kind}_chunk"
        result["args"] = args or block.get("partial_json") or ""
    return with_extras(result, block, "name", "input", "partial_json")


def _function_call(block: Block) -> Block | None:
    result = {"type": "tool_call", "name": block.get("name"), "id": block.get("call_id")}
    arguments = block.get("arguments") or "{}"
    if not isinstance(arguments, str):
        return None
    try:
        result["args"] = pydantic_core.from_json(arguments.encode(), allow_inf_nan=False)
    except ValueError as exc:
        result |= {"type": "invalid_tool_call", "args": arguments, "error": str(exc)}
    return with_extras(result, block, "name", "call_id", "arguments")


def _tool_result(block: Block) -> Block | None:
    call_id = block.get("tool_use_id")
    if not isinstance(call_id, str):
        return None
    content = block.get("content")
    failed = block.get("is_error") or (
        isinstance(content, Mapping) and str(content.get("type", "")).endswith("_error")
    )
    result = {
        "type": "server_tool_result",
        "tool_call_id": call_id,
        "status": "error" if failed else "success",
        "output": content,
        # The kind of result goes back to its provider under its own name.
        "extras": {"block_type": block["type"]},
    }
    return with_extras(result, block, "tool_use_id", "content", "is_error")


def _media(block: Block) -> Block | None:
    mime = str(block.get("mime_type") or "")
    kind = mime.partition("/")[0]
    result: Block = {"type": kind if kind in ("image", "audio", "video") else "file"}
    if block.get("data") is not None:
        result["base64"] = _base64(block["data"])
    elif block.get("file_uri"):
        result["url"] = block["file_uri"]
    else:
        return None
    if mime:
        result["mime_type"] = mime
    return with_extras(result, block, "data", "file_uri", "mime_type")


def _content_part(key: str) -> Reader:
    def read(block: Block) -> Block | None:
        inner = block[key]
        if not isinstance(inner, Mapping):
            return None
        names = {"mimeType": "mime_type", "fileUri": "file_uri"}
        result = _media({names.get(str(name), str(name)): item for name, item in inner.items()})
        return result and with_extras(result, block, key)

    return read


def _keyed_media(key: str) -> Reader:
    """{"image": {"format", "source"}} as Converse says it, {"image": "URL"} as DashScope does."""

    def read(block: Block) -> Block | None:
        inner = block[key]
        if isinstance(inner, str) and key != "document":
            return with_extras({"type": key, **split_data_url(inner)}, block, key)
        if not isinstance(inner, Mapping) or not isinstance(inner.get("source"), Mapping):
            return None
        source, form = inner["source"], str(inner.get("format") or "")
        result: Block = {"type": "file" if key == "document" else key}
        if "bytes" in source:
            result["base64"] = _base64(source["bytes"])
        elif isinstance(source.get("s3Location"), Mapping):
            result["url"] = source["s3Location"].get("uri")
            result = with_extras(result, source["s3Location"], "uri")
        else:
            return None
        if form:
            result["mime_type"] = _DOCUMENTS.get(form) or (form if "/" in form else f"{key}/{form}")
        if inner.get("name"):
            result["filename"] = inner["name"]
        return with_extras(result, inner, "source", "format", "name")

    return read


def _converse_call(block: Block) -> Block | None:
    call = block["toolUse"]
    if not isinstance(call, Mapping):
        return None
    kind = "server_tool_call" if call.get("type") == "server_tool_use" else "tool_call"
    fields = {"name": call.get("name"), "args": call.get("input"), "id": call.get("toolUseId")}
    return {"type": kind, **fields}


def _converse_result(block: Block) -> Block | None:
    result = block["toolResult"]
    if not isinstance(result, Mapping):
        return None
    return {
        "type": "server_tool_result",
        "tool_call_id": result.get("toolUseId"),
        "status": result.get("status") or "success",
        "output": result.get("content"),
        "extras": {"block_type": result.get("type") or "toolResult"},
    }


def _base64(data: Any) -> Any:
    return b64encode(data).decode() if isinstance(data, bytes | bytearray) else data


FOREIGN_BY_TYPE: dict[Any, Reader] = {
    "input_text": _text,
    "output_text": _text,
    "image_url": _image_url,
    "input_image": _image_url,
    "input_audio": _input_audio,
    "file": _file,
    "input_file": _file,
    "image": _media_source,
    "audio": _media_source,
    "video": _media_source,
    "document": _media_source,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "reasoning_content": _reasoning_content,
    "tool_use": _tool_use,
    "server_tool_use": _tool_use,
    "mcp_tool_use": _tool_use,
    "function_call": _function_call,
    "tool_result": _tool_result,
    "web_search_tool_result": _tool_result,
    "web_fetch_tool_result": _tool_result,
    "code_execution_tool_result": _tool_result,
    "bash_code_execution_tool_result": _tool_result,
    "text_editor_code_execution_tool_result": _tool_result,
    "tool_search_tool_result": _tool_result,
    "advisor_tool_result": _tool_result,
    "mcp_tool_result": _tool_result,
    "media": _media,
}

# Blocks without a `type` are known by their one key.
FOREIGN_BY_KEY: dict[str, Reader] = {
    "text": _text,
    "toolUse": _converse_call,
    "toolResult": _converse_result,
    "reasoningContent": _reasoning_content,
    "image": _keyed_media("image"),
    "document": _keyed_media("document"),
    "video": _keyed_media("video"),
    "audio": _keyed_media("audio"),
    "inline_data": _content_part("inline_data"),
    "inlineData": _content_part("inlineData"),
    "file_data": _content_part("file_data"),
    "fileData": _content_part("fileData"),
}
