"""ChatAnthropic: Claude through the Messages API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from headrace.chat_models import BaseChatModel, Key, Patience, Timeout, Wire, fields
from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    message_chunk_to_message,
    sum_chunks,
)
from headrace.transport import RawChatModel, RawRequest
from headrace_anthropic.client import AnthropicSettings, warm
from headrace_anthropic.counting import PATH as COUNT_PATH
from headrace_anthropic.counting import read_count
from headrace_anthropic.credentials import AnthropicCredential
from headrace_anthropic.exchange import MessagesExchange
from headrace_anthropic.guard import must_stream
from headrace_anthropic.listing import MODELS, read_models
from headrace_anthropic.parameters import read_thinking, wire_of
from headrace_anthropic.place import AnthropicPlace

if TYPE_CHECKING:
    from headrace.chat_models.settings import Settings
    from headrace.engine.run import Run
    from headrace.engine.worlds import World


def also(*names: str) -> AliasChoices:
    """The names under which a parameter may be given."""
    return AliasChoices(*names)


class ChatAnthropic(RawChatModel):
    """Claude, or a model behind a gateway that speaks the Messages API.

    A request asks for the API version that has what it needs: sampling parameters went with
    2026-10-21. `thinking={"type": …}` is read as `reasoning_effort`.
    Ranges: https://platform.claude.com/docs/en/api/messages (read 2026-11)
    """

    provider: ClassVar[str] = "anthropic"
    sdk: ClassVar[str] = "anthropic"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_anthropic",)
    keeps_files: ClassVar[bool] = True
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {
        "default_query", "http_async_client", "http_client", "stream_usage",
    }  # fmt: skip

    model: str = Field(
        min_length=1, description="The name of the model.",
        validation_alias=also("model", "model_name"),
    )  # fmt: skip
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="0: the likeliest words; models before Claude 4.7."
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer in tokens, reasoning included.",
        validation_alias=also("max_tokens", "max_tokens_to_sample"),
    )  # fmt: skip
    stop: tuple[str, ...] | None = Field(
        default=None, description="Texts that end the answer.",
        validation_alias=also("stop", "stop_sequences"),
    )  # fmt: skip
    reasoning_effort: str | int | None = Field(
        default=None, description='"none" … "max", a number of tokens, or on (true) and off.',
        validation_alias=also("reasoning_effort", "effort"),
    )  # fmt: skip
    timeout: Patience = Field(
        default=Timeout(), description="Seconds, or a Timeout.",
        validation_alias=also("timeout", "default_request_timeout"),
    )  # fmt: skip
    api_key: Key | None = Field(
        default=None, description="The key, or a function asked for it at each request.",
        validation_alias=also("api_key", "anthropic_api_key"),
    )  # fmt: skip
    base_url: str | None = Field(
        default=None, description="Where the service is; a full endpoint is accepted.",
        validation_alias=also("base_url", "anthropic_api_url"),
    )  # fmt: skip
    proxy: str | None = Field(
        default=None, description="URL of an HTTP proxy; else the environment's.", repr=False,
        validation_alias=also("proxy", "anthropic_proxy"),
    )  # fmt: skip
    default_query: Mapping[str, str] | None = Field(
        default=None, description="Query parameters more."
    )
    http_client: fields.HTTPClient = None
    http_async_client: fields.HTTPAsyncClient = None

    top_p: fields.TopP = None
    top_k: fields.TopK = None
    thinking_display: Literal["summarized", "omitted", "updates"] | None = Field(
        default=None, description="How much of the reasoning is shown."
    )
    output_config: Mapping[str, Any] | None = Field(
        default=None, description='As it is: {"effort", "task_budget"}.'
    )
    parallel_tool_calls: fields.ParallelCalls = None
    stream_usage: bool = Field(default=True, description="Give token usage with streams.")
    json_prefill: bool | None = Field(
        default=None, description="JSON mode by a first brace, where the model allows it: unset."
    )
    user_id: str | None = Field(
        default=None, max_length=512, description="Opaque id of your end user.",
        validation_alias=also("user_id", "user"),
    )  # fmt: skip
    service_tier: Literal["auto", "standard_only"] | None = Field(
        default=None, description="Priority capacity where there is some, or never."
    )
    speed: Literal["standard", "fast"] | None = Field(
        default=None, description="Faster output for a higher price."
    )
    inference_geo: str | None = Field(default=None, description="Where inference may run.")
    container: str | Mapping[str, Any] | None = Field(
        default=None, description="Container to go on in, or with skills."
    )
    context_management: Mapping[str, Any] | None = Field(
        default=None, description='{"edits": […]}: what to clear or sum up.'
    )
    mcp_servers: tuple[Mapping[str, Any], ...] | None = Field(
        default=None, description="MCP servers that Anthropic calls itself."
    )
    betas: tuple[str, ...] | None = Field(
        default=None, description="Beta features more; those that a request shows are asked for."
    )

    # What it is made of.

    @classmethod
    def _neutral(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        rest = dict(given)
        thinking = rest.pop("thinking", None)
        if thinking is None:
            return super()._neutral(rest)
        if not isinstance(thinking, Mapping):
            raise InputError(f'`thinking` is a dict such as {{"type": "adaptive"}}: {thinking!r}')
        meant = read_thinking(thinking)
        effort = rest.get("reasoning_effort", rest.get("effort"))
        if effort is not None and meant.pop("reasoning_effort") not in ("on", effort):
            raise InputError(f"`thinking` = {thinking!r} and effort {effort!r} contradict")
        return super()._neutral({**meant, **rest})

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> MessagesExchange:
        return MessagesExchange(self)

    def _client_settings(self) -> AnthropicSettings:
        """What the client of a request is made of, as resolved now."""
        place = self._place()
        return self._settings_at(place.url, place.key, own=place.own)

    def _settings_at(self, url: str, key: Any, **more: Any) -> AnthropicSettings:
        query = tuple((self.default_query or {}).items())
        return AnthropicSettings.of(self, url, key, query=query, **more)

    def _wire(self) -> Wire:
        adaptive = self.profile.get("reasoning_adaptive") is not False
        return wire_of(self.provider, adaptive, self.keeps_files)

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        if not must_stream(settings.params):
            return await super()._generate(messages, settings, run)
        chunks = []
        async with aclosing(super()._stream(messages, settings, run)) as stream:
            async for chunk in stream:
                chunks.append(chunk)
        last = AIMessageChunk(chunk_position="last")
        message = message_chunk_to_message(sum_chunks([*chunks, last]))
        assert isinstance(message, AIMessage)
        return message

    def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        stream = super()._stream(messages, settings, run)
        return stream if self.stream_usage else _without_usage(stream)

    async def _count_tokens(self, messages: list[BaseMessage], settings: Settings, run: Run) -> int:
        exchange = self._exchange()
        body = exchange.count_body(messages, settings)
        return read_count(await self._fetch(exchange, RawRequest("POST", COUNT_PATH, body), run.io))

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that the service serves now."""
        return read_models(await self._fetch(self._exchange(), RawRequest("GET", MODELS), io))

    def _place(self) -> AnthropicPlace:
        return AnthropicPlace.of(self)

    def _key_variable(self) -> str | None:
        return AnthropicCredential.variables["api_key"][0]


async def _without_usage(
    stream: AsyncGenerator[AIMessageChunk, None],
) -> AsyncGenerator[AIMessageChunk, None]:
    """The chunks of a stream, whose usage nobody wants."""
    async with aclosing(stream):
        async for chunk in stream:
            if chunk.usage_metadata is not None:
                chunk.usage_metadata = None
                chunk.response_metadata.pop("raw_usage", None)
            yield chunk
