"""Every recorded DashScope exchange through the SDK's transport and the decoders."""

from __future__ import annotations

from typing import Any

from recorded import differences
from replayed import ReplayedTraffic, replaying

from headrace.errors import ModelError
from headrace.messages import AIMessage
from headrace_dashscope import ChatDashScope

__all__ = ["replaying"]


class TestDashScopeTraffic(ReplayedTraffic):
    dialect = "dashscope"
    every = 1

    def model_of(self, url: str, case: dict[str, Any], **more: Any) -> ChatDashScope:
        given = {"api_key": "none-needed", "base_url": url, "profile": {"name": "m"}, **more}
        return ChatDashScope(model="m", **given)

    def differences(self, case: dict[str, Any], answer: AIMessage | ModelError) -> dict[str, Any]:
        """All but the name of the model, which is the one asked because no answer names it."""
        return {k: v for k, v in differences(case, answer).items() if k != "model"}
