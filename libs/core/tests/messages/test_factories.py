from __future__ import annotations

import inspect
from typing import Any

import pytest

from headrace import messages
from headrace.errors import InputError
from headrace.messages import HumanMessage, factories

CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "create_text_block": (("x",), {}),
    "create_reasoning_block": (("x",), {}),
    "create_refusal_block": (("x",), {}),
    "create_image_block": ((), {"url": "http://x"}),
    "create_audio_block": ((), {"file_id": "f"}),
    "create_video_block": ((), {"url": "http://x"}),
    "create_file_block": ((), {"base64": "AA", "mime_type": "application/pdf"}),
    "create_plaintext_block": (("x",), {}),
    "create_tool_call_block": (("f", {"a": 1}), {}),
    "create_tool_call_chunk_block": ((), {"args": "{"}),
    "create_invalid_tool_call_block": ((), {"args": "{"}),
    "create_server_tool_call_block": (("f", {}), {}),
    "create_server_tool_call_chunk_block": ((), {"args": "{"}),
    "create_server_tool_result_block": (("1", "out"), {}),
}


def test_every_factory_is_public_and_tested() -> None:
    made = {name for name, _ in inspect.getmembers(factories, inspect.isfunction)
            if name.startswith("create_")}  # fmt: skip
    assert made == {*CALLS, "create_citation", "create_non_standard_block"}
    assert made <= set(messages.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_a_made_block_is_canonical_and_carries_extras(name: str) -> None:
    args, fields = CALLS[name]
    block = getattr(messages, name)(*args, **fields, signature="s")
    assert block["extras"] == {"signature": "s"}
    assert HumanMessage([block]).content_blocks == [block]


def test_what_is_not_given_is_left_out() -> None:
    assert messages.create_text_block("x") == {"type": "text", "text": "x"}
    assert messages.create_citation(url="u") == {"type": "citation", "url": "u"}
    assert messages.create_non_standard_block({"a": 1}) == {
        "type": "non_standard",
        "value": {"a": 1},
    }


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_media_need_one_source_and_a_type_with_base64(kind: str) -> None:
    make = getattr(messages, f"create_{kind}_block")
    with pytest.raises(InputError, match="given: none"):
        make()
    with pytest.raises(InputError, match="given: `url`, `file_id`"):
        make(url="u", file_id="f")
    with pytest.raises(InputError, match="mime_type"):
        make(base64="AA")


def test_a_text_document_has_one_source() -> None:
    with pytest.raises(InputError, match="`text`, `url`"):
        messages.create_plaintext_block()
