"""ChatHuggingFace: models of the Hub, behind the router or at an endpoint of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import AliasChoices, Field

from headrace.chat_models import Key, Wire
from headrace.errors import InputError
from headrace.messages import AIMessage, BaseMessage
from headrace.profiles import ModelProfile, find_profile
from headrace.transport import ClientSettings, Exchange, RawChatModel, RawRequest, request_id_of
from headrace_huggingface.client import MODELS, HubDoor, warm
from headrace_huggingface.credentials import HubPlace, find_place
from headrace_huggingface.dialect import bare, encode, wire
from headrace_huggingface.local import ChatHuggingFacePipeline, HuggingFacePipeline
from headrace_huggingface.sources import HuggingFaceEndpoint, check_task
from headrace_openai.codec import Decoder, decode_response, read_models

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
        "bill_to", "http_async_client", "http_client",
    }  # fmt: skip

    model: str = Field(
        default=ANY_MODEL, min_length=1, description="The model's name on the Hub.",
        validation_alias=_also("model", "model_name", "model_id", "repo_id"),
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
    http_client: Any = Field(default=None, description="Your own httpx2.Client.", repr=False)
    http_async_client: Any = Field(
        default=None, description="Your own httpx2.AsyncClient.", repr=False
    )
    top_p: float | None = Field(default=None, ge=0, le=1, description="Nucleus of likely words.")
    top_k: int | None = Field(default=None, ge=0, description="Likeliest words to choose from.")
    min_p: float | None = Field(default=None, ge=0, le=1, description="Least share of the best.")
    typical_p: float | None = Field(default=None, ge=0, le=1, description="Typical sampling.")
    repetition_penalty: float | None = Field(
        default=None, gt=0, description="Above 1: fewer repetitions."
    )
    presence_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="Above 0: new topics."
    )
    frequency_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="Above 0: fewer repetitions."
    )
    seed: int | None = Field(
        default=None, description="For answers that repeat, as far as possible."
    )
    n: int | None = Field(default=None, ge=1, description="How many answers.")
    logprobs: bool | None = Field(default=None, description="Log probabilities of the tokens.")
    top_logprobs: int | None = Field(
        default=None, ge=0, le=20, description="Likeliest tokens at each."
    )
    logit_bias: Mapping[str, int] | None = Field(
        default=None, description="Token id to -100 … 100."
    )
    parallel_tool_calls: bool | None = Field(
        default=None, description="Several calls in one answer."
    )
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
        if rest.pop("backend", None) not in (None, "endpoint"):
            raise InputError('`backend` is "endpoint", or "pipeline" for a model in this process')
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
        given: Any = self.__dict__
        return find_place(given["base_url"], given["credential"], api_key=given["api_key"])

    def _wire(self) -> Wire:
        return wire()

    def _known_facts(self) -> ModelProfile:
        return find_profile(self.provider, bare(self.model), packages=self.profiles)

    def _key_variable(self) -> str | None:
        return "HUGGINGFACEHUB_API_TOKEN"

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that the router, or the endpoint, serves now."""
        return read_models(await self._fetch(self._exchange(), RawRequest("GET", MODELS), io))


class ChatExchange(HubDoor, Exchange):
    """One request for an answer."""

    def __init__(self, model: ChatHuggingFace, place: HubPlace) -> None:
        self._model, self._place = model, place

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

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        id = request_id_of(headers)
        return decode_response(body, provider=self._model.provider, request_id=id)

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Decoder:
        return Decoder(provider=self._model.provider, request_id=request_id_of(headers))
