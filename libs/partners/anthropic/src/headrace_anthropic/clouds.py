"""Claude on Amazon Bedrock and on Vertex AI: the same codec, another address and signature.

Both go through the clouds' own doors for the Messages API (InvokeModel, rawPredict). Bedrock's
Converse API is ChatBedrockConverse of headrace-aws.
Sources: https://platform.claude.com/docs/en/build-with-claude/claude-in-amazon-bedrock,
…/claude-on-vertex-ai (read 2026-11)
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import Field

from headrace.chat_models import Key
from headrace.credentials import Credential, Resolution
from headrace.engine.run import Run
from headrace.engine.worlds import World
from headrace.errors import ConfigurationError, UnsupportedParameterError
from headrace.messages import BaseMessage
from headrace.profiles import ModelProfile, find_profile
from headrace.transport import clean_url
from headrace_anthropic.chat import ChatAnthropic, also
from headrace_anthropic.client import AnthropicSettings
from headrace_anthropic.cloud_accounts import AnthropicBedrockCredential, AnthropicVertexCredential

# How Bedrock wraps a name: us.anthropic.claude-opus-4-8-v1:0, arn:…/us.anthropic.claude-…
_BEDROCK_NAME = re.compile(r"(?:^|[/.])anthropic\.(claude-[a-z0-9.-]+?)(?:-v\d+)?(?::\d+)?$")
_REGIONAL = re.compile(r"^(?!global\.)[a-z-]+\.anthropic\.")


class CloudChat(ChatAnthropic, abstract=True):
    """What both have in common: an account of their own, and names of models in their spelling."""

    account: ClassVar[type[Credential]]
    # "The Files API is not available on Bedrock or Vertex AI":
    # https://platform.claude.com/docs/en/build-with-claude/files (read 2026-11)
    keeps_files: ClassVar[bool] = False
    settings_of_account: ClassVar[tuple[str, ...]]

    def _resolved(self) -> Resolution:
        kind: type[Any] = self.account
        credential = self.credential if self.credential is not None else kind()
        if not isinstance(credential, self.account):
            raise ConfigurationError(
                f"a `{getattr(credential, 'type', credential)}` does not open `{self.provider}`; "
                f"pass an `{self.account.type_name()}`"
            )
        return credential.resolve(**{n: self.__dict__[n] for n in self.settings_of_account})

    async def served_models(self, io: World) -> list[str]:
        """Raises ConfigurationError: the clouds list models of all vendors elsewhere."""
        raise ConfigurationError(f"`{self.provider}` has no list of models to ask for here")

    def _key_variable(self) -> str | None:
        return self.account.variables["api_key"][0] if "api_key" in self.account.variables else None


class ChatAnthropicBedrock(CloudChat):
    """Claude on Amazon Bedrock, by InvokeModel in the Messages API's own form.

    Requests are signed with the keys given, or else those that boto3 finds (pip install
    'headrace-anthropic[bedrock]'); or they carry a bearer token, and boto3 is not needed.
    """

    provider: ClassVar[str] = "anthropic_bedrock"
    account: ClassVar[type[Credential]] = AnthropicBedrockCredential
    plumbing: ClassVar[frozenset[str]] = ChatAnthropic.plumbing | {
        "region", "access_key_id", "secret_access_key", "session_token", "profile_name",
    }  # fmt: skip
    settings_of_account: ClassVar[tuple[str, ...]] = (
        "api_key", "base_url", "region", "access_key_id", "secret_access_key", "session_token",
        "profile_name",
    )  # fmt: skip

    region: str | None = Field(
        default=None, description="AWS region.",
        validation_alias=also("region", "region_name", "aws_region"),
    )  # fmt: skip
    access_key_id: Key | None = Field(
        default=None, description="AWS access key; else what boto3 finds.",
        validation_alias=also("access_key_id", "aws_access_key_id", "aws_access_key"),
    )  # fmt: skip
    secret_access_key: Key | None = Field(
        default=None, description="AWS secret key.",
        validation_alias=also("secret_access_key", "aws_secret_access_key", "aws_secret_key"),
    )  # fmt: skip
    session_token: Key | None = Field(
        default=None, description="Of temporary AWS keys.",
        validation_alias=also("session_token", "aws_session_token"),
    )  # fmt: skip
    profile_name: str | None = Field(
        default=None, description="Profile in the files of AWS.",
        validation_alias=also("profile_name", "aws_profile", "credentials_profile_name"),
    )  # fmt: skip

    def _client_settings(self) -> AnthropicSettings:
        found = self._resolved()
        values = found.values
        region = found.require("region", self.provider)
        key = values["api_key"]
        if callable(key):
            raise ConfigurationError("`api_key` of Bedrock is a text, a bearer token")
        names = {
            "aws_access_key": "access_key_id",
            "aws_secret_key": "secret_access_key",
            "aws_session_token": "session_token",
            "aws_profile": "profile_name",
        }
        keys = {there: values[here] for there, here in names.items() if values[here] is not None}
        if keys and found.source("api_key") == "environment":
            key = None  # what is given for this model goes before what the environment holds
        url = values["base_url"] or f"https://bedrock-runtime.{region}.amazonaws.com"
        return self._settings_at(
            clean_url(url),
            key,
            platform="bedrock",
            options=(("aws_region", region), *keys.items()),
        )

    def _known_facts(self) -> ModelProfile:
        """Those of the model behind Bedrock's name; a regional profile may cost more."""
        named = _BEDROCK_NAME.search(self.model)
        name = named[1] if named else self.model
        known = find_profile("anthropic", name, packages=self.profiles)
        if not _REGIONAL.match(self.model):
            return known
        facts = {key: value for key, value in known.items() if key not in ("cost", "modes")}
        return ModelProfile(
            facts,
            {key: source for key, source in known.sources.items() if key in facts},
            provider=self.provider,
            model=known.model,
        )

    async def _count_tokens(self, messages: list[BaseMessage], settings: Any, run: Run) -> int:
        raise UnsupportedParameterError(
            "`exact=True`: the SDK has no count of tokens on Bedrock; leave it out for an estimate"
        )


