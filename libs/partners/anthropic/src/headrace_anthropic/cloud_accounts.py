"""Accounts of the clouds that serve Claude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from headrace.credentials import Credential, Secret


class AnthropicBedrockCredential(Credential):
    """An account of AWS; what it does not say boto3 looks for. `api_key` is a bearer token."""

    provider: ClassVar[str] = "anthropic_bedrock"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("AWS_BEARER_TOKEN_BEDROCK",),
        "base_url": ("ANTHROPIC_BEDROCK_BASE_URL",),
        "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    }

    type: Literal["anthropic_bedrock_credential"] = "anthropic_bedrock_credential"
    region: str | None = Field(default=None, description="AWS region.")
    access_key_id: Secret | None = Field(default=None, description="AWS access key.")
    secret_access_key: Secret | None = Field(default=None, description="AWS secret key.")
    session_token: Secret | None = Field(default=None, description="Of temporary AWS keys.")
    profile_name: str | None = Field(default=None, description="Profile in the files of AWS.")


class AnthropicVertexCredential(Credential):
    """An account of Google Cloud; `api_key` is an access token, or a function that gives one."""

    provider: ClassVar[str] = "anthropic_vertex"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "base_url": ("ANTHROPIC_VERTEX_BASE_URL",),
        "project": ("ANTHROPIC_VERTEX_PROJECT_ID",),
        "region": ("CLOUD_ML_REGION",),
    }

    type: Literal["anthropic_vertex_credential"] = "anthropic_vertex_credential"
    project: str | None = Field(default=None, description="Google Cloud project.")
    region: str | None = Field(default=None, description="Region, or global.")
