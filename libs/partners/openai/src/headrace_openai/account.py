"""OpenAIAccount: what every model of this package is asked with, whatever it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from headrace.chat_models import Key, Patience, Timeout, fields
from headrace.profiles import ModelProfile, find_profile
from headrace.transport import RawModel, RawRequest
from headrace_openai.client import warm
from headrace_openai.dialects import Dialect
from headrace_openai.place import Place, find_dialect, find_place, key_variable
from headrace_openai.reading import MODELS, read_models

if TYPE_CHECKING:
    from headrace.engine.worlds import World

_ACCOUNT = ("base_url", "dialect", "credential", "api_key", "organization", "project")


def also(*names: str) -> AliasChoices:
    """The names under which a field may be given."""
    return AliasChoices(*names)


class OpenAIAccount(RawModel):
    """Key, address, dialect and HTTP client: those of a chat model and of an embedding model."""

    provider: ClassVar[str] = "openai"
    sdk: ClassVar[str] = "openai"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_openai",)
    plumbing: ClassVar[frozenset[str]] = RawModel.plumbing | {
        "async_transport", "default_query", "dialect", "http_async_client", "http_client",
        "organization", "project",
    }  # fmt: skip

    model: str = Field(
        min_length=1, description="The name of the model.",
        validation_alias=also("model", "model_name"),
    )  # fmt: skip
    timeout: Patience = Field(
        default=Timeout(), description="Seconds, or a Timeout.",
        validation_alias=also("timeout", "request_timeout"),
    )  # fmt: skip
    api_key: Key | None = Field(
        default=None, description="The key, or a function asked for it at each request.",
        validation_alias=also("api_key", "openai_api_key"),
    )  # fmt: skip
    base_url: str | None = Field(
        default=None, description="Where the service is; a full endpoint is accepted.",
        validation_alias=also("base_url", "openai_api_base"),
    )  # fmt: skip
    proxy: str | None = Field(
        default=None, description="URL of an HTTP proxy; else the environment's.", repr=False,
        validation_alias=also("proxy", "openai_proxy"),
    )  # fmt: skip
    organization: str | None = Field(
        default=None, description="Organization that pays (OPENAI_ORG_ID).",
        validation_alias=also("organization", "openai_organization"),
    )  # fmt: skip
    project: str | None = Field(default=None, description="Project that pays (OPENAI_PROJECT_ID).")
    dialect: str | None = Field(
        default=None, description="Row of the table of compatible services."
    )
    default_query: Mapping[str, str] | None = Field(
        default=None, description="Query parameters more."
    )
    http_client: fields.HTTPClient = None
    http_async_client: fields.HTTPAsyncClient = None
    async_transport: Literal["aiohttp"] | None = Field(
        default=None, description="The SDK's HTTP client of that name for async calls."
    )

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> Any:
        raise NotImplementedError

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that the service serves now."""
        return read_models(await self._fetch(self._exchange(), RawRequest("GET", MODELS), io))

    def _known_facts(self) -> ModelProfile:
        return find_profile(self._dialect().id, self.model, packages=self.profiles)

    def _place(self) -> Place:
        return find_place(**self._account_fields())

    def _account_fields(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in _ACCOUNT}

    def _address(self) -> str:
        return str(self._place().url)

    def _key_variable(self) -> str | None:
        return key_variable(self._account_fields())

    def _dialect(self) -> Dialect:
        return find_dialect(**self._account_fields())
