"""Tool calls while they stream: what a user interface may show before they are complete."""

from __future__ import annotations

from headrace.messages.blocks import ToolCall
from headrace.messages.calls import partial_args
from headrace.messages.chunks import AIMessageChunk
from headrace.messages.kinds import AIMessage


def partial_tool_calls(message: AIMessage) -> list[ToolCall]:
    """The calls of a total with the arguments that can be read so far.

    For showing only: arguments may be cut. What may run is in `tool_calls`.
    """
    if not isinstance(message, AIMessageChunk):
        return list(message.tool_calls)
    complete: list[ToolCall] = []
    for block in message.content_blocks:
        if block["type"] == "tool_call":
            complete.append(block)
        elif block["type"] == "tool_call_chunk" or block["type"] == "invalid_tool_call":
            call: ToolCall = {
                "type": "tool_call",
                "name": block["name"] or "",
                "args": partial_args(block["args"]),
                "id": block["id"],
            }
            if block.get("index") is not None:
                call["index"] = block["index"]
            complete.append(call)
    return complete
