"""Every recorded exchange with Gemini through the real SDK and the decoders."""

from __future__ import annotations

from typing import Any, ClassVar

from replayed import ReplayedTraffic, replaying

from headrace_google import ChatGoogleGenerativeAI

__all__ = ["replaying"]


class TestTraffic(ReplayedTraffic):
    dialect = "google"
    exempt: ClassVar[dict[str, str]] = {
        "pydantic.test_google-test_google_model_armor_prompt_template_text_gets_blocked.1": (
            "the service counted nothing; `expected` has zeros without a total"
        ),
    }
    both_ways = False  # the path says whether the answer is a stream

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatGoogleGenerativeAI:
        return ChatGoogleGenerativeAI(model="m", base_url=url, api_key="secret-api-key", **more)
