"""Content for services that fetch URLs of some schemes only."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.chat_models import Notes, Wire
from headrace.chat_models.carrying import carry
from headrace.errors import UnsupportedContentError
from headrace.messages import HumanMessage

STORE = Wire(
    service="svc", media=frozenset({"image_data", "file_data", "video"}), schemes=frozenset({"s3"})
)


def carried(block: dict[str, Any], policy: Any = "raise") -> Any:
    message = HumanMessage([{"type": "text", "text": "Look:"}, block])
    return carry([message], {}, STORE, Notes(content=policy))[0].content


@pytest.mark.parametrize("kind", ["image", "file", "video"])
def test_content_at_a_place_that_the_service_reads_is_carried(kind: str) -> None:
    block = {"type": kind, "url": "s3://bucket/thing"}
    assert carried(block)[1] == block


@pytest.mark.parametrize("kind", ["image", "file", "video"])
def test_content_elsewhere_is_refused_or_described(kind: str) -> None:
    block = {"type": kind, "url": "https://example.com/thing"}
    with pytest.raises(UnsupportedContentError, match="`svc` cannot carry"):
        carried(block)
    assert "https://example.com/thing" in carried(block, "describe")[1]["text"]
