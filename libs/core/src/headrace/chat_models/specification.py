"""Specification: what every model is made of, whatever it is asked for.

Frozen parameters, the account they are asked with, the facts about the model, its clients.
"""

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

from headrace.caches.store import check_store
from headrace.chat_models.clients import CLIENTS, ClientUser
from headrace.chat_models.kinds import of_kind
from headrace.chat_models.notes import Policy
from headrace.chat_models.options import aliases_of, check_names
from headrace.chat_models.timeouts import Timeout
from headrace.credentials import (
    Credential,
    EnvReference,
    Secret,
    credential_from_dict,
    dumped,
    secret_fields,
)
from headrace.engine.aside import aside
from headrace.engine.hooks import reach
from headrace.engine.run import open_run
from headrace.errors import ConfigurationError, InputError, faults
from headrace.profiles import ModelProfile, find_profile
from headrace.rate_limiters import Gate, as_gate

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from headrace.engine.run import Run
    from headrace.engine.worlds import World


if TYPE_CHECKING:  # what may be given, for checkers; what is kept, for pydantic
    Key = Secret
    Patience = float | Timeout | Mapping[str, float]
    Account = Credential | Mapping[str, Any]
else:
    Key, Patience, Account = Secret, Timeout, Credential


class Specification(BaseModel):
    """A model's parameters, frozen; unknown ones are an InputError with a suggestion.

    Pickles leave literal secrets out; they are looked up again where the copies are used.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        protected_namespaces=(),
        defer_build=True,  # abstract ones are never made, others at their first use
        arbitrary_types_allowed=True,
    )
    kind: ClassVar[str] = "chat_model"  # the `type` of its models' cards
    provider: ClassVar[str] = "unknown"
    profiles: ClassVar[tuple[str, ...]] = ()  # packages that hold facts about its models
    plumbing: ClassVar[frozenset[str]] = frozenset(
        {
            "api_key", "base_url", "cache", "callbacks", "credential", "default_headers",
            "max_retries", "metadata", "on_unsupported", "profile_overrides", "proxy",
            "rate_limiter", "tags", "timeout",
        }
    )  # fmt: skip

    model: str = Field(description="The provider's name of the model.", min_length=1)
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
    cache: Any = Field(
        default=None, description="A store of answers, true for that of the process, false: none."
    )
    rate_limiter: Any = Field(
        default=None, description="What lets its requests in, when; see RateLimiter."
    )
    callbacks: Any = Field(
        default=None, description="Listeners to this model's requests.", repr=False
    )
    tags: tuple[str, ...] = Field(default=(), description="Tags of this model's runs.")
    metadata: Mapping[str, Any] | None = Field(default=None, description="Metadata of its runs.")
    profile_overrides: Mapping[str, Any] | None = Field(
        default=None, alias="profile", description="Facts about the model, over those known."
    )
    on_unsupported: Policy = Field(
        default="adapt", description="What to do with a parameter that the model cannot take."
    )
    extra_body: Mapping[str, Any] | None = Field(
        default=None, description="Put into the body as it is."
    )

    _user: ClientUser = PrivateAttr(default_factory=ClientUser)
    _profile: ModelProfile | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:  # checkers see the synthesized signature

        def __init__(self, **data: Any) -> None:
            data = type(self)._neutral(data)
            check_names(type(self), data)
            try:
                super().__init__(**data)
            except ValidationError as error:
                told = faults(error)
                raise InputError(f"{type(self).__name__} cannot be made: {told}") from None

    @field_validator("*", mode="before")
    @classmethod
    def _check_kind(cls, value: Any, info: ValidationInfo) -> Any:
        return of_kind(cls, str(info.field_name), value)

    @field_validator("timeout", mode="before")
    @classmethod
    def _read_timeout(cls, value: Any) -> Timeout:
        return Timeout.read(value)

    @field_validator("cache")
    @classmethod
    def _read_cache(cls, value: Any) -> Any:
        return value if value is None or isinstance(value, bool) else check_store(value, "cache")

    @field_validator("rate_limiter")
    @classmethod
    def _read_limiter(cls, value: Any) -> Gate | None:
        return None if value is None else as_gate(value)

    @field_validator("credential", mode="before")
    @classmethod
    def _read_credential(cls, value: Any) -> Any:
        return credential_from_dict(value) if isinstance(value, Mapping) else value

    @field_serializer("cache", "rate_limiter")
    def _dump_shared(self, value: Any) -> bool | None:
        """Without what lives in this process and is shared there."""
        return value if isinstance(value, bool) else None

    @field_serializer("api_key")
    def _dump_key(self, value: Any) -> dict[str, str] | None:
        return dumped(value, self._key_variable())

    # What a partner writes.

    @classmethod
    def _neutral(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was given, with the provider's own spellings as the neutral ones."""
        return dict(given)

    async def _prepare(self, run: Run) -> None:
        """Loads what a first request needs (an SDK), before its time begins to count."""

    def _known_facts(self) -> ModelProfile:
        """What is known of the model apart from `profile=`; a partner looks into its files."""
        return find_profile(self.provider, self.model, packages=self.profiles)

    def _address(self) -> str | None:
        """Where requests go, as a cache tells services apart; a partner resolves it."""
        return self.base_url

    def _key_variable(self) -> str | None:
        """The environment variable in which this model looks for its key, where there is one."""
        return None

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that the provider serves now; a partner asks it."""
        raise ConfigurationError(f"`{self.provider}` has no list of models to ask for")

    # A model as others see it.

    @property
    def profile(self) -> ModelProfile:
        """Facts about the model, read-only: limits, modalities, abilities, prices; see FIELDS.

        From models.dev, our augmentations, the user's file and `profile=`, the last one over
        all. What is absent is unknown. A model nobody knows has none, with one warning.
        """
        # Every request asks several times; as attributes pydantic's private ones take 6 us each.
        kept = self.__pydantic_private__ or {}
        found: ModelProfile | None = kept.get("_profile")
        if found is None:
            known, over = self._known_facts(), self.profile_overrides
            found = self._profile = known.overridden(over) if over else known
        return found

    @property
    def profile_sources(self) -> dict[str, str]:
        """Where each fact of the profile came from."""
        return self.profile.sources

    def get_name(self, suffix: str | None = None) -> str:
        """The name in events and errors."""
        return type(self).__name__

    # What there is to choose from.

    @classmethod
    def list_models(cls, *, live: bool = False, **filters: Any) -> list[Any]:
        """The cards of this provider's models; see `headrace.list_models`."""
        listing = cast("Callable[..., list[Any]]", reach("list_models"))
        return listing(cls.provider, type=cls.kind, live=live, **filters)

    @classmethod
    async def alist_models(cls, *, live: bool = False, **filters: Any) -> list[Any]:
        """As `list_models`, for async callers."""
        listing = cast("Callable[..., Awaitable[list[Any]]]", reach("alist_models"))
        return await listing(cls.provider, type=cls.kind, live=live, **filters)

    # Keeping and passing on.

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Any:
        """A copy with other parameters, which are validated as at construction."""
        if not update:
            return super().model_copy(deep=deep)
        data = {name: self.__dict__[name] for name in self.model_fields_set}
        aliases = aliases_of(type(self))
        neutral = type(self)._neutral(update)
        given = {aliases.get(name, name): value for name, value in neutral.items()}
        return type(self)(**{**data, **given})

    def __getstate__(self) -> dict[Any, Any]:
        """Without secrets: a copy elsewhere reads them from its own environment."""
        state = super().__getstate__()
        fields = dict(state["__dict__"])
        for name in secret_fields(type(self)):
            if not isinstance(fields[name], EnvReference):
                fields[name] = None
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

    def warm(self) -> None:
        """Begins to load, in the background, what a first request needs; returns at once."""
        aside(self._make_ready)

    async def _make_ready(self, io: World) -> None:
        await self._prepare(open_run(io, None))

    def close(self) -> None:
        """Gives back the clients of sync calls; the last user's closing closes them."""
        CLIENTS.release(self._user)

    async def aclose(self) -> None:
        """Gives back the clients of async calls; the last user's closing closes them."""
        await CLIENTS.arelease(self._user)
