"""Where requests to DashScope go, and with which key."""

from __future__ import annotations

from headrace.transport import Place
from headrace_dashscope.credentials import DashScopeCredential

TEXT = "/services/aigc/text-generation/generation"
MULTIMODAL = "/services/aigc/multimodal-generation/generation"
MODELS = "/models"

_ROOT = "/api/v1"


class DashScopePlace(Place):
    """The root of the native API in some region."""

    __slots__ = ()
    credential = DashScopeCredential
    too = "dashscope_openai"  # its OpenAI mode, which claims the hosts
    suffixes = (TEXT, MULTIMODAL, "/chat/completions", "/compatible-mode/v1", _ROOT)

    @classmethod
    def cleaned(cls, url: str) -> str:
        """Of the URL of a host, of its OpenAI mode, or of an endpoint."""
        return super().cleaned(url) + _ROOT