class ChatAnthropicVertex(CloudChat):
    """Claude on Vertex AI.

    `api_key` is an access token, or a function that gives one; else `google_credentials`, else
    what google-auth finds (pip install 'headrace-anthropic[vertex]').
    """

    provider: ClassVar[str] = "anthropic_vertex"
    account: ClassVar[type[Credential]] = AnthropicVertexCredential
    plumbing: ClassVar[frozenset[str]] = ChatAnthropic.plumbing | {
        "project", "region", "google_credentials",
    }  # fmt: skip
    settings_of_account: ClassVar[tuple[str, ...]] = ("api_key", "base_url", "project", "region")

    api_key: Key | None = Field(
        default=None, description="An access token, or a function that gives one.",
        validation_alias=also("api_key", "access_token"),
    )  # fmt: skip
    project: str | None = Field(
        default=None, description="Google Cloud project.",
        validation_alias=also("project", "project_id"),
    )  # fmt: skip
    region: str | None = Field(
        default=None, description="Region, or global.", validation_alias=also("region", "location")
    )
    google_credentials: Any = Field(
        default=None, description="Credentials of google-auth.", repr=False, exclude=True
    )

    def _client_settings(self) -> AnthropicSettings:
        found = self._resolved()
        region = found.require("region", self.provider)
        options: list[tuple[str, Any]] = [("region", region)]
        if (project := found.values["project"]) is not None:
            options.append(("project_id", project))
        if self.google_credentials is not None:
            options.append(("credentials", self.google_credentials))
        return self._settings_at(
            clean_url(found.values["base_url"] or _vertex_url(region)),
            found.values["api_key"],
            platform="vertex",
            options=tuple(options),
        )

    def _known_facts(self) -> ModelProfile:
        return find_profile("anthropic", self.model, packages=self.profiles)


def _vertex_url(region: str) -> str:
    """https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations (2026-11)"""
    if region in ("us", "eu"):
        return f"https://aiplatform.{region}.rep.googleapis.com/v1"
    host = "aiplatform" if region == "global" else f"{region}-aiplatform"
    return f"https://{host}.googleapis.com/v1"
