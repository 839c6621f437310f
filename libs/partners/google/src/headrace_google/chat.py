"""ChatGoogleGenerativeAI: Gemini by the Gemini API, and by Vertex AI."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import AliasChoices, Field

from headrace.chat_models import BaseChatModel, Key, Patience, Timeout, Wire, fields
from headrace.transport import Door, RawChatModel, RawRequest, SDKClient
from headrace_google.asking import count_request, models_path, read_count, read_models
from headrace_google.client import default_project, warm
from headrace_google.credentials import KEYS, GoogleVertexCredential
from headrace_google.exchange import GoogleExchange
from headrace_google.parameters import SPELLINGS, read_effort, wire_of
from headrace_google.place import Place, find_place

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.run import Run
    from headrace.engine.worlds import World
    from headrace.messages import BaseMessage

_ACCOUNT = (
    "base_url", "credential", "api_key", "api_version", "project", "location", "credentials",
)  # fmt: skip


def _also(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class ChatGoogleGenerativeAI(RawChatModel):
    """Gemini: by the Gemini API with a key, or by Vertex AI.

    `vertexai=True`, a `project`, `credentials` or GOOGLE_GENAI_USE_VERTEXAI make it a
    ChatGoogleVertexAI. A temperature is sent only if it is set.
    Ranges: https://ai.google.dev/api/generate-content (read 2026-11)
    """

    provider: ClassVar[str] = "google_genai"
    sdk: ClassVar[str] = "google.genai"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_google",)
    effort_spellings: ClassVar[frozenset[str]] = SPELLINGS
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {
        "api_version", "client_args", "credentials", "http_async_client", "http_client",
        "location", "project", "vertexai",
    }  # fmt: skip

    model: str = Field(
        min_length=1, description="The name of the model.",
        validation_alias=_also("model", "model_name"),
    )  # fmt: skip
    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer in tokens, thoughts included.",
        validation_alias=_also("max_tokens", "max_output_tokens"),
    )  # fmt: skip
    timeout: Patience = Field(
        default=Timeout(), description="Seconds, or a Timeout.",
        validation_alias=_also("timeout", "request_timeout"),
    )  # fmt: skip
    api_key: Key | None = Field(
        default=None, description="The key, or a function asked for it at each request.",
        validation_alias=_also("api_key", "google_api_key"),
    )  # fmt: skip
    stop: tuple[str, ...] | None = Field(
        default=None, description="Texts that end the answer.",
        validation_alias=_also("stop", "stop_sequences"),
    )  # fmt: skip
    vertexai: bool | None = Field(default=None, description="By Vertex AI; the Gemini API is not.")
    project: str | None = Field(default=None, description="Google Cloud project, for Vertex AI.")
    location: str | None = Field(default=None, description="Its region, or global.")
    credentials: Any = Field(
        default=None, description="A google.auth Credentials object, for Vertex AI.", repr=False,
        exclude=True,
    )  # fmt: skip
    api_version: str | None = Field(default=None, description="v1, v1beta …; else the SDK's own.")
    client_args: Mapping[str, Any] | None = Field(
        default=None, description="Arguments more of the HTTP client (httpx2).", repr=False
    )
    http_client: fields.HTTPClient = None
    http_async_client: fields.HTTPAsyncClient = None

    top_p: fields.TopP = None
    top_k: int | None = Field(default=None, ge=1, description="How many of the likeliest words.")
    n: fields.Answers = Field(default=None, le=8, validation_alias=_also("n", "candidate_count"))
    seed: fields.Seed = None
    presence_penalty: fields.PresencePenalty = None
    frequency_penalty: fields.FrequencyPenalty = None
    logprobs: fields.Logprobs = Field(
        default=None, validation_alias=_also("logprobs", "response_logprobs")
    )
    top_logprobs: fields.TopLogprobs = None
    include_thoughts: bool | None = Field(
        default=None, description="Show summaries of the thoughts as reasoning."
    )
    safety_settings: Mapping[str, str] | tuple[Mapping[str, Any], ...] | None = Field(
        default=None, description='{"HARM_CATEGORY_…": "BLOCK_…" or "OFF"}.'
    )
    response_modalities: tuple[str, ...] | None = Field(
        default=None, description="TEXT, IMAGE, AUDIO: what the answer is made of.",
        validation_alias=_also("response_modalities", "modalities"),
    )  # fmt: skip
    image_config: Mapping[str, Any] | None = Field(
        default=None, description='{"aspect_ratio", "image_size"} of images it makes.'
    )
    speech_config: Mapping[str, Any] | None = Field(
        default=None, description="Voice and language of speech it makes."
    )
    media_resolution: str | None = Field(
        default=None, description="low, medium or high: how closely it looks at media."
    )
    audio_timestamp: bool | None = Field(
        default=None, description="Understand times in audio (Vertex AI)."
    )
    response_mime_type: str | None = Field(
        default=None, description="text/plain, application/json or text/x.enum."
    )
    response_schema: Mapping[str, Any] | None = Field(
        default=None, description="JSON Schema of the answer; see with_structured_output."
    )
    tool_config: Mapping[str, Any] | None = Field(
        default=None, description="`toolConfig` more, such as a mode or a place on the map."
    )
    parallel_tool_calls: bool | None = Field(
        default=None, description="Not Google's to be told: left out and recorded."
    )
    cached_content: str | None = Field(
        default=None, description="Name of a context cache: cachedContents/…"
    )
    labels: Mapping[str, str] | None = Field(
        default=None, description="Labels of the bill (Vertex AI)."
    )
    service_tier: Literal["flex", "standard", "priority"] | None = Field(
        default=None, description="How fast, at what price."
    )
    store: bool | None = Field(default=None, description="Keep a log of this request.")
    model_armor_config: Mapping[str, Any] | None = Field(
        default=None, description="Templates of Model Armor (Vertex AI)."
    )

    if not TYPE_CHECKING:

        def __new__(cls, **data: Any) -> Self:
            # Without data it is a copy or a pickle, whose class is known.
            if data and cls is ChatGoogleGenerativeAI and _means_vertex(data):
                return super().__new__(ChatGoogleVertexAI)
            return super().__new__(cls)

    def __getstate__(self) -> dict[Any, Any]:
        """Without key and credentials: a copy elsewhere reads them from its own environment."""
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "credentials": None}}

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> GoogleExchange:
        return GoogleExchange(self, self._place())

    async def _client(self, door: Door, io: World) -> SDKClient:
        if isinstance(door, GoogleExchange) and door.asks_for_project:
            await io.blocking(default_project)
        return await super()._client(door, io)

    def _wire(self) -> Wire:
        return wire_of(self.provider)

    @classmethod
    def _read_effort(cls, given: Mapping[str, Any]) -> str | int:
        return read_effort(given)

    async def _count_tokens(self, messages: list[BaseMessage], settings: Settings, run: Run) -> int:
        exchange = self._exchange()
        body = exchange.encode(messages, settings, stream=False)
        asked = count_request(body, vertex=exchange.place.vertex)
        request = RawRequest("post", f"{body['model']}:countTokens", asked)
        return read_count(await self._fetch(exchange, request, run.io))

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that Google serves now and that make messages."""
        exchange, names, page = self._exchange(), set[str](), None
        while True:
            asked = RawRequest("get", models_path(page, vertex=exchange.place.vertex))
            found, page = read_models(await self._fetch(exchange, asked, io))
            names.update(found)
            if page is None:
                return sorted(names)

    def _place(self) -> Place:
        given = {name: self.__dict__[name] for name in _ACCOUNT}
        return find_place(self.provider, **given)

    def _address(self) -> str:
        place = self._place()
        return place.url or place.host

    def _key_variable(self) -> str | None:
        return KEYS[0]


class ChatGoogleVertexAI(ChatGoogleGenerativeAI):
    """Gemini by Vertex AI: with Google Cloud credentials, or a key of the express mode.

    Without `project` that of the credentials, without `location` the global endpoint.
    """

    provider: ClassVar[str] = "google_vertexai"


def _means_vertex(data: Mapping[str, Any]) -> bool:
    """Whether what was given, or the environment, names Vertex AI."""
    if data.get("vertexai") is not None:
        return bool(data["vertexai"])
    credential = data.get("credential")
    if credential is not None:
        named = credential.get("type") if isinstance(credential, Mapping) else credential.type
        return bool(named == GoogleVertexCredential.type_name())
    if data.get("project") or data.get("credentials"):
        return True
    return os.environ.get("GOOGLE_GENAI_USE_VERTEXAI", "").lower() in ("true", "1")
