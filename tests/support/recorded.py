"""The recorded traffic, and how an answer is compared with what a case expects."""

from __future__ import annotations

import importlib.util
import os
import pathlib
from functools import cache
from typing import Any

from headrace.errors import ModelError
from headrace.messages import AIMessage

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("HEADRACE_TRAFFIC") or ROOT.parent / "shared" / "traffic")


def load_replay() -> Any:
    """The corpus' own module replay.py; None where the corpus is absent."""
    path = FOLDER / "replay.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("headrace_traffic_replay", path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REPLAY = load_replay()


@cache
def load_cases(dialect: str) -> list[dict[str, Any]]:
    """The cases of one wire dialect, in the order of their ids; none without the corpus."""
    if REPLAY is None:
        return []
    cases = [c for c in REPLAY.load(FOLDER).values() if c["dialect"] == dialect]
    return sorted(cases, key=lambda case: str(case["id"]))


def observed(message: AIMessage) -> dict[str, Any]:
    """What a message says, in the terms of `expected`."""
    blocks = message.content_blocks
    meta = message.response_metadata
    calls = [{"id": c["id"], "name": c["name"], "args": c["args"]} for c in message.tool_calls]
    calls += [
        {"id": c["id"], "name": c["name"], "args": {"__unparsable__": c["args"]}}
        for c in message.invalid_tool_calls
    ]
    return {
        "text": message.text,
        "reasoning": "".join(b.get("reasoning", "") for b in blocks if b["type"] == "reasoning"),
        "tool_calls": calls,
        "finish": meta.get("finish_reason_raw"),
        "refusal": "".join(b["refusal"] for b in blocks if b["type"] == "refusal"),
        "citations": sum(len(b.get("annotations", ())) for b in blocks if b["type"] == "text"),
        "server_tools": sum(b["type"] == "server_tool_call" for b in blocks),
        "logprobs": len((meta.get("logprobs") or {}).get("content") or ()),
        "n_choices": 1 + len(meta.get("choices") or ()),
        "model": meta.get("model_name"),
        "usage": usage_of(message),
    }


def usage_of(message: AIMessage) -> dict[str, Any] | None:
    usage: Any = message.usage_metadata
    if usage is None:
        return None
    before, after = usage.get("input_token_details", {}), usage.get("output_token_details", {})
    return {
        "input": usage["input_tokens"],
        "output": usage["output_tokens"],
        "total": usage["total_tokens"],
        "cached": before.get("cache_read"),
        "cache_write": before.get("cache_creation"),
        "reasoning": after.get("reasoning"),
    }


def differences(case: dict[str, Any], outcome: AIMessage | ModelError) -> dict[str, Any]:
    """{field: (expected, observed)} of all that is not as the case expects."""
    expected = case["expected"]
    if expected["error"] is not None:
        if not isinstance(outcome, ModelError):
            return {"error": (expected["error"], outcome)}
        asked = (expected["error"]["status"], expected["error"]["message"])
        found = (outcome.status, str(outcome))
        return {} if asked[0] == found[0] and asked[1] in found[1] else {"error": (asked, found)}
    if isinstance(outcome, ModelError):
        return {"error": (None, outcome)}
    seen = observed(outcome)
    return {
        field: (expected[field], value)
        for field, value in seen.items()
        if (expected[field] or None) != (value or None)
        or (field in ("usage", "finish") and expected[field] != value)
    }


def neutral_message(message: dict[str, Any], *, flat: bool = True) -> dict[str, Any]:
    """A message of the corpus' neutral form in one that `convert_to_messages` reads.

    `flat`: answers and results as plain text, as most services spell them.
    """
    parts = [neutral_part(part) for part in message["content"]]
    result = {"role": message["role"], "content": parts}
    if flat and message["role"] in ("assistant", "tool"):
        result["content"] = "".join(part["text"] for part in parts)
    for key in ("tool_calls", "tool_call_id", "name"):
        if message.get(key):
            result[key] = message[key]
    return result


def neutral_part(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the neutral form as a block."""
    if part["type"] == "text":
        return part
    if "url" in part:
        return {"type": part["type"], "url": part["url"]}
    return {"type": part["type"], "base64": part["b64"], "mime_type": part["mime"]}
