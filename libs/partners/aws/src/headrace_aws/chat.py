"""ChatBedrockConverse: models of Amazon Bedrock by Converse and ConverseStream."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import AliasChoices, Field
from pydantic_core import to_json

from headrace.chat_models import CLIENTS, BaseChatModel, Key, Patience, Timeout, Wire, fields
from headrace.credentials import Origin
from headrace.errors import ConfigurationError
from headrace.profiles import ModelProfile, find_profile
from headrace.transport import Limits, RawChatModel
from headrace_aws.client import (
    AWSClient,
    AWSSession,
    Outgoing,
    count_tokens,
    list_names,
    warm,
)
from headrace_aws.credentials import AWSCredential
from headrace_aws.exchange import ConverseExchange
from headrace_aws.families import family_of, foundation_id, plain_id
from headrace_aws.parameters import SPELLINGS, read_effort, wire_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from headrace.chat_models import Settings
    from headrace.engine.run import Run
    from headrace.engine.worlds import World
    from headrace.messages import BaseMessage
    from headrace_aws.account import Account

# What of a request is counted (the service model, `ConverseTokensRequest`).
COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")
_ACCOUNT = (
    "api_key", "base_url", "region_name", "profile_name", "aws_access_key_id",
    "aws_secret_access_key", "aws_session_token",
)  # fmt: skip


def _also(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class ChatBedrockConverse(RawChatModel):
    """A model of Amazon Bedrock: a foundation model, an inference profile, or an ARN.

    boto3 is sync: an async call holds a thread of our own while it waits for the service, and a
    stream's thread reads ahead of its reader. Leaving a stream closes its connection at once;
    a cancelled `ainvoke` returns at once, and its thread when the answer or a timeout comes.
    """

    provider: ClassVar[str] = "bedrock_converse"
    sdk: ClassVar[str] = "boto3"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_aws",)
    effort_spellings: ClassVar[frozenset[str]] = SPELLINGS
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {
        "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "base_model", "config",
        "max_pool_connections", "profile_name", "region_name", "session",
    }  # fmt: skip

    model: str = Field(
        min_length=1, description="Id or ARN of a model, an inference profile or a prompt.",
        validation_alias=_also("model", "model_id", "model_name"),
    )  # fmt: skip
    base_model: str | None = Field(
        default=None, description="The model behind an ARN: for its profile, and how it is asked.",
        validation_alias=_also("base_model", "base_model_id"),
    )  # fmt: skip
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="0: the likeliest words; Converse takes up to 1."
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer in tokens, reasoning included.",
        validation_alias=_also("max_tokens", "max_completion_tokens"),
    )  # fmt: skip
    stop: tuple[str, ...] | None = Field(
        default=None, description="Texts that end the answer.",
        validation_alias=_also("stop", "stop_sequences"),
    )  # fmt: skip
    timeout: Patience = Field(
        default=Timeout(), description="Seconds, or a Timeout.",
        validation_alias=_also("timeout", "request_timeout"),
    )  # fmt: skip
    api_key: Key | None = Field(
        default=None, description="Bedrock API key, or a function asked for it at each request.",
        validation_alias=_also("api_key", "bedrock_api_key"),
    )  # fmt: skip
    base_url: str | None = Field(
        default=None, description="Where Bedrock is, if not at its region's own address.",
        validation_alias=_also("base_url", "endpoint_url"),
    )  # fmt: skip
    region_name: str | None = Field(
        default=None, description="Region (AWS_REGION, AWS_DEFAULT_REGION, or the profile's).",
        validation_alias=_also("region_name", "region", "aws_region"),
    )  # fmt: skip
    profile_name: str | None = Field(
        default=None, description="Profile of the files that the AWS tools share.",
        validation_alias=_also("profile_name", "credentials_profile_name"),
    )  # fmt: skip
    aws_access_key_id: Key | None = Field(default=None, description="Access key.")
    aws_secret_access_key: Key | None = Field(default=None, description="Its secret.")
    aws_session_token: Key | None = Field(
        default=None, description="Token of a session, with keys that expire."
    )
    session: Any = Field(default=None, description="Your own boto3.Session.", repr=False)
    config: Any = Field(
        default=None, description="Your own botocore Config; ours goes over it.", repr=False
    )
    max_pool_connections: int = Field(
        default=64, ge=1, description="Connections that are kept for the next requests."
    )

    top_p: fields.TopP = None
    top_k: fields.TopK = None
    system: str | tuple[Any, ...] | None = Field(
        default=None, description="Instructions before those of the messages; a text or blocks."
    )
    guardrail_config: Mapping[str, Any] | None = Field(
        default=None,
        description='{"guardrailIdentifier", "guardrailVersion", "trace", "streamProcessingMode"}.',
        validation_alias=_also("guardrail_config", "guardrails"),
    )
    guard_last_turn_only: bool | None = Field(
        default=None, description="Show the guardrail the user's last message alone."
    )
    performance_config: Mapping[str, Any] | None = Field(
        default=None, description='{"latency": "standard" | "optimized"}.'
    )
    service_tier: Literal["priority", "default", "flex", "reserved"] | None = Field(
        default=None, description="Which tier serves the request."
    )
    request_metadata: Mapping[str, str] | None = Field(
        default=None, description="Up to 16 texts by name, for filtering logs."
    )
    project_identifier: str | None = Field(
        default=None, description="Id or ARN of the project to bill."
    )
    prompt_variables: Mapping[str, Any] | None = Field(
        default=None, description="Values of a managed prompt's variables, by name."
    )
    additional_model_request_fields: Mapping[str, Any] | None = Field(
        default=None, description="Parameters of the model itself, as its maker spells them."
    )
    additional_model_response_field_paths: tuple[str, ...] | None = Field(
        default=None, max_length=10, description="JSON Pointers to fields of the model's answer."
    )

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> ConverseExchange:
        return ConverseExchange(self, self._account())

    async def _client(self, door: Any, io: World) -> Any:
        """boto3's clients are safe between threads: event loops share them."""
        account = door.session_settings
        session = CLIENTS.use(self._user, account, partial(AWSSession, account), is_async=False)
        make = partial(AWSClient, door.client_settings, session)
        return CLIENTS.use(self._user, door.client_key, make, is_async=False)

    async def aclose(self) -> None:
        """Gives back the clients; the last user's closing closes them."""
        self.close()

    async def served_models(self, io: World) -> list[str]:
        """The models and inference profiles that the account's region serves now."""
        exchange = self._exchange()
        token = await exchange.ask_token(io)
        return await self._ask_aside(
            exchange, lambda client, limits: io.blocking(list_names, client, limits, token), io
        )

    async def _count_tokens(self, messages: list[BaseMessage], settings: Settings, run: Run) -> int:
        exchange = self._exchange()
        body = exchange.encode(messages, settings, stream=False)
        model = self.base_model or str(body["modelId"])
        whole = {name: body[name] for name in COUNTED if name in body}
        data = to_json({"input": {"converse": whole}})
        token, io = await exchange.ask_token(run.io), run.io

        def ask(client: AWSClient, limits: Limits) -> Awaitable[int]:
            outgoing = Outgoing(limits, data, token)
            return io.blocking(count_tokens, client, foundation_id(model), outgoing)

        return await self._ask_aside(exchange, ask, io)

    def _wire(self) -> Wire:
        adaptive = self.profile.get("reasoning_adaptive") is not False
        return wire_of(family_of(self.base_model or self.model), adaptive=adaptive)

    @classmethod
    def _read_effort(cls, given: Mapping[str, Any]) -> str | int:
        return read_effort(given)

    def _known_facts(self) -> ModelProfile:
        name = plain_id(self.base_model or self.model)
        warn = not name.startswith("arn:")
        return find_profile(self.provider, name, packages=self.profiles, warn=warn)

    def explain(self) -> dict[str, Origin]:
        """Where credentials, region and address come from now; see `AWSCredential.explain`."""
        return self._credential().explain(**self._account_fields())

    def _account(self) -> Account:
        return self._credential().account(**self._account_fields())

    def _credential(self) -> AWSCredential:
        found = self.credential
        if found is None:
            return AWSCredential()
        if not isinstance(found, AWSCredential):
            raise ConfigurationError(
                f"a `{getattr(found, 'type', found)}` does not open Bedrock; pass an "
                "`aws_credential`"
            )
        return found

    def _account_fields(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in _ACCOUNT}

    def _key_variable(self) -> str | None:
        return "AWS_BEARER_TOKEN_BEDROCK"


ChatBedrock = ChatBedrockConverse
