"""ChatMistralAI: Mistral's own API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from headrace.chat_models import Wire, fields
from headrace.messages import BaseMessage
from headrace.transport import ClientSettings, RawChatModel, RawRequest
from headrace_mistral.client import MODELS, MistralDoor, warm
from headrace_mistral.credentials import MistralPlace
from headrace_mistral.encode import DIALECT, encode
from headrace_openai.codec import CompletionsExchange, read_models, wire_of

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.worlds import World


@cache
def _wire() -> Wire:
    return replace(wire_of(DIALECT), service="mistralai")


class ChatMistralAI(RawChatModel):
    """A model of Mistral's.

    Documents go by URL, by their bytes, or by the id of an uploaded file; ids of tool calls made
    elsewhere are rewritten to the nine characters that Mistral takes.
    Source: https://docs.mistral.ai/api/endpoint/chat (read 2026-11)
    """

    provider: ClassVar[str] = "mistralai"
    sdk: ClassVar[str] = "mistralai.client"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_mistral",)
    plumbing: ClassVar[frozenset[str]] = RawChatModel.plumbing | {
        "http_async_client", "http_client",
    }  # fmt: skip

    model: str = Field(
        min_length=1, description="The name of the model.",
        validation_alias=AliasChoices("model", "model_name"),
    )  # fmt: skip
    base_url: str | None = Field(
        default=None, description="Where the service is; a full endpoint is accepted.",
        validation_alias=AliasChoices("base_url", "endpoint"),
    )  # fmt: skip
    http_client: fields.HTTPClient = None
    http_async_client: fields.HTTPAsyncClient = None
    top_p: fields.TopP = None
    seed: fields.Seed = Field(default=None, validation_alias=AliasChoices("seed", "random_seed"))
    safe_prompt: bool | None = Field(
        default=None, description="Put Mistral's safety prompt before the conversation.",
        validation_alias=AliasChoices("safe_prompt", "safe_mode"),
    )  # fmt: skip
    presence_penalty: fields.PresencePenalty = None
    frequency_penalty: fields.FrequencyPenalty = None
    repetition_penalty: float | None = Field(
        default=None, ge=0, description="Above 1: fewer repetitions."
    )
    top_k: int | None = Field(default=None, ge=1, description="Likeliest words to choose from.")
    min_tokens: int | None = Field(default=None, ge=0, description="Least length of the answer.")
    n: fields.Answers = None
    logprobs: fields.Logprobs = None
    top_logprobs: int | None = Field(default=None, ge=0, description="Likeliest tokens at each.")
    parallel_tool_calls: fields.ParallelCalls = None
    prompt_mode: Literal["reasoning"] | None = Field(
        default=None, description="Use the system prompt of models that reason."
    )
    prediction: Mapping[str, Any] | None = Field(
        default=None, description="Text the answer resembles."
    )
    guardrails: tuple[Mapping[str, Any], ...] | None = Field(
        default=None, description="Moderation of input and output."
    )
    prompt_cache_key: str | None = Field(default=None, description="Routes alike prompts together.")
    service_tier: str | None = Field(default=None, description="Priority or standard capacity.")
    metadata_tags: Mapping[str, Any] | None = Field(
        default=None, description="The request's `metadata`, kept by Mistral."
    )
    prefix: bool | None = Field(
        default=None, description="The answer goes on from a last message of the model's."
    )

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> ChatExchange:
        return ChatExchange(self, self._place())

    def _place(self) -> MistralPlace:
        return MistralPlace.of(self)

    def _wire(self) -> Wire:
        return _wire()

    def _key_variable(self) -> str | None:
        return "MISTRAL_API_KEY"

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that Mistral serves now."""
        return read_models(await self._fetch(self._exchange(), RawRequest("GET", MODELS), io))


class ChatExchange(MistralDoor, CompletionsExchange):
    """One request to Mistral's chat endpoint."""

    def __init__(self, model: ChatMistralAI, place: MistralPlace) -> None:
        self._model, self._place = model, place

    @property
    def provider(self) -> str:
        return self._model.provider

    @cached_property
    def client_settings(self) -> ClientSettings:
        return ClientSettings.of(self._model, self._place.url, self._place.key)

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        return encode(messages, settings, stream=stream, profile=self._model.profile.facts)
