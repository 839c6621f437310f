"""What a package says about its model, and how the tests reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from headrace.messages import AIMessage
from headrace.testing.loopback import LoopbackServer, LoopbackWire
from headrace.testing.offline import OfflineChatModel
from headrace.testing.scripted import ScriptedChatModel

if TYPE_CHECKING:
    from headrace.chat_models import Model

DEFAULT = frozenset(
    {
        "system", "stop", "max_tokens", "usage", "streamed_usage", "tools", "tool_choice",
        "parallel_tool_calls", "json_schema", "function_calling", "prompted", "image_data",
    }
)  # fmt: skip
EVERY = DEFAULT | {
    "names", "json_mode", "image_url", "file_data", "audio_data", "reasoning", "citations",
    "server_tools", "logprobs", "tool_images",
}  # fmt: skip

WAYS = pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
WORLDS = pytest.mark.parametrize("world", ["sync", "async"])
Serve = Callable[..., "Served"]


@dataclass(frozen=True)
class Served:
    """A model and, where it is a scripted provider's, the server that stands for that."""

    make: Callable[..., Model[AIMessage]]
    server: LoopbackServer | None = None

    def model(self, **params: Any) -> Model[AIMessage]:
        """The model under test, with these parameters."""
        return self.make(**params)

    @property
    def last(self) -> Any:
        """The body of the last request."""
        assert self.server is not None
        return self.server.requests[-1]


class ConformanceHooks:
    """`wire`: the provider's wire, served on loopback. `abilities`: what the model can do, of
    `EVERY`; a test of another ability is skipped. `native_image`: an image block as the
    provider itself spells it, from base64 data of a PNG.
    """

    wire: ClassVar[LoopbackWire | None] = None
    abilities: ClassVar[frozenset[str]] = DEFAULT

    def model_at(self, base_url: str, **params: Any) -> Model[AIMessage]:
        """The model whose requests go below `base_url`."""
        pytest.skip("`model_at` is not written: nothing that needs a scripted provider is run")

    def live_model(self, **params: Any) -> Model[AIMessage]:
        """The model at its real provider, for packages without a `wire`."""
        pytest.skip("neither `wire` nor `live_model` is given")

    def native_image(self, data: str) -> dict[str, Any] | None:
        return None

    @pytest.fixture
    def serve(self) -> Iterator[Serve]:
        """Starts a provider that gives these replies, else one that follows the offline rule."""
        with ExitStack() as stack:

            def start(*replies: Any, provider: Any = None, chunk_delay: float = 0) -> Served:
                if self.wire is None:
                    if replies or provider is not None or chunk_delay:
                        pytest.skip("no `wire`: the provider cannot be told what to say")
                    return Served(self.live_model)
                model = provider or (_scripted(replies) if replies else OfflineChatModel())
                server = LoopbackServer(model, self.wire, chunk_delay=chunk_delay)
                stack.enter_context(server)

                def make(**params: Any) -> Model[AIMessage]:
                    return self.model_at(server.base_url, **{"max_retries": 0, **params})

                return Served(make, server)

            yield start

    def needs(self, *abilities: str) -> None:
        """Skips a test of what the model cannot do."""
        for ability in abilities:
            if ability not in self.abilities:
                pytest.skip(f"`{ability}` is not among the model's abilities")


def _scripted(replies: Any) -> Model[AIMessage]:
    made: Any = ScriptedChatModel
    return cast("Model[AIMessage]", made(replies))


def ask(model: Any, way: str, input: Any, **options: Any) -> Any:
    """The answer by one of the four doors; of a stream the sum of its chunks."""
    match way:
        case "invoke":
            return model.invoke(input, **options)
        case "ainvoke":
            return asyncio.run(model.ainvoke(input, **options))
        case "stream":
            chunks = list(model.stream(input, **options))
        case _:
            chunks = asyncio.run(_collected(model, input, options))
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    return total


async def _collected(model: Any, input: Any, options: dict[str, Any]) -> list[Any]:
    return [chunk async for chunk in model.astream(input, **options)]
