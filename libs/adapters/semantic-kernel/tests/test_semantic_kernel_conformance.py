"""Semantic Kernel's OpenAI client as a headrace model, held to headrace's suite over real HTTP."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion

from headrace.errors import ModelTimeoutError
from headrace.testing import OfflineChatModel
from headrace.testing.conformance import DEFAULT, ChatModelConformance
from headrace_openai.loopback import ChatCompletionsWire
from headrace_semantic_kernel import ChatSemanticKernel, from_semantic_kernel


class TestOpenAIChatCompletion(ChatModelConformance):
    wire = ChatCompletionsWire()
    abilities: ClassVar = (DEFAULT | {"image_url"}) - {"json_schema"}
    # The client does not pickle; in a sync run its reads have timeouts of their own alone.
    test_a_model_survives_a_pickle_without_its_key = None
    test_a_silent_provider_is_given_up = None
    # It leaves the SDK's stream of a request to the garbage collector.
    test_leaving_a_stream_closes_the_connection = None
    # Its connections belong to one event loop: this test asks one model in both worlds.
    test_batches_keep_their_order = None

    def model_at(self, base_url: str, **params: Any) -> ChatSemanticKernel:
        key = params.pop("api_key", "none-needed")
        sdk = AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0)
        client = OpenAIChatCompletion(ai_model_id="gpt-4.1", async_client=sdk)
        return from_semantic_kernel(client, **params)

    def test_a_silent_provider_is_given_up_by_an_async_stream(self, serve: Any) -> None:
        bounds = {"connect": 5, "first_chunk": 0.3, "idle": 0.3, "total": 5}
        model = serve(provider=OfflineChatModel(chunk_delay=30)).model(timeout=bounds)

        async def read() -> None:
            async with model.astream("hi") as chunks:
                async for _ in chunks:
                    pass

        with pytest.raises(ModelTimeoutError):
            asyncio.run(read())
