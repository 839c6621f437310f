"""ChatHuggingFace: models of the Hub, behind the router or at an endpoint of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import AliasChoices, Field

from headrace.chat_models import Key, Wire, fields
from headrace.errors import InputError
from headrace.messages import BaseMessage
from headrace.profiles import ModelProfile, find_profile
from headrace.transport import ClientSettings, RawChatModel, RawRequest
from headrace_huggingface.client import MODELS, HubDoor, warm
from headrace_huggingface.credentials import HubPlace
from headrace_huggingface.dialect import bare, encode, wire
from headrace_huggingface.local import ChatHuggingFacePipeline, HuggingFacePipeline
from headrace_huggingface.sources import HuggingFaceEndpoint, check_task
from headrace_openai.codec import CompletionsExchange, read_models

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.worlds import World

ANY_MODEL = "tgi"  # what an endpoint with one model is asked for, by text-generation-inference
BILL_TO = "X-HF-Bill-To"


def _also(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class ChatHuggingFace(RawChatModel):
    """A model of the Hugging Face Hub, by its name there.

    Without `base_url` the router chooses who serves it; `provider`, or "name:provider", chooses
    one or a policy ("fastest", "cheapest", "preferred"). `base_url`: a dedicated endpoint, or any
    server that speaks like one.
    Source: `InferenceClient` of huggingface_hub 2.4 (read 2026-11)
    """

    provider: ClassVar[str] = "huggingface"
    sdk: ClassVar[str] = "huggingface_hub.utils"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_huggingface",)
    plumbing: ClassVar[frozenset[str]] = RawChatModel.plumbing | {
        "backend", "bill_to", "http_async_client", "http_client", "llm",
    }  # fmt: skip

    model: str = Field(
        default=ANY_MODEL, min_length=1, description="The model's name on the Hub.",
        validation_alias=_also("model", "model_name", "model_id", "repo_id"),
    )  # fmt: skip
    backend: Literal["endpoint", "pipeline"] = Field(
        default="endpoint", description='"pipeline": run the model in this process.'
    )
    llm: Any = Field(
        default=None, description="A HuggingFaceEndpoint or HuggingFacePipeline to begin with.",
        repr=False, exclude=True,
    )  # fmt: skip
    api_key: Key | None = Field(
        default=None, description="Token, or its giver.",
        validation_alias=_also("api_key", "huggingfacehub_api_token", "token"),
    )  # fmt: skip
    base_url: str | None = Field(
        default=None, description="A dedicated endpoint; a full address is accepted.",
        validation_alias=_also("base_url", "endpoint_url", "inference_server_url"),
    )  # fmt: skip
    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer, in tokens.",
        validation_alias=_also("max_tokens", "max_new_tokens"),
    )  # fmt: skip
    stop: tuple[str, ...] | None = Field(
        default=None, description="Texts that end the answer.",
        validation_alias=_also("stop", "stop_sequences"),
    )  # fmt: skip
    default_headers: Mapping[str, str] | None = Field(
        default=None, description="HTTP headers more.",
        validation_alias=_also("default_headers", "headers"),
    )  # fmt: skip
    inference_provider: str | None = Field(
        default=None, description="Who serves the model, or a policy that chooses.",
        validation_alias=_also("inference_provider", "provider"),
    )  # fmt: skip
    bill_to: str | None = Field(default=None, description="The organization that pays.")
    http_client: fields.HTTPClient = None
    http_async_client: fields.HTTPAsyncClient = None
    top_p: fields.TopP = None
    top_k: fields.TopK = None
    min_p: fields.MinP = None
    typical_p: fields.TypicalP = None
    repetition_penalty: fields.RepetitionPenalty = None
    presence_penalty: fields.PresencePenalty = None
    frequency_penalty: fields.FrequencyPenalty = None
    seed: fields.Seed = None
    n: fields.Answers = None
    logprobs: fields.Logprobs = None
    top_logprobs: fields.TopLogprobs = None
    logit_bias: fields.LogitBias = None
    parallel_tool_calls: fields.ParallelCalls = None
    tool_prompt: str | None = Field(default=None, description="Text that comes before the tools.")
    stream_usage: bool = Field(default=True, description="Ask for usage at the end of a stream.")
    stream_options: Mapping[str, Any] | None = Field(default=None, description="In place of that.")
    do_sample: bool | None = Field(default=None, description="Whether to choose by chance.")
    return_full_text: bool | None = Field(default=None, description="Of text generation alone.")
    truncate: int | None = Field(default=None, ge=1, description="Of text generation alone.")
    watermark: bool | None = Field(default=None, description="Of text generation alone.")

    if not TYPE_CHECKING:

        def __new__(cls, **data: Any) -> Any:
            """Itself, or the model that runs in this process."""
            # Without data it is a copy or a pickle, whose class is known.
            if data and (
                data.get("backend") == "pipeline"
                or isinstance(data.get("llm"), HuggingFacePipeline)
            ):
                return ChatHuggingFacePipeline(**data)
            return super().__new__(cls)

    @classmethod
    def from_model_id(
        cls, model_id: str, task: str | None = None, **params: Any
    ) -> Self | ChatHuggingFacePipeline:
        """The model of this name, served by the Inference Providers unless `base_url` is given.

        `backend="pipeline"`: run in this process, see `ChatHuggingFacePipeline`.
        """
        if params.get("backend") == "pipeline":
            params["task"] = task or "text-generation"
            return ChatHuggingFacePipeline(model=model_id, **params)
        check_task(task)
        return cls(model=model_id, **params)

    @classmethod
    def _neutral(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """With what an `llm` holds, under what is given beside it."""
        rest = dict(super()._neutral(given))
        llm = rest.pop("llm", None)
        if llm is None:
            return rest
        if not isinstance(llm, HuggingFaceEndpoint):
            raise InputError(
                f"`llm` is a HuggingFaceEndpoint or a HuggingFacePipeline, not {type(llm).__name__}"
            )
        return {**super()._neutral(llm.params), **rest}

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> ChatExchange:
        return ChatExchange(self, self._place())

    def _place(self) -> HubPlace:
        return HubPlace.of(self)

    def _wire(self) -> Wire:
        return wire()

    def _known_facts(self) -> ModelProfile:
        return find_profile(self.provider, bare(self.model), packages=self.profiles)

    def _key_variable(self) -> str | None:
        return "HUGGINGFACEHUB_API_TOKEN"

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that the router, or the endpoint, serves now."""
        return read_models(await self._fetch(self._exchange(), RawRequest("GET", MODELS), io))


class ChatExchange(HubDoor, CompletionsExchange):
    """One request for an answer."""

    def __init__(self, model: ChatHuggingFace, place: HubPlace) -> None:
        self._model, self._place = model, place

    @property
    def provider(self) -> str:
        return self._model.provider

    @cached_property
    def client_settings(self) -> ClientSettings:
        model = self._model
        headers = dict(model.default_headers or {})
        if model.bill_to is not None:
            headers[BILL_TO] = model.bill_to
        place = self._place
        return ClientSettings.of(model, place.url, place.key, headers=tuple(headers.items()))

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        return encode(messages, settings, stream=stream, profile=self._model.profile.facts)
