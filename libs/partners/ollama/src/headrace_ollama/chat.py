"""ChatOllama: Ollama's own chat API."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AliasChoices, Field

from headrace.chat_models import Wire, fields
from headrace.chat_models.wire import parse
from headrace.messages import AIMessage, BaseMessage
from headrace.transport import ClientSettings, Exchange, RawChatModel, RawRequest
from headrace_ollama.client import MODELS, OllamaDoor, warm
from headrace_ollama.decode import Decoder, decode_response
from headrace_ollama.encode import encode
from headrace_ollama.parameters import SPELLINGS, WIRE, read_effort
from headrace_ollama.place import OllamaPlace

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.worlds import World


def _option(description: str, **bounds: Any) -> Any:
    return Field(default=None, description=description, **bounds)


class ChatOllama(RawChatModel):
    """A model that Ollama runs, here or on another machine; pull it first.

    Options of the runtime go to `options` and nothing else does. `keep_alive`: how long the
    model stays loaded. `extract_reasoning`: reads `<think>` tags in the text of models whose
    thinking the server does not tell apart.
    Source: https://docs.ollama.com/modelfile#valid-parameters-and-values (read 2026-11)
    """

    provider: ClassVar[str] = "ollama"
    sdk: ClassVar[str] = "ollama"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_ollama",)
    effort_spellings: ClassVar[frozenset[str]] = SPELLINGS
    plumbing: ClassVar[frozenset[str]] = RawChatModel.plumbing | {"extract_reasoning"}

    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer, in tokens.",
        validation_alias=AliasChoices("max_tokens", "num_predict"),
    )  # fmt: skip
    base_url: str | None = Field(
        default=None, description="Where Ollama is (OLLAMA_HOST); a host and port will do.",
        validation_alias=AliasChoices("base_url", "host"),
    )  # fmt: skip
    keep_alive: float | str | None = _option('Seconds, or a text such as "5m"; below 0: for ever.')
    extract_reasoning: bool = Field(
        default=False, description="`<think>` tags in the text are reasoning."
    )
    num_ctx: int | None = _option("Size of the context, in tokens.", ge=1)
    seed: fields.Seed = None
    top_p: fields.TopP = None
    top_k: fields.TopK = None
    min_p: fields.MinP = None
    typical_p: fields.TypicalP = None
    repeat_penalty: float | None = _option("Above 1: fewer repetitions.", ge=0)
    repeat_last_n: int | None = _option("How far back repetitions count; -1: all.", ge=-1)
    presence_penalty: fields.PresencePenalty = None
    frequency_penalty: fields.FrequencyPenalty = None
    mirostat: int | None = _option("Sampling by surprise: 0 off, 1, or 2.", ge=0, le=2)
    mirostat_tau: float | None = _option("Its aim: lower is more coherent.", ge=0)
    mirostat_eta: float | None = _option("How fast it learns.", ge=0)
    num_keep: int | None = _option("Tokens of the prompt that stay when it is cut.", ge=-1)
    num_batch: int | None = _option("Tokens of the prompt read at once.", ge=1)
    num_gpu: int | None = _option("Layers on the graphics card.", ge=-1)
    main_gpu: int | None = _option("Which card is the main one.", ge=0)
    num_thread: int | None = _option("Threads to compute with.", ge=1)
    use_mmap: bool | None = _option("Map the model's file into memory.")
    logprobs: fields.Logprobs = None
    top_logprobs: fields.TopLogprobs = None
    truncate: bool | None = _option("Whether too long a prompt is cut.")
    shift: bool | None = _option("Whether the context shifts when it is full.")

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> ChatExchange:
        return ChatExchange(self, self._place())

    def _place(self) -> OllamaPlace:
        return OllamaPlace.of(self)

    def _wire(self) -> Wire:
        return WIRE

    @classmethod
    def _read_effort(cls, given: Mapping[str, Any]) -> str | int:
        return read_effort(given)

    def _structured_method(self, settings: Settings) -> str:
        return "json_schema"  # the server holds any model to a schema

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that have been pulled."""
        data = await self._fetch(self._exchange(), RawRequest("GET", MODELS), io)
        return sorted(str(row["name"]) for row in parse(data).get("models") or ())


class ChatExchange(OllamaDoor, Exchange):
    """One request to `/api/chat`."""

    def __init__(self, model: ChatOllama, place: OllamaPlace) -> None:
        self._model, self._place = model, place
        self.model_name = model.model

    @cached_property
    def client_settings(self) -> ClientSettings:
        return ClientSettings.of(self._model, self._place.url, self._place.key)

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        self.model_name = str(settings.params.get("model") or self.model_name)
        return encode(messages, settings, stream=stream)

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        return decode_response(body, extract_reasoning=self._model.extract_reasoning)

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Decoder:
        return Decoder(extract_reasoning=self._model.extract_reasoning)
