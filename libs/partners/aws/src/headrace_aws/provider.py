"""The providers that this package registers: Bedrock, under both of its names."""

from __future__ import annotations

from headrace.registry import Provider


def _provider(name: str) -> Provider:
    return Provider(
        name,
        "headrace_aws.chat:ChatBedrockConverse",
        credential="headrace_aws.credentials:AWSCredential",
        package="headrace-aws",
    )


bedrock_converse = _provider("bedrock_converse")
bedrock = _provider("bedrock")
