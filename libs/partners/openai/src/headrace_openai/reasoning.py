"""Reasoning of the compatible services: three ways in, four ways back out.

It comes as `reasoning_content` or `reasoning` (text) and as `reasoning_details` (typed pieces
with signatures or encrypted data, which go back unchanged: `extras["reasoning_details"]`).
Source: https://openrouter.ai/docs/use-cases/reasoning-tokens (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Block = dict[str, Any]

_TEXTS = ("text", "summary")


def reasoning_text(message: Mapping[str, Any]) -> str:
    """The reasoning of a message or delta as text, once: services repeat it in two fields."""
    for name in ("reasoning_content", "reasoning"):
        value = message.get(name)
        if value.__class__ is str and value:
            return value
    details = message.get("reasoning_details")
    return "".join(detail_text(d) for d in details) if details else ""


def detail_text(detail: Mapping[str, Any]) -> str:
    for name in _TEXTS:
        value = detail.get(name)
        if isinstance(value, str):
            return value
    return ""


def reasoning_block(message: Mapping[str, Any]) -> Block | None:
    """The reasoning block of a whole message, None if it has none."""
    text = reasoning_text(message)
    details = message.get("reasoning_details")
    if not text and not details:
        return None
    block: Block = {"type": "reasoning", "reasoning": text}
    if details:
        block["extras"] = {"reasoning_details": joined_details(details)}
    return block


def joined_details(pieces: Iterable[Mapping[str, Any]]) -> list[Block]:
    """Streamed `reasoning_details` put together: pieces of one type, index and id are one."""
    joined: list[Block] = []
    texts: list[dict[str, list[str]]] = []
    for piece in pieces:
        if not joined or not _continues(joined[-1], piece):
            joined.append({k: v for k, v in piece.items() if k not in _TEXTS})
            texts.append({})
        else:
            joined[-1].update(
                {k: v for k, v in piece.items() if k not in _TEXTS and v not in (None, "")}
            )
        for name in _TEXTS:
            if isinstance(piece.get(name), str):
                texts[-1].setdefault(name, []).append(piece[name])
    for detail, parts in zip(joined, texts, strict=True):
        detail.update({name: "".join(part) for name, part in parts.items()})
    return joined


def _continues(detail: Mapping[str, Any], piece: Mapping[str, Any]) -> bool:
    if piece.get("type") != detail.get("type") or piece.get("index") != detail.get("index"):
        return False
    return not piece.get("id") or not detail.get("id") or piece["id"] == detail["id"]


def thinking_block(part: Mapping[str, Any]) -> Block:
    """The reasoning block of a Mistral content chunk of type `thinking`."""
    value = part["thinking"]
    if isinstance(value, list):
        value = "".join(p["text"] for p in value if isinstance(p.get("text"), str))
    block: Block = {"type": "reasoning", "reasoning": value}
    extras = {k: v for k, v in part.items() if k not in ("type", "thinking") and v is not None}
    if extras:
        block["extras"] = extras
    return block


def reasoning_out(blocks: Sequence[Mapping[str, Any]], field: str) -> Block:
    """The keys of an assistant message that carry its reasoning back in `field`.

    `thinking` is a part of the content instead and has no key of its own.
    """
    text = "".join(block.get("reasoning") or "" for block in blocks)
    if field == "reasoning_details":
        details = [
            detail
            for block in blocks
            for detail in (block.get("extras") or {}).get("reasoning_details") or ()
        ]
        if details:
            return {"reasoning_details": details}
        return {"reasoning": text} if text else {}
    return {field: text} if text and field != "thinking" else {}


def thinking_part(block: Mapping[str, Any]) -> Block:
    """The Mistral content chunk of a reasoning block."""
    extras = block.get("extras") or {}
    kept = {key: extras[key] for key in ("signature", "closed") if key in extras}
    text = {"type": "text", "text": block.get("reasoning") or ""}
    return {"type": "thinking", "thinking": [text], **kept}
