"""The content blocks: plain dicts with a `type`, one canonical form for every provider.

What a provider adds (signatures, citations, cache markers) rides in `extras`; `index` is the
block's place in a stream and `id` the provider's own name for it.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12


class Citation(TypedDict, total=False):
    """Where a stretch of text comes from; `start_index` and `end_index` count characters."""

    type: Literal["citation"]
    id: str
    url: str
    title: str
    start_index: int
    end_index: int
    cited_text: str
    extras: dict[str, Any]


class NonStandardAnnotation(TypedDict):
    """An annotation that only its provider understands."""

    type: Literal["non_standard_annotation"]
    value: dict[str, Any]
    id: NotRequired[str]


Annotation: TypeAlias = Citation | NonStandardAnnotation


class _Block(TypedDict, total=False):
    id: str | None
    index: int | str | None
    extras: dict[str, Any]


class TextContentBlock(_Block):
    """Text that the model reads or wrote."""

    type: Literal["text"]
    text: str
    annotations: NotRequired[list[Annotation]]


class ReasoningContentBlock(_Block):
    """What the model thought before it answered; a signature rides in `extras`."""

    type: Literal["reasoning"]
    reasoning: NotRequired[str]


class RefusalContentBlock(_Block):
    """The model's own words for why it will not answer."""

    type: Literal["refusal"]
    refusal: str


class _Media(_Block, total=False):
    url: str
    base64: str
    file_id: str
    mime_type: str


class ImageContentBlock(_Media):
    """An image by `url`, `base64` with `mime_type`, or `file_id`."""

    type: Literal["image"]


class AudioContentBlock(_Media):
    """Sound by `url`, `base64` with `mime_type`, or `file_id`; `transcript` if it was spoken."""

    type: Literal["audio"]
    transcript: NotRequired[str]


class VideoContentBlock(_Media):
    """A video by `url`, `base64` with `mime_type`, or `file_id`."""

    type: Literal["video"]


class FileContentBlock(_Media):
    """A document such as a PDF by `url`, `base64` with `mime_type`, or `file_id`."""

    type: Literal["file"]
    filename: NotRequired[str]


class PlainTextContentBlock(_Media):
    """A text document, kept apart from the text of the message."""

    type: Literal["text-plain"]
    text: NotRequired[str]
    title: NotRequired[str]
    context: NotRequired[str]


class ToolCall(TypedDict):
    """A request to run the tool `name` with `args`; `id` pairs it with its result."""

    type: Literal["tool_call"]
    name: str
    args: dict[str, Any]
    id: str | None
    index: NotRequired[int | str | None]
    extras: NotRequired[dict[str, Any]]


class ToolCallChunk(TypedDict):
    """A piece of a streamed tool call; `args` is a stretch of JSON text."""

    type: Literal["tool_call_chunk"]
    name: str | None
    args: str | None
    id: str | None
    index: int | str | None
    extras: NotRequired[dict[str, Any]]


class InvalidToolCall(TypedDict):
    """A tool call that cannot run: `args` as the model wrote them, `error` says why."""

    type: Literal["invalid_tool_call"]
    name: str | None
    args: str | None
    id: str | None
    error: str | None
    index: NotRequired[int | str | None]
    extras: NotRequired[dict[str, Any]]


class ServerToolCall(_Block):
    """A tool call that the provider runs itself."""

    type: Literal["server_tool_call"]
    name: str
    args: dict[str, Any]


class ServerToolCallChunk(_Block):
    """A piece of a streamed server tool call."""

    type: Literal["server_tool_call_chunk"]
    name: NotRequired[str | None]
    args: NotRequired[str | None]


class ServerToolResult(_Block):
    """What a provider's own tool gave back for the call `tool_call_id`."""

    type: Literal["server_tool_result"]
    tool_call_id: str
    status: Literal["success", "error"]
    output: NotRequired[Any]


class NonStandardContentBlock(TypedDict):
    """A block that only its provider understands, as it came."""

    type: Literal["non_standard"]
    value: dict[str, Any]
    id: NotRequired[str | None]
    index: NotRequired[int | str | None]


DataContentBlock: TypeAlias = (
    ImageContentBlock
    | AudioContentBlock
    | VideoContentBlock
    | FileContentBlock
    | PlainTextContentBlock
)
ToolContentBlock: TypeAlias = (
    ToolCall
    | ToolCallChunk
    | InvalidToolCall
    | ServerToolCall
    | ServerToolCallChunk
    | ServerToolResult
)
ContentBlock: TypeAlias = (
    TextContentBlock
    | ReasoningContentBlock
    | RefusalContentBlock
    | DataContentBlock
    | ToolContentBlock
    | NonStandardContentBlock
)

_COMMON = frozenset({"type", "id", "index", "extras"})
_MEDIA = _COMMON | {"url", "base64", "file_id", "mime_type"}

# The fields of each standard type; any other key of a block is a provider's extra.
STANDARD_FIELDS: dict[str, frozenset[str]] = {
    "text": _COMMON | {"text", "annotations"},
    "reasoning": _COMMON | {"reasoning"},
    "refusal": _COMMON | {"refusal"},
    "image": _MEDIA,
    "audio": _MEDIA | {"transcript"},
    "video": _MEDIA,
    "file": _MEDIA | {"filename"},
    "text-plain": _MEDIA | {"text", "title", "context"},
    "tool_call": _COMMON | {"name", "args"},
    "tool_call_chunk": _COMMON | {"name", "args"},
    "invalid_tool_call": _COMMON | {"name", "args", "error"},
    "server_tool_call": _COMMON | {"name", "args"},
    "server_tool_call_chunk": _COMMON | {"name", "args"},
    "server_tool_result": _COMMON | {"tool_call_id", "status", "output"},
    "non_standard": _COMMON | {"value"},
}
