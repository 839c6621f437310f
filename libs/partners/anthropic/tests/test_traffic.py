"""Every recorded Messages API exchange through the real SDK and the decoders."""

from __future__ import annotations

from typing import Any

from replayed import ReplayedTraffic, replaying

from headrace_anthropic import ChatAnthropic

__all__ = ["replaying"]


class TestTraffic(ReplayedTraffic):
    dialect = "anthropic"

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatAnthropic:
        asked = {"model": "claude-haiku-4-5", "max_tokens": 1000, "api_key": "sk-secret-key"}
        return ChatAnthropic(base_url=url, **asked, **more)
