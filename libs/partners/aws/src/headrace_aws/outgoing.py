"""Content blocks as the blocks of a Converse message."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headrace.chat_models.carrying import FORMS, form_of
from headrace.chat_models.prompt_caching import MARK
from headrace.errors import UnsupportedContentError
from headrace_aws.families import Family
from headrace_aws.formats import DocumentNames, format_of, formats

if TYPE_CHECKING:
    from headrace.chat_models import Notes

Block = Mapping[str, Any]
Part = dict[str, Any]

# What has its place inside a part or around it, and so is no extra that is left out.
_PLACED = frozenset({MARK, "citations", "context", "bucketOwner", "guard", "filename"})
_OF_OTHERS = "it belongs to another provider"


class Parts:
    """Writes blocks for one request; what Converse cannot carry is an UnsupportedContentError.

    `notes` gets a record of every name that is changed and every extra that is left out.
    """

    def __init__(self, family: Family, notes: Notes) -> None:
        self.family, self.notes = family, notes
        self._names = DocumentNames()

    def part(self, block: Block) -> Part:
        """The part that carries one block of a user or of a tool."""
        match block["type"]:
            case "text":
                part: Part = {"text": block["text"]}
            case "image" | "video" | "audio" as kind:
                part = {kind: self._media(kind, block)}
            case "file":
                part = {"document": self._document(block)}
            case "text-plain":
                part = self._plain(block)
            case "non_standard":
                return self._raw(block["value"])
            case kind:
                raise _unsupported(f"a `{kind}` block in this place")
        self._tell_extras(block)
        return guarded(part, block)

    def cache_point(self, extras: Mapping[str, Any] | None) -> list[Part]:
        """The cache point that a mark asks for."""
        mark = (extras or {}).get(MARK)
        if not mark:
            return []
        ttl = mark.get("ttl") if isinstance(mark, Mapping) else None
        if ttl and not self.family.hour:
            reason = f"`{self.notes.model}` keeps all for five minutes"
            self.notes.record("ttl", ttl, None, "left out", reason)
            ttl = None
        return [{"cachePoint": {"type": "default", **({"ttl": ttl} if ttl else {})}}]

    def _media(self, kind: str, block: Block) -> Part:
        form = format_of(kind, block)
        if form is None:
            raise _unsupported(f"{_told(block)}; it takes {kind} as {formats(kind)}")
        return {"format": form, "source": _source(block)}

    def _document(self, block: Block) -> Part:
        form = format_of("file", block)
        if form is None:
            raise _unsupported(f"{_told(block)}; it takes documents as {formats('file')}")
        return self._named(block, {"format": form, "source": _source(block)})

    def _named(self, block: Block, part: Part) -> Part:
        extras = block.get("extras") or {}
        asked = block.get("filename") or extras.get("filename") or block.get("title")
        name = self._names.give(asked, part.get("format"))
        if asked and name != str(asked).removesuffix(f".{part.get('format')}"):
            reason = "a name has letters, digits, single spaces, hyphens, brackets; none is twice"
            self.notes.record("document name", asked, name, "translated", reason)
        document = {**part, "name": name}
        context = extras.get("context") or block.get("context")
        if context:
            document["context"] = context
        if extras.get("citations"):
            document["citations"] = extras["citations"]
        return document

    def _plain(self, block: Block) -> Part:
        """A text document: as such where sources are to be cited, else as text."""
        text = block.get("text")
        if text is None and block.get("base64"):
            text = b64decode(block["base64"]).decode("utf-8", "replace")
        if text is None:
            return {"document": self._document({**block, "mime_type": "text/plain"})}
        if (block.get("extras") or {}).get("citations"):
            return {"document": self._named(block, {"format": "txt", "source": {"text": text}})}
        head = [block[key] for key in ("title", "context") if block.get(key)]
        return {"text": "\n".join([*head, text])}

    def _raw(self, value: Mapping[str, Any]) -> Part:
        """The caller's own block, in Converse's form or as others spell that."""
        match value:
            case {"type": "guard_content", "guard_content": dict(inner)}:
                return {"guardContent": inner}
            case {"type": "cache_point" | "cachePoint", **rest}:
                return {"cachePoint": {"type": "default", **rest}}
            case {"type": "search_result", **rest}:
                return {"searchResult": dict(rest)}
            case {"type": str(kind)}:
                raise _unsupported(f"a block of type `{kind}`")
        return dict(value)

    def _tell_extras(self, block: Block) -> None:
        for key, value in (block.get("extras") or {}).items():
            if key not in _PLACED:
                reason = "Converse has no such mark"
                self.notes.record(key, value, None, "left out", reason)


def guarded(part: Part, block: Block) -> Part:
    """The part for a guardrail to look at, if the block says so (`extras["guard"]`).

    `True`, or a list of qualifiers: grounding_source, query, guard_content.
    """
    guard = (block.get("extras") or {}).get("guard")
    if not guard:
        return part
    if "text" in part:
        qualifiers = {"qualifiers": list(guard)} if isinstance(guard, list | tuple) else {}
        return {"guardContent": {"text": {"text": part["text"], **qualifiers}}}
    return {"guardContent": part} if "image" in part else part


def _source(block: Block) -> Part:
    data, url = block.get("base64"), block.get("url")
    if url and urlsplit(str(url)).scheme == "s3":
        owner = (block.get("extras") or {}).get("bucketOwner")
        return {"s3Location": {"uri": url, **({"bucketOwner": owner} if owner else {})}}
    if data:
        return {"bytes": data}
    what, advice = FORMS[form_of(block) or "file_id"]
    raise _unsupported(f"{what}; {advice}, or an s3:// URL")


def _told(block: Block) -> str:
    return f"a {block['type']} of type `{block.get('mime_type') or 'unknown'}`"


def _unsupported(what: str) -> UnsupportedContentError:
    return UnsupportedContentError(f"Converse cannot carry {what}")
