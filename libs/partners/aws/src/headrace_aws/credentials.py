"""AWSCredential: an account of AWS, or where boto3 finds one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from headrace.credentials import Credential, Origin, Secret
from headrace_aws.account import Account, find_account
from headrace_aws.client import chain_source


class AWSCredential(Credential):
    """An account of AWS: a Bedrock API key, access keys, a profile, or what boto3 finds itself.

    Whatever is given here goes before what the environment holds. Access keys, profiles, assumed
    roles, SSO and the roles of machines are boto3's own business, in its own order.
    """

    provider: ClassVar[str] = "bedrock_converse"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("AWS_BEARER_TOKEN_BEDROCK",),
        "base_url": ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"),
        "region_name": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "profile_name": ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
        "aws_access_key_id": ("AWS_ACCESS_KEY_ID",),
        "aws_secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
        "aws_session_token": ("AWS_SESSION_TOKEN",),
    }

    type: Literal["aws_credential"] = "aws_credential"
    region_name: str | None = Field(default=None, description="Region, such as us-east-1.")
    profile_name: str | None = Field(
        default=None, description="Profile of the files that the AWS tools share."
    )
    aws_access_key_id: Secret | None = Field(default=None, description="Access key.")
    aws_secret_access_key: Secret | None = Field(default=None, description="Its secret.")
    aws_session_token: Secret | None = Field(
        default=None, description="Token of a session, with keys that expire."
    )

    def account(self, **arguments: Any) -> Account:
        """Who asks and where, as resolved now; arguments go before this credential."""
        return find_account(self.resolve(**arguments))

    def explain(self, **arguments: Any) -> dict[str, Origin]:
        """As `Credential.explain`; `credentials` says what boto3 would sign a request with.

        That asks no network: where only the role of a machine is left, it says so unasked.
        """
        account = self.account(**arguments)
        origins: dict[str, Origin] = dict(account.found.origins)
        origins["credentials"] = chain_source(account)
        return origins
