"""Images, documents, audio and marks: what is carried, and that nothing is lost in silence."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import UnsupportedContentError
from headrace.messages import AIMessage, HumanMessage, ToolMessage
from headrace.testing.conformance.hooks import ConformanceHooks, Serve

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
PDF = "JVBERi0xLjQKJSVFT0YK"
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
BLOCKS: dict[str, tuple[dict[str, Any], str]] = {
    "image_data": ({"type": "image", "base64": PNG, "mime_type": "image/png"}, PNG),
    "image_url": ({"type": "image", "url": "https://example.com/a.png"}, "example.com/a.png"),
    "file_data": (
        {"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "a.pdf"},
        PDF,
    ),
    "audio_data": ({"type": "audio", "base64": WAV, "mime_type": "audio/wav"}, WAV),
}
SEEN = {
    "image_inputs": True, "pdf_inputs": True, "audio_inputs": True, "tool_calling": True,
}  # fmt: skip


class MediaTests(ConformanceHooks):
    @pytest.mark.parametrize("form", list(BLOCKS))
    def test_media_reach_the_provider_or_are_refused(self, serve: Serve, form: str) -> None:
        block, trace = BLOCKS[form]
        served = serve("Seen.")
        model = served.model(profile=SEEN)
        message = HumanMessage([{"type": "text", "text": "Look:"}, block])
        if form not in self.abilities:
            with pytest.raises(UnsupportedContentError):
                model.invoke([message])
            return
        assert model.invoke([message]).text == "Seen."
        assert trace in self._wire_text(served)

    def test_three_spellings_of_an_image_are_one_request(self, serve: Serve) -> None:
        self.needs("image_data")
        url = f"data:image/png;base64,{PNG}"
        spellings = [BLOCKS["image_data"][0], {"type": "image_url", "image_url": {"url": url}}]
        if (native := self.native_image(PNG)) is not None:
            spellings.append(native)
        bodies = []
        for spelling in spellings:
            served = serve("Seen.")
            content: list[Any] = [{"type": "text", "text": "Look:"}, spelling]
            served.model(profile=SEEN).invoke([HumanMessage(content)])
            bodies.append(served.last)
        assert all(body == bodies[0] for body in bodies)

    def test_what_the_model_does_not_see_is_refused_or_described(self, serve: Serve) -> None:
        blind = {**SEEN, "image_inputs": False}
        message = HumanMessage([{"type": "text", "text": "Look:"}, BLOCKS["image_data"][0]])
        with pytest.raises(UnsupportedContentError):
            serve("never").model(profile=blind).invoke([message])
        served = serve("I cannot see it.")
        answer = served.model(profile=blind, on_unsupported_content="describe").invoke([message])
        assert PNG not in self._wire_text(served)
        assert answer.response_metadata["adapted"]

    def test_an_image_in_a_tool_result_is_carried(self, serve: Serve) -> None:
        self.needs("tools", "tool_images")
        served = serve("A pixel.")
        call = {"type": "tool_call", "name": "shot", "args": {}, "id": "call_1_abcdefgh"}
        result = ToolMessage([BLOCKS["image_data"][0]], tool_call_id="call_1_abcdefgh")
        talk = [HumanMessage("Shoot."), AIMessage("", tool_calls=[call]), result]
        tool = {
            "name": "shot",
            "description": "Shoots.",
            "parameters": {"type": "object", "properties": {}},
        }
        assert served.model(profile=SEEN).bind_tools([tool]).invoke(talk).text == "A pixel."
        assert PNG in self._wire_text(served)

    def test_cache_marks_and_the_switch_go_out_or_are_told(self, serve: Serve) -> None:
        marked = {
            "type": "text",
            "text": "Look:",
            "extras": {"cache_control": {"type": "ephemeral"}},
        }
        served = serve("Seen.")
        answer = served.model(cache_prompt=True).invoke([HumanMessage([marked])])
        assert answer.text == "Seen."
        records = answer.response_metadata.get("adapted", ())
        told = {record["name"] for record in records if record["action"] == "left out"}
        cached = "cache" in self._wire_text(served).lower()
        assert cached or told >= {"cache_control", "cache_prompt"}

    def _wire_text(self, served: Any) -> str:
        return repr(served.last)
