"""Answers of a model as they go back to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from headrace.chat_models import Notes
from headrace.messages import AIMessage
from headrace.transport import CallIds
from headrace_aws.families import Family
from headrace_aws.outgoing import Block, Part, Parts

OWN = frozenset({"bedrock_converse", "bedrock"})
_OTHERS = "it is another provider's"


class Answers:
    """Writes assistant messages: what only its own provider understands goes to no other."""

    def __init__(self, family: Family, notes: Notes, ids: CallIds, answered: Iterable[str]) -> None:
        self.family, self.notes, self.ids = family, notes, ids
        self.answered = frozenset(answered)
        self.parts = Parts(family, notes)

    def write(self, message: AIMessage) -> list[Part]:
        own = message.response_metadata.get("model_provider") in OWN
        parts: list[Part] = []
        for block in cast("Sequence[Block]", message.content_blocks):
            parts += self._parts(block, own)
            parts += self.parts.cache_point(block.get("extras"))
        parts += self.parts.cache_point(message.additional_kwargs)
        return parts

    def _parts(self, block: Block, own: bool) -> list[Part]:
        match block["type"]:
            case "text":
                return self._text(block, own)
            case "refusal":
                return [{"text": block["refusal"]}]
            case "tool_call":
                return [self._call(block, block["args"])]
            case "invalid_tool_call":
                return self._invalid(block)
            case "reasoning":
                return self._reasoning(block, own)
            case "server_tool_call" | "server_tool_result" as kind:
                if own:
                    return [_server_part(block)]
                return self._leave(kind, block.get("name"), _OTHERS)
            case "non_standard" if not own:
                return self._leave("non_standard", block["value"].get("type"), _OTHERS)
            case "image" | "audio" | "video" | "file" as kind:
                # Only users may show media (the service model on Message.content).
                return self._leave(kind, kind, "an answer that is sent back holds no media")
        return [self.parts.part(block)]

    def _leave(self, name: str, asked: Any, reason: str) -> list[Part]:
        self.notes.record(name, asked, None, "left out", reason)
        return []

    def _text(self, block: Block, own: bool) -> list[Part]:
        sources = [note for note in block.get("annotations") or () if note["type"] == "citation"]
        located = [note for note in sources if "location" in (note.get("extras") or {})]
        if not own or not located:
            return [{"text": block["text"]}]
        cited = {"content": [{"text": block["text"]}], "citations": [_source(n) for n in located]}
        return [{"citationsContent": cited}]

    def _call(self, call: Block, args: Any) -> Part:
        id = self.ids.of_call(call.get("id"))
        return {"toolUse": {"toolUseId": id, "name": call.get("name") or "", "input": args}}

    def _invalid(self, call: Block) -> list[Part]:
        """A call that could not be read, if somebody answered it; else its result is missing."""
        if call.get("id") not in self.answered:
            return self._leave("invalid_tool_call", call.get("name"), "nothing answers it")
        return [self._call(call, {"arguments": call.get("args") or ""})]

    def _reasoning(self, block: Block, own: bool) -> list[Part]:
        extras = block.get("extras") or {}
        if not own:
            return self._leave("reasoning", _shown(block), _OTHERS)
        if not self.family.signs:
            return self._leave("reasoning", _shown(block), f"`{self.notes.model}` takes none back")
        if hidden := extras.get("redactedContent"):
            return [{"reasoningContent": {"redactedContent": hidden}}]
        if not extras.get("signature"):
            return self._leave("reasoning", _shown(block), "it has no signature")
        said = {"text": block.get("reasoning") or "", "signature": extras["signature"]}
        return [{"reasoningContent": {"reasoningText": said}}]


def _shown(block: Block) -> str:
    return str(block.get("reasoning") or "")[:40]


def _server_part(block: Block) -> Part:
    extras: Mapping[str, Any] = block.get("extras") or {}
    if block["type"] == "server_tool_call":
        call = {"toolUseId": block.get("id"), "name": block["name"], "input": block["args"]}
        return {"toolUse": {**call, "type": "server_tool_use"}}
    result: Part = {
        "toolUseId": block["tool_call_id"],
        "content": block.get("output") or [],
        "status": block.get("status") or "success",
    }
    kind = extras.get("block_type")
    named = kind not in (None, "toolResult")  # which is what the core calls one without a name
    return {"toolResult": {**result, "type": kind} if named else result}


def _source(note: Mapping[str, Any]) -> Part:
    """A citation as Converse wrote it."""
    extras = note.get("extras") or {}
    source: Part = {"title": note["title"]} if note.get("title") else {}
    if extras.get("source"):
        source["source"] = extras["source"]
    if note.get("cited_text"):
        source["sourceContent"] = extras.get("sourceContent") or [{"text": note["cited_text"]}]
    return {**source, "location": extras["location"]}
