from __future__ import annotations

import pytest

from headrace.errors import InputError
from headrace.messages import invalid_tool_call, tool_call, tool_call_chunk
from headrace.messages.calls import read_tool_call_chunk, resolve


def test_the_factories_make_normal_forms() -> None:
    assert tool_call(name="f", args={"a": 1}) == {
        "type": "tool_call", "name": "f", "args": {"a": 1}, "id": None,
    }  # fmt: skip
    assert tool_call_chunk(args="{") == {
        "type": "tool_call_chunk", "name": None, "args": "{", "id": None, "index": None,
    }  # fmt: skip
    assert invalid_tool_call(name="f", args="{", error="cut") == {
        "type": "invalid_tool_call", "name": "f", "args": "{", "id": None, "error": "cut",
    }  # fmt: skip


def test_a_piece_without_a_type_keeps_its_extras() -> None:
    piece = read_tool_call_chunk({"args": "{", "index": 0, "extras": {"sign": "a"}})
    assert piece["extras"] == {"sign": "a"}


def test_a_call_needs_a_name() -> None:
    with pytest.raises(InputError, match="needs a `name`"):
        tool_call(name="", args={})


@pytest.mark.parametrize("args", ['{"a": 1}', ' {"a": 1} \n'])
def test_a_complete_object_is_read_at_any_time(args: str) -> None:
    for final in (False, True):
        call = resolve(tool_call_chunk(name="f", args=args), final=final)
        assert call == tool_call(name="f", args={"a": 1})


@pytest.mark.parametrize("args", [None, "", "  ", "{", '{"a": "}', '{"a": {}'])
def test_an_unfinished_object_is_nothing_yet(args: str | None) -> None:
    assert resolve(tool_call_chunk(name="f", args=args), final=False) is None


def test_arguments_nested_too_deep_to_read_are_invalid_not_an_error() -> None:
    args = '{"a":' * 5000 + "1" + "}" * 5000
    call = resolve(tool_call_chunk(name="f", args=args))
    assert call is not None
    assert call["type"] == "invalid_tool_call"


def test_a_lone_surrogate_is_invalid_not_an_error() -> None:
    call = resolve(tool_call_chunk(name="f", args='{"a": "\ud800"}'))
    assert call is not None
    assert call["type"] == "invalid_tool_call"
