"""LangChain's ChatOpenAI as a headrace model, held to headrace's suite over real HTTP."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from langchain_openai import ChatOpenAI

from headrace.errors import ModelTimeoutError
from headrace.testing import OfflineChatModel
from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_langchain import ChatLangChain, from_langchain
from headrace_openai.loopback import ChatCompletionsWire


class TestChatOpenAI(ChatModelConformance):
    wire = ChatCompletionsWire()
    abilities: ClassVar = (DEFAULT | {"image_url", "file_data", "audio_data"}) - {"json_schema"}
    # LangChain's clients do not pickle; its sync reads have timeouts of their own alone.
    test_a_model_survives_a_pickle_without_its_key = None
    test_a_silent_provider_is_given_up = None

    def model_at(self, base_url: str, **params: Any) -> ChatLangChain:
        inner = ChatOpenAI(
            model="gpt-4.1",
            base_url=base_url,
            api_key=params.pop("api_key", "none-needed"),
            max_retries=0,
            stream_usage=True,
        )
        return from_langchain(inner, **params)

    def test_a_silent_provider_is_given_up_by_an_async_stream(self, serve: Any) -> None:
        bounds = {"connect": 5, "first_chunk": 0.3, "idle": 0.3, "total": 5}
        model = serve(provider=OfflineChatModel(chunk_delay=30)).model(timeout=bounds)

        async def read() -> None:
            async with model.astream("hi") as chunks:
                async for _ in chunks:
                    pass

        with pytest.raises(ModelTimeoutError):
            asyncio.run(read())
