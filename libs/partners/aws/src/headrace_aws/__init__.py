"""headrace for Amazon Bedrock."""

from __future__ import annotations

from headrace_aws.chat import ChatBedrock, ChatBedrockConverse
from headrace_aws.credentials import AWSCredential

__all__ = ["AWSCredential", "ChatBedrock", "ChatBedrockConverse"]
