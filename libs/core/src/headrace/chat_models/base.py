"""BaseChatModel: the specification of a model, and what a partner writes to make one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
)

from headrace.chat_models.asking import ask, ask_stream
from headrace.chat_models.clients import CLIENTS, ClientUser
from headrace.chat_models.kinds import of_kind
from headrace.chat_models.matrix import supports
from headrace.chat_models.model import Model
from headrace.chat_models.notes import ContentPolicy, Policy
from headrace.chat_models.options import (
    aliases_of,
    check_names,
    read_option,
    with_neutral_effort,
)
from headrace.chat_models.preflight import Preflight, look_ahead
from headrace.chat_models.settings import Call, Settings, check_choice
from headrace.chat_models.shaping import shape
from headrace.chat_models.timeouts import Timeout, Watch
from headrace.chat_models.wires import Wire
from headrace.credentials import (
    Credential,
    EnvReference,
    Secret,
    credential_from_dict,
    dumped,
)
from headrace.engine.hooks import reach
from headrace.errors import ConfigurationError, InputError, faults
from headrace.messages import AIMessage, BaseMessage
from headrace.profiles import ModelProfile, find_profile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

    from headrace.cards import ModelCard  # upward: list_models gives them
    from headrace.engine.run import Run
    from headrace.engine.worlds import World


if TYPE_CHECKING:  # what may be given, for checkers; what is kept, for pydantic
    Key = Secret
    Patience = float | Timeout | Mapping[str, float]
    Account = Credential | Mapping[str, Any]
else:
    Key, Patience, Account = Secret, Timeout, Credential


class BaseChatModel(BaseModel, Model[AIMessage], abstract=True):
    """A chat model: frozen parameters, and every method of `Model`.

    A partner adds parameters as pydantic fields with their ranges and writes one of
    `async _generate(messages, settings, run)` and `_stream(...)`, an async generator; all
    waiting goes through `run.io`. Retries, timeouts and events are not its business.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        protected_namespaces=(),
        arbitrary_types_allowed=True,
    )
    provider: ClassVar[str] = "unknown"
    profiles: ClassVar[tuple[str, ...]] = ()  # packages that hold facts about its models
    effort_spellings: ClassVar[frozenset[str]] = frozenset()  # provider's own `reasoning_effort`
    plumbing: ClassVar[frozenset[str]] = frozenset(
        {
            "api_key", "base_url", "callbacks", "credential", "default_headers", "max_retries",
            "metadata", "on_unsupported", "on_unsupported_content", "profile_overrides", "proxy",
            "stop", "tags", "timeout",
        }
    )  # fmt: skip

    model: str = Field(description="The provider's name of the model.", min_length=1)
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="0: the likeliest words."
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer, in tokens."
    )
    stop: tuple[str, ...] | None = Field(default=None, description="Texts that end the answer.")
    timeout: Patience = Field(default=Timeout(), description="Seconds, or a Timeout.")
    max_retries: int = Field(default=2, ge=0, description="Attempts beyond the first.")
    api_key: Key | None = Field(default=None, description="Key, or its giver.")
    credential: Account | None = Field(
        default=None, description="Key, address and account; `api_key` and `base_url` go before."
    )
    base_url: str | None = Field(default=None, description="Where the service is.")
    proxy: str | None = Field(default=None, description="URL of an HTTP proxy.")
    default_headers: Mapping[str, str] | None = Field(
        default=None, description="HTTP headers more."
    )
    callbacks: Any = Field(
        default=None, description="Listeners to this model's requests.", repr=False
    )
    tags: tuple[str, ...] = Field(default=(), description="Tags of this model's runs.")
    metadata: Mapping[str, Any] | None = Field(default=None, description="Metadata of its runs.")
    profile_overrides: Mapping[str, Any] | None = Field(
        default=None, alias="profile", description="Facts about the model, over those known."
    )
    reasoning_effort: str | int | None = Field(
        default=None, description='"none" … "max", a number of tokens, or on (true) and off.'
    )
    on_unsupported: Policy = Field(
        default="adapt", description="What to do with a parameter that the model cannot take."
    )
    on_unsupported_content: ContentPolicy = Field(
        default="raise", description="What to do with content that the model cannot see."
    )
    model_kwargs: Mapping[str, Any] | None = Field(
        default=None, description="Wire parameters more."
    )
    extra_body: Mapping[str, Any] | None = Field(
        default=None, description="Put into the body as it is."
    )

    _user: ClientUser = PrivateAttr(default_factory=ClientUser)
    _profile: ModelProfile | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:  # checkers see the synthesized signature

        def __init__(self, **data: Any) -> None:
            data = with_neutral_effort(type(self), data)
            check_names(type(self), data)
            try:
                super().__init__(**data)
            except ValidationError as error:
                told = faults(error)
                raise InputError(f"{type(self).__name__} cannot be made: {told}") from None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if (
            not kwargs.get("abstract")
            and cls._generate is BaseChatModel._generate
            and cls._stream is BaseChatModel._stream
        ):
            raise TypeError(
                f"class {cls.__name__} has neither `async def _generate(self, messages, "
                "settings, run)` nor the async generator `_stream` of the same; write one"
            )

    @field_validator("*", mode="before")
    @classmethod
    def _check_kind(cls, value: Any, info: ValidationInfo) -> Any:
        return of_kind(cls, str(info.field_name), value)

    @field_validator("timeout", mode="before")
    @classmethod
    def _read_timeout(cls, value: Any) -> Timeout:
        return Timeout.read(value)

    @field_validator("credential", mode="before")
    @classmethod
    def _read_credential(cls, value: Any) -> Any:
        return credential_from_dict(value) if isinstance(value, Mapping) else value

    @field_serializer("api_key")
    def _dump_key(self, value: Any) -> dict[str, str] | None:
        return dumped(value, self._key_variable())

    @field_validator("stop", mode="before")
    @classmethod
    def _read_stop(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("reasoning_effort", mode="before")
    @classmethod
    def _read_switch(cls, value: Any) -> Any:
        return ("on" if value else "none") if isinstance(value, bool) else value

    # What a partner writes.

    async def _prepare(self, run: Run) -> None:
        """Loads what a first request needs (an SDK), before its time begins to count."""

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        raise NotImplementedError

    def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[Any, None]:
        raise NotImplementedError

    def _wire(self) -> Wire:
        """How the service takes what is asked of it: renamed, refused, within what range."""
        return Wire(service=self.provider)

    def _request(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool = False
    ) -> dict[str, Any] | None:
        """The body that would be sent, for `preflight`; pure. None: this model does not say."""
        return None

    @classmethod
    def _read_effort(cls, given: Mapping[str, Any]) -> str | int:
        """The `reasoning_effort` that the provider's own spellings of it mean."""
        raise NotImplementedError

    def _structured_method(self, settings: Settings) -> str:
        """How this model gives objects best, from its profile: see `with_structured_output`."""
        facts = self.profile
        if facts.get("structured_output"):
            return "json_schema"
        return "prompted" if facts.get("tool_calling") is False else "function_calling"

    def _known_facts(self) -> ModelProfile:
        """What is known of the model apart from `profile=`; a partner looks into its files."""
        return find_profile(self.provider, self.model, packages=self.profiles)

    def _key_variable(self) -> str | None:
        """The environment variable in which this model looks for its key, where there is one."""
        return None

    # A model as others see it.

    @property
    def profile(self) -> ModelProfile:
        """Facts about the model, read-only: limits, modalities, abilities, prices; see FIELDS.

        From models.dev, our augmentations, the user's file and `profile=`, the last one over
        all. What is absent is unknown. A model nobody knows has none, with one warning.
        """
        if self._profile is None:
            known = self._known_facts()
            over = self.profile_overrides
            self._profile = known.overridden(over) if over else known
        return self._profile

    @property
    def profile_sources(self) -> dict[str, str]:
        """Where each fact of the profile came from."""
        return self.profile.sources

    @property
    def streams(self) -> bool:
        return type(self)._stream is not BaseChatModel._stream

    @property
    def generates(self) -> bool:
        return type(self)._generate is not BaseChatModel._generate

    @property
    def spec(self) -> BaseChatModel:
        return self

    def _respec(self, change: Callable[[BaseChatModel], Model[Any]]) -> Model[Any]:
        return change(self)

    def get_name(self, suffix: str | None = None) -> str:
        return type(self).__name__

    def supports(self, name: str) -> bool | None:
        """Whether the model takes a parameter, or sees a kind of content; None: nobody knows.

        Names: of parameters, of `headrace params`, and of the facts that say yes or no.
        """
        return supports(self, name)

    def _look_ahead(self, input: Any, call: Call) -> Preflight:
        return look_ahead(self, input, call)

    async def _ask(self, input: Any, call: Call, run: Run) -> AIMessage:
        return await ask(self, input, call, run)

    def _ask_stream(self, input: Any, call: Call, run: Run) -> AsyncGenerator[Any, None]:
        return ask_stream(self, input, call, run)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises InputError for options of a call that this model does not know."""
        for name, value in with_neutral_effort(type(self), options).items():
            read_option(type(self), name, value)

    def settings(self, call: Call) -> Settings:
        """What is asked of the provider: the model's own fields under the call's options."""
        cls = type(self)
        params = {
            name: value
            for name, value in self.__dict__.items()
            if value is not None and name not in cls.plumbing
        }
        timeout = cast(Timeout, self.timeout)
        for name, value in with_neutral_effort(cls, call.options).items():
            field, value = read_option(cls, name, value)
            if field == "timeout":
                timeout = value
            elif field in cls.plumbing:
                raise InputError(
                    f"`{name}` belongs to the model, not to a call; "
                    f"make another one by `model_copy(update={{{name!r}: …}})`"
                )
            elif value is None:
                params.pop(field, None)
            else:
                params[field] = value
        stop = self.stop if call.stop is None else call.stop
        settings = Settings(
            params, Watch(timeout), call.tools, call.tool_choice, None, tuple(stop or ())
        )
        if call.schema is not None:
            settings = self._structured(settings, call)
        check_choice(settings.tool_choice, settings.tools)
        return settings

    def _structured(self, settings: Settings, call: Call) -> Settings:
        schema = call.schema
        assert schema is not None
        method = schema.method
        if method == "auto":
            method = self._structured_method(settings)  # type: ignore[assignment]  # a Method
        return shape(settings, schema, method, self.profile.facts, call.rung)

    # What there is to choose from.

    @classmethod
    def list_models(cls, *, live: bool = False, **filters: Any) -> list[ModelCard]:
        """The cards of this provider's models; see `headrace.list_models`."""
        listing = cast("Callable[..., list[ModelCard]]", reach("list_models"))
        return listing(cls.provider, live=live, **filters)

    @classmethod
    async def alist_models(cls, *, live: bool = False, **filters: Any) -> list[ModelCard]:
        """As `list_models`, for async callers."""
        listing = cast("Callable[..., Awaitable[list[ModelCard]]]", reach("alist_models"))
        return await listing(cls.provider, live=live, **filters)

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that the provider serves now; a partner asks it."""
        raise ConfigurationError(f"`{self.provider}` has no list of models to ask for")

    # Keeping and passing on.

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Any:
        """A copy with other parameters, which are validated as at construction."""
        if not update:
            return super().model_copy(deep=deep)
        data = {name: self.__dict__[name] for name in self.model_fields_set}
        neutral = with_neutral_effort(type(self), update)
        given = {_field_of(type(self), name): value for name, value in neutral.items()}
        return type(self)(**{**data, **given})

    def __getstate__(self) -> dict[Any, Any]:
        """Without the key: a copy elsewhere reads it from its own environment."""
        state = super().__getstate__()
        key = self.api_key if isinstance(self.api_key, EnvReference) else None
        fields = {**state["__dict__"], "api_key": key}
        return {**state, "__dict__": fields, "__pydantic_private__": None}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(
            {**state, "__pydantic_private__": {"_user": ClientUser(), "_profile": None}}
        )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return self  # frozen: a copy could not come to differ

    def __hash__(self) -> int:
        return id(self)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """What was set; a model has some forty parameters."""
        return [(name, value) for name, value in super().__repr_args__() if self._is_set(name)]

    def _is_set(self, name: str | None) -> bool:
        return name in self.model_fields_set

    def close(self) -> None:
        """Gives back the clients of sync calls; the last user's closing closes them."""
        CLIENTS.release(self._user)

    async def aclose(self) -> None:
        """Gives back the clients of async calls; the last user's closing closes them."""
        await CLIENTS.arelease(self._user)


def _field_of(cls: type[BaseChatModel], name: str) -> str:
    return aliases_of(cls).get(name, name)
