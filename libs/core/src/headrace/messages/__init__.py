"""Messages: values that a conversation is made of, and the sums of their streamed pieces."""

from __future__ import annotations

from headrace.messages.chunks import AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.messages.coerce import AnyMessage, convert_to_message, convert_to_messages
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
