"""ChatHuggingFacePipeline: a model of the Hub, or of a folder, run in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import AliasChoices, Field, PrivateAttr, model_validator

from headrace.chat_models import BaseChatModel, Key, Patience, Timeout, Wire
from headrace.chat_models.options import aliases_of
from headrace.engine.drive import close
from headrace.errors import InputError
from headrace.messages import AIMessageChunk
from headrace.profiles import ModelProfile, find_profile
from headrace_huggingface.credentials import HuggingFaceCredential
from headrace_huggingface.local.decode import Decoder
from headrace_huggingface.local.encode import encode
from headrace_huggingface.local.generating import Generation
from headrace_huggingface.local.prompts import render
from headrace_huggingface.local.source import HuggingFacePipeline
from headrace_huggingface.local.weights import TASKS, Recipe, Weights, shared

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.chat_models.settings import Call, Settings
    from headrace.engine.run import Run
    from headrace.messages import BaseMessage

_SERVICE = "a local pipeline"
_REMOTE = ("base_url", "proxy", "default_headers")
_TOKENS = ("token", "use_auth_token", "api_key")
# Of transformers' pipelines, not of chats, and what nothing here can enforce.
_LACKS = (
    "batch_size", "clean_up_tokenization_spaces", "json_mode", "json_schema",
    "parallel_tool_calls", "return_full_text", "skip_special_tokens", "tool_choice",
)  # fmt: skip


def _also(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class ChatHuggingFacePipeline(BaseChatModel):
    """What `ChatHuggingFace(backend="pipeline")` makes: transformers in this process.

    Weights are loaded at the first request, once for equal models, and freed with the last of
    them. Generations on one model take turns. What is not set is the model's own
    `generation_config`. No timeout holds unless it is given; it is looked at after each token.
    """

    provider: ClassVar[str] = "huggingface"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_huggingface",)
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {
        "backend", "device", "device_map", "extract_reasoning", "llm", "model", "model_kwargs",
        "pipeline", "task",
    }  # fmt: skip

    model: str = Field(
        min_length=1, description="The model's name on the Hub, or its folder.",
        validation_alias=_also("model", "model_name", "model_id", "repo_id"),
    )  # fmt: skip
    backend: Literal["pipeline"] = Field(default="pipeline", description="In this process.")
    llm: Any = Field(
        default=None, description="A HuggingFacePipeline to begin with.", repr=False, exclude=True
    )
    api_key: Key | None = Field(
        default=None, description="Token of the Hub, for models that need one.",
        validation_alias=_also("api_key", "huggingfacehub_api_token", "token"),
    )  # fmt: skip
    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer, in tokens.",
        validation_alias=_also("max_tokens", "max_new_tokens"),
    )  # fmt: skip
    stop: tuple[str, ...] | None = Field(
        default=None, description="Texts that end the answer.",
        validation_alias=_also("stop", "stop_sequences", "stop_strings", "stop_sequence"),
    )  # fmt: skip
    timeout: Patience = Field(
        default=Timeout(connect=None, first_chunk=None, idle=None, total=None),
        description="Seconds, or a Timeout.",
    )
    task: str = Field(default="text-generation", description="The pipeline's task.")
    device: Any = Field(default=None, description="Where it runs: -1 the CPU, 0 a GPU, a name.")
    device_map: Any = Field(default=None, description='How it is spread: "auto", or a map.')
    model_kwargs: Mapping[str, Any] | None = Field(
        default=None, description="Arguments of loading: `dtype`, `revision` …", repr=False
    )
    pipeline: Any = Field(
        default=None, description="A transformers pipeline of yours.", repr=False, exclude=True
    )
    pipeline_kwargs: Mapping[str, Any] | None = Field(
        default=None, description="Arguments of generation more."
    )
    batch_size: int | None = Field(default=None, ge=1, description="Of pipelines; no effect here.")
    top_p: float | None = Field(default=None, ge=0, le=1, description="Nucleus of likely words.")
    top_k: int | None = Field(default=None, ge=0, description="Likeliest words to choose from.")
    min_p: float | None = Field(default=None, ge=0, le=1, description="Least share of the best.")
    typical_p: float | None = Field(default=None, gt=0, le=1, description="Typical sampling.")
    repetition_penalty: float | None = Field(
        default=None, gt=0, description="Above 1: fewer repetitions."
    )
    num_beams: int | None = Field(
        default=None, ge=1, description="Beams to search by; above 1 all text comes at the end."
    )
    do_sample: bool | None = Field(default=None, description="Whether to choose by chance.")
    seed: int | None = Field(default=None, description="For answers that repeat.")
    parallel_tool_calls: bool | None = Field(
        default=None, description="Several calls in one answer."
    )
    extract_reasoning: bool = Field(
        default=True, description="`<think>` tags in the text are reasoning."
    )
    chat_template: str | None = Field(
        default=None, description="Jinja in place of the model's own.", repr=False
    )
    chat_template_kwargs: Mapping[str, Any] | None = Field(
        default=None, description="Variables for the template."
    )
    return_full_text: bool | None = Field(default=None, description="Of text generation alone.")
    skip_special_tokens: bool | None = Field(default=None, description="Of text generation alone.")
    clean_up_tokenization_spaces: bool | None = Field(
        default=None, description="Of text generation alone."
    )

    _weights: Weights | None = PrivateAttr(default=None)

    @classmethod
    def _neutral(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """With what an `llm` holds under what is given beside it, and its nested arguments."""
        rest = dict(super()._neutral(given))
        llm = rest.pop("llm", None)
        if llm is not None:
            if not isinstance(llm, HuggingFacePipeline):
                raise InputError(f"`llm` is a HuggingFacePipeline, not {type(llm).__name__}")
            rest = {**llm.params, **rest}
        for name in _REMOTE:
            if rest.get(name) is not None:
                raise InputError(
                    f"`{name}` is of requests to a server, and a pipeline runs in this process; "
                    'leave it out, or leave out `backend="pipeline"`'
                )
        pipe = rest.get("pipeline")
        if pipe is not None:
            rest.setdefault("task", _task_of(pipe))
            if not any(rest.get(name) for name in ("model", "model_name", "model_id", "repo_id")):
                rest["model"] = _name_of(pipe)
        _lift_token(rest)
        _lift(cls, rest)
        return rest

    @model_validator(mode="after")
    def _check_source(self) -> ChatHuggingFacePipeline:
        if self.task not in TASKS:
            raise InputError(
                f"`task` = {self.task!r} is no chat; a local pipeline does "
                + ", ".join(map(repr, TASKS))
            )
        if self.pipeline is not None:
            for name in ("device", "device_map", "model_kwargs"):
                if getattr(self, name) is not None:
                    raise InputError(f"`{name}` is of loading, and the `pipeline` is loaded")
        return self

    @property
    def weights(self) -> Weights:
        """The model in memory, or what will be loaded at the first request."""
        kept = (self.__pydantic_private__ or {}).get("_weights")
        if kept is None:
            pipe = self.pipeline
            if isinstance(pipe, Weights):
                kept = pipe
            elif pipe is not None:
                kept = Weights(None, pipe, self.model)
            else:
                kept = shared(self._recipe())
            self._weights = kept
        found: Weights = kept
        return found

    def _recipe(self) -> Recipe:
        account: Any = HuggingFaceCredential() if self.credential is None else self.credential
        token = account.resolve(api_key=self.api_key).values.get("api_key")
        options = dict(self.model_kwargs or {})
        return Recipe(self.model, self.task, self.device, self.device_map, options, token)

    def __getstate__(self) -> dict[Any, Any]:
        """Without weights: a copy elsewhere loads them; a `pipeline` of yours cannot go along."""
        if self.pipeline is not None:
            self.weights.__reduce__()  # raises
        return super().__getstate__()

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        self._weights = None

    def _wire(self) -> Wire:
        sees = self.task == "image-text-to-text"
        return Wire(
            service=_SERVICE,
            lacks=frozenset(_LACKS),
            media=frozenset({"image_data"}) if sees else frozenset(),
            developer_role=False,
        )

    def _known_facts(self) -> ModelProfile:
        """What is known of the model itself: nothing of prices and abilities of its servers."""
        known = find_profile(self.provider, self.model, packages=self.profiles, warn=False)
        own = {"structured_output": False, "tool_choice": False}
        facts = {name: known[name] for name in known if name not in ("cost", "parameters")}
        sources = {name: said for name, said in known.sources.items() if name in facts}
        return ModelProfile(
            {**facts, **own}, {**sources, **dict.fromkeys(own, "transformers")},
            provider=self.provider, model=known.model,
        )  # fmt: skip

    def _structured_method(self, settings: Settings) -> str:
        """In words: nothing makes a local model keep to a schema, or call a tool."""
        return "prompted"

    def _address(self) -> str:
        weights = self.weights
        return f"local:{self.task}:" + (
            repr(weights.recipe) if weights.recipe else str(id(weights))
        )

    def _request(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool = False
    ) -> dict[str, Any]:
        return encode(self.model, messages, settings, images=self.task == "image-text-to-text")

    async def _prepare(self, run: Run) -> None:
        await self.weights.load(run)

    async def _count_tokens(self, messages: list[BaseMessage], settings: Settings, run: Run) -> int:
        loaded = await self.weights.load(run)
        body = self._request(messages, settings)
        prompt = await run.io.blocking(render, loaded, body, settings.notes)
        return prompt.tokens

    async def _ask(self, input: Any, call: Call, run: Run) -> Any:
        return await super()._ask(input, self._in_turn(call), run)

    def _ask_stream(self, input: Any, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        return super()._ask_stream(input, self._in_turn(call), run)

    def _in_turn(self, call: Call) -> Call:
        return replace(call, gates=(*call.gates, self.weights.turns))

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        body = self._request(messages, settings)
        tools = {tool["name"]: tool.get("parameters") or {} for tool in settings.tools}
        decoder = Decoder(
            self.model,
            tools if "tools" in body else {},
            extract_reasoning=self.extract_reasoning,
        )
        job = Generation(self.weights.loaded, body, settings)
        pushed = run.io.pushed(job.work, job.stop, run.scope)
        try:
            async for items in pushed:
                for item in items:
                    for chunk in decoder.feed(item):
                        yield chunk
        finally:
            await close(pushed)


def _task_of(pipe: Any) -> str:
    if isinstance(pipe, Weights):
        return pipe.recipe.task if pipe.recipe is not None else "text-generation"
    return str(getattr(pipe, "task", "") or "text-generation")


def _name_of(pipe: Any) -> str:
    if isinstance(pipe, Weights):
        return pipe.name
    config = getattr(getattr(pipe, "model", None), "config", None)
    return str(getattr(config, "name_or_path", "") or type(pipe).__name__)


def _lift_token(given: dict[str, Any]) -> None:
    """A token among the arguments of loading becomes the key, which is shown nowhere."""
    options = given.get("model_kwargs")
    if not isinstance(options, Mapping) or not any(name in options for name in _TOKENS):
        return
    rest = {name: value for name, value in options.items() if name not in _TOKENS}
    token = next(options[name] for name in _TOKENS if name in options)
    given["model_kwargs"] = rest or None
    if isinstance(token, str):
        given.setdefault("api_key", token)


def _lift(cls: type[BaseChatModel], given: dict[str, Any]) -> None:
    """Arguments of generation that are parameters of ours, as these."""
    nested = given.get("pipeline_kwargs")
    if not isinstance(nested, Mapping):
        return
    names = aliases_of(cls)
    taken = {names[name] for name in given if name in names}
    rest: dict[str, Any] = {}
    for name, value in nested.items():
        field = names.get(name)
        if field is None:
            rest[name] = value
        elif field not in taken:
            given[field] = value
    given["pipeline_kwargs"] = rest or None
