"""Messages: values that a conversation is made of, and the sums of their streamed pieces.

The values load at once; what works on whole conversations, and the makers of blocks, on first
use: a program that only streams does not pay for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headrace.messages.blocks import (
    Annotation,
    AudioContentBlock,
    Citation,
    ContentBlock,
    DataContentBlock,
    FileContentBlock,
    ImageContentBlock,
    InvalidToolCall,
    NonStandardAnnotation,
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
    ToolContentBlock,
    VideoContentBlock,
)
from headrace.messages.calls import invalid_tool_call, tool_call, tool_call_chunk
from headrace.messages.chunks import AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.messages.coerce import (
    AnyMessage,
    MessageLike,
    convert_to_message,
    convert_to_messages,
    message_from_dict,
)
from headrace.messages.kinds import (
    AIMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from headrace.messages.message import BaseMessage
from headrace.messages.pretty import get_buffer_string
from headrace.messages.usage import (
    InputTokenDetails,
    OutputTokenDetails,
    UsageMetadata,
    add_usage,
    subtract_usage,
)

if TYPE_CHECKING:
    from headrace.messages.count import (
        count_tokens_approximately,
    )
    from headrace.messages.factories import (
        create_audio_block,
        create_citation,
        create_file_block,
        create_image_block,
        create_invalid_tool_call_block,
        create_non_standard_block,
        create_plaintext_block,
        create_reasoning_block,
        create_refusal_block,
        create_server_tool_call_block,
        create_server_tool_call_chunk_block,
        create_server_tool_result_block,
        create_text_block,
        create_tool_call_block,
        create_tool_call_chunk_block,
        create_video_block,
    )
    from headrace.messages.filter import (
        filter_messages,
    )
    from headrace.messages.media import (
        audio,
        file,
        image,
        video,
    )
    from headrace.messages.merge import (
        merge_message_runs,
    )
    from headrace.messages.partial import (
        partial_tool_calls,
    )
    from headrace.messages.pictures import (
        picture_size,
    )
    from headrace.messages.serialize import (
        message_to_dict,
        messages_from_dict,
        messages_to_dict,
    )
    from headrace.messages.trim import (
        trim_messages,
    )
    from headrace.messages.wire_form import (
        convert_to_openai_messages,
    )

_HOMES = {
    "count": ("count_tokens_approximately",),
    "factories": (
        "create_audio_block",
        "create_citation",
        "create_file_block",
        "create_image_block",
        "create_invalid_tool_call_block",
        "create_non_standard_block",
        "create_plaintext_block",
        "create_reasoning_block",
        "create_refusal_block",
        "create_server_tool_call_block",
        "create_server_tool_call_chunk_block",
        "create_server_tool_result_block",
        "create_text_block",
        "create_tool_call_block",
        "create_tool_call_chunk_block",
        "create_video_block",
    ),
    "filter": ("filter_messages",),
    "media": (
        "audio",
        "file",
        "image",
        "video",
    ),
    "merge": ("merge_message_runs",),
    "partial": ("partial_tool_calls",),
    "serialize": (
        "message_to_dict",
        "messages_from_dict",
        "messages_to_dict",
    ),
    "pictures": ("picture_size",),
    "trim": ("trim_messages",),
    "wire_form": ("convert_to_openai_messages",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AIMessage",
    "AIMessageChunk",
    "Annotation",
    "AnyMessage",
    "AudioContentBlock",
    "BaseMessage",
    "ChatMessage",
    "Citation",
    "ContentBlock",
    "DataContentBlock",
    "DeveloperMessage",
    "FileContentBlock",
    "HumanMessage",
    "ImageContentBlock",
    "InputTokenDetails",
    "InvalidToolCall",
    "MessageLike",
    "NonStandardAnnotation",
    "NonStandardContentBlock",
    "OutputTokenDetails",
    "PlainTextContentBlock",
    "ReasoningContentBlock",
    "RefusalContentBlock",
    "RemoveMessage",
    "ServerToolCall",
    "ServerToolCallChunk",
    "ServerToolResult",
    "SystemMessage",
    "TextContentBlock",
    "ToolCall",
    "ToolCallChunk",
    "ToolContentBlock",
    "ToolMessage",
    "UsageMetadata",
    "VideoContentBlock",
    "add_usage",
    "audio",
    "convert_to_message",
    "convert_to_messages",
    "convert_to_openai_messages",
    "count_tokens_approximately",
    "create_audio_block",
    "create_citation",
    "create_file_block",
    "create_image_block",
    "create_invalid_tool_call_block",
    "create_non_standard_block",
    "create_plaintext_block",
    "create_reasoning_block",
    "create_refusal_block",
    "create_server_tool_call_block",
    "create_server_tool_call_chunk_block",
    "create_server_tool_result_block",
    "create_text_block",
    "create_tool_call_block",
    "create_tool_call_chunk_block",
    "create_video_block",
    "file",
    "filter_messages",
    "get_buffer_string",
    "image",
    "invalid_tool_call",
    "merge_message_runs",
    "message_chunk_to_message",
    "message_from_dict",
    "message_to_dict",
    "messages_from_dict",
    "messages_to_dict",
    "partial_tool_calls",
    "picture_size",
    "subtract_usage",
    "sum_chunks",
    "tool_call",
    "tool_call_chunk",
    "trim_messages",
    "video",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
