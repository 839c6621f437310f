"""What each provider carries: the table of docs/media.md, the wire's parts, and the spellings."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from crossing import KEY, LINES

from headrace.chat_models import BaseChatModel, forbid_requests
from headrace.errors import UnsupportedContentError
from headrace.messages import HumanMessage
from headrace_openai import ChatOpenAI
from headrace_openai.dialects import DIALECTS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # deprecated models, unknown ones

PAGE = Path(__file__).parents[1] / "docs" / "media.md"
# As if the model saw everything: what is left is what the service carries.
SEES = dict.fromkeys(
    ("image_inputs", "image_url_inputs", "pdf_inputs", "audio_inputs", "video_inputs"), True
)


def data(raw: bytes) -> str:
    return b64encode(raw).decode()


DOT = b"\x89PNG\r\n\x1a\n"
PNG, PDF, WAV, MP4, TXT = map(data, (DOT, b"%PDF-1.7", b"RIFF", b"mp4", b"hello"))
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "image": {
        "URL": {"type": "image", "url": "https://h/a.png"},
        "bytes": {"type": "image", "base64": PNG, "mime_type": "image/png"},
        "id": {"type": "image", "file_id": "f-1"},
    },
    "PDF": {
        "URL": {"type": "file", "url": "https://h/a.pdf", "mime_type": "application/pdf"},
        "bytes": {"type": "file", "base64": PDF, "mime_type": "application/pdf",
                  "filename": "a.pdf"},
        "id": {"type": "file", "file_id": "f-1"},
    },
    "audio": {
        "URL": {"type": "audio", "url": "https://h/a.mp3", "mime_type": "audio/mpeg"},
        "bytes": {"type": "audio", "base64": WAV, "mime_type": "audio/wav"},
        "id": {"type": "audio", "file_id": "f-1"},
    },
    "video": {
        "URL": {"type": "video", "url": "https://h/a.mp4", "mime_type": "video/mp4"},
        "bytes": {"type": "video", "base64": MP4, "mime_type": "video/mp4"},
        "id": {"type": "video", "file_id": "f-1"},
    },
    "text file": {
        "bytes": {"type": "file", "base64": TXT, "mime_type": "text/plain", "filename": "a.txt"},
    },
    "text block": {
        "": {"type": "text-plain", "text": "hello", "mime_type": "text/plain", "title": "T"},
    },
}  # fmt: skip
FORMS = [(kind, form) for kind, forms in KINDS.items() for form in forms]
ON_PAGE = {
    "openai-responses": "openai (Responses)", "azure": "azure_openai", "google": "google_genai",
    "mistral": "mistralai", "bedrock-claude": "bedrock_converse",
    "bedrock-nova": "bedrock_converse",
}  # fmt: skip
CASES = [*(line.id for line in LINES), *(f"dialect:{name}" for name in DIALECTS)]


@cache
def made(case: str) -> BaseChatModel:
    """The model of a line, or of a compatible service."""
    name = case.removeprefix("dialect:")
    if name == case:
        return next(line for line in LINES if line.id == name).model(profile=SEES)
    url = DIALECTS[name].base_url or "https://gateway.example/v1"
    return ChatOpenAI(model="m", dialect=name, base_url=url, api_key=KEY, profile=SEES)


@cache
def page() -> Mapping[str, Mapping[str, str]]:
    """The table: provider -> kind -> cell."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    head, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {
        name: dict(zip(head[1:], cells, strict=True))
        for names, *cells in rows
        for name in names.replace("`", "").split(", ")
    }


def part(case: str, block: Mapping[str, Any]) -> Any:
    """What carries a block on the wire; None where it is refused."""
    report = made(case).preflight([HumanMessage([{"type": "text", "text": "See"}, dict(block)])])
    if report.errors:
        return None
    request: Any = report.request
    turns: Any = request.get("messages") or request.get("contents") or request["input"]
    turn = (turns["messages"] if isinstance(turns, dict) else turns)[-1]
    content = turn.get("content") or turn["parts"]
    if isinstance(content, str):
        return {key: turn[key] for key in turn if key != "role"}
    _, found = content
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_is_carried_is_what_the_page_says(case: str) -> None:
    row = page()[ON_PAGE.get(case, case.removeprefix("dialect:"))]
    for kind in ("image", "PDF", "audio", "video", "text file"):
        sent = [form for form, block in KINDS[kind].items() if part(case, block) is not None]
        assert (kind, ", ".join(sent) or "-") == (kind, row[kind])
    said = part(case, KINDS["text block"][""])
    document = isinstance(said, dict) and said.get("type") == "document"
    assert row["text block"] == ("as a document" if document else "as text")


