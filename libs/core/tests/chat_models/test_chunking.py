from __future__ import annotations

from typing import Any

import pytest

from headrace.chat_models.chunking import as_chunk
from headrace.messages import AIMessage, message_chunk_to_message
from headrace.testing.streaming import pieces

CALL = {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "1", "extras": {"sig": "s"}}
CUT = {"type": "invalid_tool_call", "name": "f", "args": "{", "id": "2", "error": "cut off"}
TEXT = {"type": "text", "text": "so"}
THOUGHT = {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "q"}}

MESSAGES = {
    "text": AIMessage("so it is", id="m", name="n", additional_kwargs={"k": 1}),
    "a call": AIMessage("so", tool_calls=[CALL]),
    "a call in the content": AIMessage([THOUGHT, CALL, TEXT]),
    "one call in it and one apart": AIMessage([TEXT, CALL], tool_calls=[CALL, {**CALL, "id": "3"}]),
    "a call that was cut": AIMessage("so", invalid_tool_calls=[CUT]),
    "one cut apart from blocks": AIMessage([TEXT], tool_calls=[CALL], invalid_tool_calls=[CUT]),
}


@pytest.mark.parametrize("cut", [lambda message: [as_chunk(message)], pieces], ids=["one", "many"])
@pytest.mark.parametrize("kind", MESSAGES)
def test_chunks_of_a_message_add_up_to_all_it_carries(kind: str, cut: Any) -> None:
    message = MESSAGES[kind]
    found = message_chunk_to_message(sum(cut(message)))
    assert found.tool_calls == message.tool_calls
    assert found.invalid_tool_calls == message.invalid_tool_calls
    assert [*map(_said, found.content_blocks)] == [*map(_said, message.content_blocks)]
    assert (found.id, found.name) == (message.id, message.name)
    assert found.additional_kwargs == message.additional_kwargs


def _said(block: Any) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key != "index"}
