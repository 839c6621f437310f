"""Requests written by the encoder, for tests: with the records of what was changed."""

from __future__ import annotations

from typing import Any

from headrace.chat_models import Notes, Settings, Timeout, Watch
from headrace.messages import HumanMessage
from headrace_aws.encode import encode
from headrace_aws.families import Family, family_of

CLAUDE, NOVA, LLAMA = (
    family_of(f"{maker}.x") for maker in ("us.anthropic", "eu.amazon", "meta")
)  # fmt: skip
OWN = {"model_provider": "bedrock_converse"}
PNG = "iVBORw0KGgo="
TOOL = {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}
SPEC = {
    "toolSpec": {
        "name": "add",
        "description": "Adds.",
        "inputSchema": {"json": {"type": "object", "properties": {}}},
    }
}
CALL = {"name": "add", "args": {"a": 1}, "id": "call_1"}


def written(
    *messages: Any,
    family: Family = CLAUDE,
    tools: tuple[Any, ...] = (),
    choice: Any = None,
    form: Any = None,
    stream: bool = False,
    profile: Any = None,
    **params: Any,
) -> dict[str, Any]:
    notes = Notes(warned=[])
    settings = Settings(params, Watch(Timeout()), tools, choice, form, notes=notes)
    given = [HumanMessage(m) if isinstance(m, str | list) else m for m in messages]
    body = encode(given or [HumanMessage("hi")], settings, family, stream=stream, profile=profile)
    return {**body, "notes": settings.notes.records}


def content(*messages: Any, **more: Any) -> list[dict[str, Any]]:
    """The blocks of the last message."""
    found: list[dict[str, Any]] = written(*messages, **more)["messages"][-1]["content"]
    return found


def noted(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(record["name"], record["action"]) for record in body["notes"]]


def document(**more: Any) -> dict[str, Any]:
    return {"type": "file", "base64": "AAAA", "mime_type": "application/pdf", **more}
