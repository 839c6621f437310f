"""Credential: who asks and where, apart from what is asked; shared by all models of a provider."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer

from headrace.credentials.resolution import Origin, Resolution, found, resolve
from headrace.credentials.secret import (
    EnvReference,
    Secret,
    dumped,
    is_given,
    reference_to,
    secret_fields,
)
from headrace.engine.hooks import provide_lazily, reach
from headrace.errors import ConfigurationError, InputError, faults, suggestion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from headrace.cards import ModelCard  # upward: list_models gives them
    from headrace.chat_models import BaseChatModel  # upward: chat_model makes one
    from headrace.embeddings import Embeddings  # upward: embeddings makes one

_ABOUT_ITSELF = frozenset({"type", "id", "name"})


class Credential(BaseModel):
    """Key, address and account of a provider; frozen, and written down without its secrets.

    A subclass names its `provider`, fixes `type` (`type: Literal["x_credential"] = ...`), adds
    fields, those with secrets declared `Secret`, and says in `variables` which environment
    variables stand in for a field, in order, and in `defaults` what holds without any.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        protected_namespaces=(),
        defer_build=True,
    )
    provider: ClassVar[str] = ""
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    defaults: ClassVar[Mapping[str, str]] = {}

    type: str = Field(description="Which kind of credential this is.")
    id: str | None = Field(default=None, description="Your own id of it.")
    name: str | None = Field(default=None, description="What people call it.")
    api_key: Secret | None = Field(
        default=None, description='Key, function that gives it, or {"env": "NAME"}.'
    )
    base_url: str | None = Field(default=None, description="Where the service is.")

    if not TYPE_CHECKING:  # checkers see the synthesized signature

        def __init__(self, **data: Any) -> None:
            known = type(self).model_fields
            for name in data:
                if name not in known:
                    raise InputError(
                        f"`{type(self).__name__}` has no field `{name}`{suggestion(name, known)}"
                    )
            try:
                super().__init__(**data)
            except ValidationError as error:
                told = faults(error)
                raise InputError(f"{type(self).__name__} cannot be made: {told}") from None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if cls.provider and not cls.type_name():
            raise TypeError(
                f"class {cls.__name__} must fix its type: "
                f'`type: Literal["{cls.provider}_credential"] = "{cls.provider}_credential"`'
            )

    @classmethod
    def type_name(cls) -> str:
        """The `type` of all its instances; empty for an abstract class."""
        default = cls.model_fields["type"].default
        return default if isinstance(default, str) else ""

    # What it says.

    def resolve(self, **arguments: Any) -> Resolution:
        """Each setting from the first place that has it: `arguments`, this credential, the
        environment variables of its provider, its default. Read anew at each call.
        """
        cls = type(self)
        own, secret = self.__dict__, secret_fields(cls)
        names = dict.fromkeys((*_settings(cls), *arguments))
        return resolve(names, secret, arguments, own, cls.variables, cls.defaults)

    def look_up(self, name: str, argument: Any = None) -> Any:
        """One setting as `resolve` finds it; None where nothing says it."""
        variables, default = self.variables.get(name, ()), self.defaults.get(name)
        return found(argument, self.__dict__.get(name), variables, default)[0]

    def explain(self, **arguments: Any) -> dict[str, Origin]:
        """Where each setting comes from now: {name: {"source", "variable"?, "value"?}}.

        Sources are argument, credential, environment, default, missing. Secrets have no `value`.
        """
        return dict(self.resolve(**arguments).origins)

    # What it opens.

    def chat_model(self, model: str, **params: Any) -> BaseChatModel:
        """A chat model of this provider that asks with this credential."""
        provider = reach("find_provider")(self._named_provider())
        return cast("BaseChatModel", provider.make(model=model, credential=self, **params))

    def embeddings(self, model: str, **params: Any) -> Embeddings:
        """An embedding model of this provider that asks with this credential."""
        provider = reach("find_provider")(self._named_provider())
        made = provider.make_embeddings(model=model, credential=self, **params)
        return cast("Embeddings", made)

    def list_models(self, *, live: bool = False, **filters: Any) -> list[ModelCard]:
        """The cards of this provider's models; see `headrace.cards.list_models`."""
        listing = cast("Callable[..., list[ModelCard]]", reach("list_models"))
        return listing(self._named_provider(), live=live, credential=self, **filters)

    async def alist_models(self, *, live: bool = False, **filters: Any) -> list[ModelCard]:
        """As `list_models`, for async callers."""
        listing = cast("Callable[..., Awaitable[list[ModelCard]]]", reach("alist_models"))
        return await listing(self._named_provider(), live=live, credential=self, **filters)

    def _named_provider(self) -> str:
        if not self.provider:
            raise ConfigurationError(f"`{type(self).__name__}` names no provider")
        return self.provider

    # Written down: secrets as references.

    def _variable(self, field: str) -> str | None:
        return next(iter(type(self).variables.get(field, ())), None)

    @model_serializer(mode="wrap")
    def _dump(self, handler: Any) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        for field in data.keys() & self.__dict__.keys():
            if field in secret_fields(type(self)):
                data[field] = dumped(self.__dict__[field], self._variable(field))
        return data

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As a dict that `credential_from_dict` reads; secrets as references to variables.

        Warns of a secret that was given by value: the dump does not hold it.
        """
        self._tell_left_out()
        return super().model_dump(**options)

    def model_dump_json(self, **options: Any) -> str:
        """As JSON text; see `model_dump`."""
        self._tell_left_out()
        return super().model_dump_json(**options)

    def _tell_left_out(self) -> None:
        for field in sorted(secret_fields(type(self))):
            value = self.__dict__[field]
            if isinstance(value, EnvReference) or not is_given(value):
                continue
            variable = self._variable(field)
            warnings.warn(
                f"`{field}` of this {type(self).__name__} was given by value and is not dumped; "
                + (f"a reference to {variable} stands in its place" if variable else "it is lost")
                + '; give {"env": "NAME"} to keep it',
                UserWarning,
                stacklevel=3,
            )

    def __getstate__(self) -> dict[Any, Any]:
        """Without secrets: a copy elsewhere reads them from its own environment."""
        state = super().__getstate__()
        fields = dict(state["__dict__"])
        for field in secret_fields(type(self)):
            fields[field] = reference_to(fields[field], self._variable(field))
        return {**state, "__dict__": fields}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return self  # frozen: a copy could not come to differ


@cache  # classes, not instances: there are few and they stay
def _settings(cls: type[Credential]) -> tuple[str, ...]:
    return tuple(name for name in cls.model_fields if name not in _ABOUT_ITSELF)


provide_lazily("find_provider", "headrace.registry")
provide_lazily("credential_types", "headrace.registry")
provide_lazily("host_owner", "headrace.registry")
provide_lazily("list_models", "headrace.cards")
provide_lazily("alist_models", "headrace.cards")
