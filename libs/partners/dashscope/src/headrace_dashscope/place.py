"""Where requests to DashScope go, and with which key."""

from __future__ import annotations

from typing import Any

from headrace.credentials import Credential
from headrace.transport import Place, account_of, clean_url
from headrace_dashscope.credentials import DashScopeCredential

TEXT = "/services/aigc/text-generation/generation"
MULTIMODAL = "/services/aigc/multimodal-generation/generation"
MODELS = "/models"

_ROOT = "/api/v1"
_SUFFIXES = (TEXT, MULTIMODAL, "/chat/completions", "/compatible-mode/v1", _ROOT)
_COMPATIBLE = "dashscope_openai"  # the same account under its OpenAI mode, which claims the hosts


class DashScopePlace(Place):
    """The root of the native API in some region."""

    __slots__ = ()

    @property
    def owner(self) -> str | None:
        found = super().owner
        return self.account.provider if found == _COMPATIBLE else found


def find_place(
    base_url: str | None = None, credential: Credential | None = None, **arguments: Any
) -> DashScopePlace:
    """Where requests go, from what was given, the credential, and the environment.

    A URL may be that of the host, of its OpenAI mode, or of an endpoint.
    """
    account = account_of(DashScopeCredential, credential, "ChatDashScope")
    found = account.resolve(base_url=base_url, **arguments)
    return DashScopePlace(clean_url(found.values["base_url"], _SUFFIXES) + _ROOT, account, found)
