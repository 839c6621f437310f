"""What messages carry beside text, and what becomes of it where a model cannot see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from headrace.chat_models.notes import Notes
from headrace.chat_models.wires import Wire
from headrace.messages import (
    AIMessage,
    BaseMessage,
    DeveloperMessage,
    SystemMessage,
)

Block = Mapping[str, Any]

# A form of content: what it is, and what to do where it cannot be carried.
FORMS: Mapping[str, tuple[str, str]] = {
    "image_url": ("an image by URL", "pass its bytes with `image(...)`"),
    "image_data": ("an image", "describe it in text"),
    "image_id": ("an image by `file_id`", "pass its URL or bytes"),
    "audio_data": ("audio", "transcribe it first"),
    "audio_url": ("audio by URL", "pass its bytes with `audio(...)`"),
    "audio_id": ("audio by `file_id`", "pass its bytes with `audio(...)`"),
    "file_data": ("a file", "put its text in the message"),
    "file_url": ("a file by URL", "pass its bytes with `file(...)`"),
    "file_id": ("a file by id", "pass its bytes with `file(...)`"),
    "video": ("video", "send frames as images"),
    "video_url": ("a video by this URL", "pass its bytes with `video(...)`"),
    "video_id": ("a video by `file_id`", "pass its URL or bytes"),
}
_KINDS = frozenset({"image", "audio", "video", "file"})
# A kind of content -> the fact of a profile that says whether the model sees it.
SEEN_BY: Mapping[str, str] = {
    "image": "image_inputs",
    "audio": "audio_inputs",
    "video": "video_inputs",
    "pdf": "pdf_inputs",
}


def form_of(block: Block) -> str | None:
    """The form in which a block carries media (a key of FORMS), None if it carries none."""
    kind = block["type"]
    if kind == "text-plain" and block.get("text") is None and not block.get("base64"):
        kind = "file"
    if kind not in _KINDS:
        return None
    data, url = block.get("base64"), block.get("url")
    if kind == "video":
        return "video" if data or url else "video_id"
    if isinstance(data, str) and data.startswith(("http://", "https://")):
        data, url = None, data
    if block.get("file_id") and kind == "file":
        return "file_id"
    return f"{kind}_url" if url and not (kind == "audio" and data) else (
        f"{kind}_data" if data else f"{kind}_id"
    )  # fmt: skip


def kind_of(block: Block) -> str | None:
    """The modality of a block (a key of SEEN_BY), None for text and for files of other kinds."""
    form = form_of(block)
    if form is None or not form.startswith("file"):
        return None if form is None else form.partition("_")[0]
    name = str(block.get("filename") or block.get("url") or "").lower()
    mime = block.get("mime_type")
    # Data of no stated type are sent as PDF: there is nothing else that vendors take.
    is_pdf = (
        mime == "application/pdf"
        or name.endswith(".pdf")
        or (form == "file_data" and not mime and not name)
    )
    return "pdf" if is_pdf else None


def modalities(messages: Iterable[BaseMessage]) -> frozenset[str]:
    """The kinds of media that a conversation carries, answers of the model apart."""
    return frozenset(
        kind
        for message in messages
        if not isinstance(message, AIMessage) and not isinstance(message.content, str)
        for block in message.content_blocks
        if (kind := kind_of(block)) is not None
    )


def carry(
    messages: Sequence[BaseMessage], facts: Mapping[str, Any], wire: Wire, notes: Notes
) -> list[BaseMessage]:
    """The messages with what cannot be carried dropped or described, each noted.

    Raises UnsupportedContentError under the policy "raise". The messages given stay as they are.
    """
    carried = [
        message if _is_text(message) else _carried(message, facts, wire, notes)
        for message in messages
    ]
    if facts.get("mid_conversation_system_messages") is False:
        return _system_first(carried, notes)
    return carried


def _is_text(message: BaseMessage) -> bool:
    """Whether nothing but text is in it; an assistant's own media are the service's business."""
    if isinstance(message.content, str) or isinstance(message, AIMessage):
        return True
    return all(isinstance(b, str) or b.get("type") == "text" for b in message.content)


def _carried(
    message: BaseMessage, facts: Mapping[str, Any], wire: Wire, notes: Notes
) -> BaseMessage:
    blocks: list[Any] = []
    lost = False
    for block in message.content_blocks:
        form = _form_to(wire, block)
        reason = form and sees(form, kind_of(block), facts, wire, notes.model)[1]
        if not reason:
            blocks.append(block)
            continue
        lost = True
        text = notes.lose(kind_of(block) or "file", _shown(block), _described(block), reason)
        if text is not None:
            blocks.append({"type": "text", "text": text})
    if not lost:
        return message
    changed = message.model_copy()
    changed.content = blocks
    return changed


def _form_to(wire: Wire, block: Block) -> str | None:
    """The form of a block for a service that fetches URLs of some schemes only."""
    form = form_of(block)
    if form is None or not wire.schemes or not block.get("url"):
        return form
    if urlsplit(str(block["url"])).scheme in wire.schemes:
        return form.replace("_url", "_data")
    return "video_url" if form == "video" else form


def sees(
    form: str, kind: str | None, facts: Mapping[str, Any], wire: Wire, model: str
) -> tuple[bool | None, str | None]:
    """Whether content of a form and kind reaches the model (None: nobody knows), else why not."""
    what, advice = FORMS[form]
    seen = facts.get(SEEN_BY.get(kind or "", ""))
    if seen is False:
        named = {"image": "images", "pdf": "PDF files"}.get(str(kind), kind)
        instead = FORMS.get(f"{form.partition('_')[0]}_data", FORMS["video"])[1]
        return False, f"`{model}` takes no {named}; {instead}"
    if form == "image_url" and facts.get("image_url_inputs") is False:
        return False, f"`{model}` takes no images by URL; {advice}"
    if wire.media is not None and form not in wire.media:
        return False, f"`{wire.service}` cannot carry {what}; {advice}"
    known = wire.media is not None and wire.media_known
    return (True if seen is True and known else None), None


def _shown(block: Block) -> str:
    """A block in a record: never its data, of a URL never what may be a secret."""
    kind = block.get("mime_type") or block["type"]
    if block.get("url"):
        parts = urlsplit(str(block["url"]))
        return f"{kind} at {parts.scheme}://{parts.hostname or ''}{parts.path}"
    if block.get("file_id"):
        return f"{kind} {block['file_id']}"
    return f"{kind}, {len(str(block.get('base64') or '')) * 3 // 4} bytes"


def _described(block: Block) -> str:
    name = block.get("filename")
    named = f" `{name}`" if name else ""
    return f"[{block['type']}{named}: {_shown(block)}; it was left out and cannot be seen here]"


def _system_first(messages: list[BaseMessage], notes: Notes) -> list[BaseMessage]:
    """Later system messages joined to the first, for models that take them nowhere else."""
    told = SystemMessage, DeveloperMessage
    begun = next((at for at, m in enumerate(messages) if not isinstance(m, told)), len(messages))
    late = [message for message in messages[begun:] if isinstance(message, told)]
    if not late:
        return messages
    rest = [message for message in messages[begun:] if not isinstance(message, told)]
    reason = f"`{notes.model}` takes system messages only at the beginning"
    name = "system message"
    if notes.change(name, "later", "at the beginning", "translated", reason) != "at the beginning":
        return messages if notes.policy == "warn" else [*messages[:begun], *rest]
    text = "\n\n".join(message.text for message in (*messages[:begun], *late))
    return [SystemMessage(text), *rest]