def test_the_page_has_no_row_too_many() -> None:
    assert page().keys() == {ON_PAGE.get(c, c.removeprefix("dialect:")) for c in CASES}


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_carried_is_refused_before_any_request(case: str) -> None:
    model = made(case)
    for kind, form in FORMS:
        block = KINDS[kind][form]
        if part(case, block) is None:
            with forbid_requests(), pytest.raises(UnsupportedContentError) as caught:
                model.invoke([HumanMessage(["See", block])])
            assert "cannot carry" in str(caught.value)
            for policy, described in (("drop", 0), ("describe", 1)):
                other = model.model_copy(update={"on_unsupported_content": policy})
                report = other.preflight([HumanMessage(["See", block])])
                assert report.errors == ()
                assert str(report.request).count("cannot be seen here") == described
                (record,) = [one for one in report.adapted if "cannot carry" in one["reason"]]
                assert record["action"] == ("described" if described else "left out")


# The wire's own parts, by the vendors' pages.


def source(**fields: str) -> dict[str, Any]:
    return {"type": "image", "source": fields}


def document(title: str | None = None, **fields: str) -> dict[str, Any]:
    named = {"title": title} if title else {}
    return {"type": "document", "source": fields, **named}


def inline(mime: str, data: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": data}}


def at(uri: str, mime: str | None = None) -> dict[str, Any]:
    return {"fileData": {"fileUri": uri, **({"mimeType": mime} if mime else {})}}


def url(kind: str, mime: str, data: str) -> str:
    return f"data:{kind}/{mime};base64,{data}"


def image_url(where: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": where}}


def named(data: str, name: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data, "filename": name}}


IMAGE, PDF_URL, TXT_URL = (
    url("image", "png", PNG), url("application", "pdf", PDF), url("text", "plain", TXT),
)  # fmt: skip
KEPT = "https://generativelanguage.googleapis.com/v1beta/files/f-1"
CHAT = {
    ("image", "URL"): image_url("https://h/a.png"),
    ("image", "bytes"): image_url(IMAGE),
    ("text block", ""): {"type": "text", "text": "T\nhello"},
}
OPENAI = {
    **CHAT,
    ("PDF", "bytes"): named(PDF_URL, "a.pdf"),
    ("PDF", "id"): {"type": "file", "file": {"file_id": "f-1"}},
    ("text file", "bytes"): named(TXT_URL, "a.txt"),
    ("audio", "bytes"): {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
}
CLAUDE = {
    ("image", "URL"): source(type="url", url="https://h/a.png"),
    ("image", "bytes"): source(type="base64", media_type="image/png", data=PNG),
    ("PDF", "URL"): document(type="url", url="https://h/a.pdf"),
    ("PDF", "bytes"): document("a.pdf", type="base64", media_type="application/pdf", data=PDF),
    ("text file", "bytes"): document("a.txt", type="text", media_type="text/plain", data="hello"),
    ("text block", ""): document("T", type="text", media_type="text/plain", data="hello"),
}
GEMINI = {
    ("image", "URL"): at("https://h/a.png", "image/png"),
    ("image", "bytes"): inline("image/png", PNG),
    ("PDF", "URL"): at("https://h/a.pdf", "application/pdf"),
    ("PDF", "bytes"): inline("application/pdf", PDF),
    ("text file", "bytes"): inline("text/plain", TXT),
    ("audio", "URL"): at("https://h/a.mp3", "audio/mpeg"),
    ("audio", "bytes"): inline("audio/wav", WAV),
    ("video", "URL"): at("https://h/a.mp4", "video/mp4"),
    ("video", "bytes"): inline("video/mp4", MP4),
    ("text block", ""): {"text": "T\nhello"},
}
CONVERSE = {
    ("image", "bytes"): {"image": {"format": "png", "source": {"bytes": PNG}}},
    ("PDF", "bytes"): {"document": {"format": "pdf", "name": "a", "source": {"bytes": PDF}}},
    ("text file", "bytes"): {"document": {"format": "txt", "name": "a", "source": {"bytes": TXT}}},
    ("audio", "bytes"): {"audio": {"format": "wav", "source": {"bytes": WAV}}},
    ("video", "bytes"): {"video": {"format": "mp4", "source": {"bytes": MP4}}},
    ("text block", ""): {"text": "T\nhello"},
}
VIDEO = {
    ("video", "URL"): {"type": "video_url", "video_url": {"url": "https://h/a.mp4"}},
    ("video", "bytes"): {"type": "video_url", "video_url": {"url": url("video", "mp4", MP4)}},
}
WIRE: dict[str, Mapping[tuple[str, str], Any]] = {
    "openai": OPENAI,
    "azure": OPENAI,
    "azure_ai": OPENAI,
    "openai-responses": {
        ("image", "URL"): {"type": "input_image", "image_url": "https://h/a.png", "detail": "auto"},
        ("image", "bytes"): {"type": "input_image", "image_url": IMAGE, "detail": "auto"},
        ("image", "id"): {"type": "input_image", "file_id": "f-1", "detail": "auto"},
        ("PDF", "URL"): {"type": "input_file", "file_url": "https://h/a.pdf"},
        ("PDF", "bytes"): {"type": "input_file", "file_data": PDF_URL, "filename": "a.pdf"},
        ("PDF", "id"): {"type": "input_file", "file_id": "f-1"},
        ("text file", "bytes"): {"type": "input_file", "file_data": TXT_URL, "filename": "a.txt"},
        ("text block", ""): {"type": "input_text", "text": "T\nhello"},
    },
    "openrouter": {
        **OPENAI, **VIDEO,
        ("PDF", "URL"): named("https://h/a.pdf", "file.pdf"),
        ("PDF", "id"): None,
    },
    "deepseek": {("text block", ""): CHAT["text block", ""]},
    "mistral": {
        **CHAT,
        ("PDF", "URL"): {"type": "document_url", "document_url": "https://h/a.pdf"},
        ("PDF", "bytes"): {"type": "document_url", "document_url": PDF_URL,
                           "document_name": "a.pdf"},
        ("PDF", "id"): {"type": "file", "file_id": "f-1"},
        ("text file", "bytes"): {"type": "document_url", "document_url": TXT_URL,
                                 "document_name": "a.txt"},
        ("audio", "URL"): {"type": "input_audio", "input_audio": "https://h/a.mp3"},
        ("audio", "bytes"): {"type": "input_audio", "input_audio": WAV},
    },
    "anthropic": {
        **CLAUDE,
        ("image", "id"): source(type="file", file_id="f-1"),
        ("PDF", "id"): document(type="file", file_id="f-1"),
    },
    "anthropic_bedrock": CLAUDE,
    "anthropic_vertex": CLAUDE,
    "google": {**GEMINI, **{(kind, "id"): at(KEPT) for kind in ("image", "PDF", "audio", "video")}},
    "google_vertexai": GEMINI,
    "bedrock-claude": CONVERSE,
    "bedrock-nova": CONVERSE,
    "huggingface": CHAT,
    "dashscope": {
        ("image", "URL"): {"image": "https://h/a.png"},
        ("image", "bytes"): {"image": IMAGE},
        ("audio", "URL"): {"audio": "https://h/a.mp3"},
        ("audio", "bytes"): {"audio": url("audio", "wav", WAV)},
        ("video", "URL"): {"video": "https://h/a.mp4"},
        ("video", "bytes"): {"video": url("video", "mp4", MP4)},
        ("text block", ""): {"text": "T\nhello"},
    },
    "ollama": {
        ("image", "bytes"): {"content": "See", "images": [PNG]},
        ("text block", ""): {"content": "See\nT\nhello"},
    },
}  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=str)
def test_each_kind_has_its_part_on_the_wire(line: Any) -> None:
    found = {where: part(line.id, KINDS[where[0]][where[1]]) for where in FORMS}
    assert found == {**dict.fromkeys(FORMS), **WIRE[line.id]}


# One image, in the spellings of the field.

BY_BYTES: dict[str, dict[str, Any]] = {
    "OpenAI": image_url(IMAGE),
    "OpenAI Responses": {"type": "input_image", "image_url": IMAGE},
    "Mistral": {"type": "image_url", "image_url": IMAGE},
    "Anthropic": source(type="base64", media_type="image/png", data=PNG),
    "Bedrock": {"image": {"format": "png", "source": {"bytes": DOT}}},
    "Google": {"inlineData": {"mimeType": "image/png", "data": PNG}},
    "Google SDK": {"inline_data": {"mime_type": "image/png", "data": PNG}},
    "DashScope": {"image": IMAGE},
    "LangChain 0.3": {"type": "image", "source_type": "base64", "data": PNG,
                      "mime_type": "image/png"},
}  # fmt: skip
BY_URL: dict[str, dict[str, Any]] = {
    "OpenAI": image_url("https://h/a.png"),
    "OpenAI Responses": {"type": "input_image", "image_url": "https://h/a.png"},
    "Anthropic": source(type="url", url="https://h/a.png"),
    "Google SDK": {"file_data": {"file_uri": "https://h/a.png", "mime_type": "image/png"}},
    "DashScope": {"image": "https://h/a.png"},
    "LangChain 0.3": {"type": "image", "source_type": "url", "url": "https://h/a.png"},
}


@pytest.mark.parametrize("line", LINES, ids=str)
def test_an_image_in_any_spelling_gives_one_and_the_same_request(line: Any) -> None:
    for form, spellings in (("bytes", BY_BYTES), ("URL", BY_URL)):
        standard = part(line.id, KINDS["image"][form])
        for whose, block in spellings.items():
            assert (whose, part(line.id, block)) == (whose, standard)
