"""LangChain's own suites for chat models, run on a headrace model: its rule-following one."""

from __future__ import annotations

from typing import Any

from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from headrace_langchain import ChatHeadrace


class TestUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[ChatHeadrace]:
        return ChatHeadrace

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "offline:demo"}


class TestIntegration(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[ChatHeadrace]:
        return ChatHeadrace

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "offline:demo"}

    supports_json_mode = True
    model_override_value = "other"
    # Images, PDFs and sound are fetched from the net there; ours are in test_messages.
