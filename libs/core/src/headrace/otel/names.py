"""Names of the GenAI semantic conventions, as strings: the packaged ones are deprecated.

Source: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md,
gen-ai-metrics.md and the JSON Schemas beside them (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
CONVERSATION: Final = "gen_ai.conversation.id"
OUTPUT_TYPE: Final = "gen_ai.output.type"
REQUEST_MODEL: Final = "gen_ai.request.model"
STREAM: Final = "gen_ai.request.stream"
CHOICES: Final = "gen_ai.request.choice.count"
STOP: Final = "gen_ai.request.stop_sequences"
DIMENSIONS: Final = "gen_ai.embeddings.dimension.count"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
TOKEN_TYPE: Final = "gen_ai.token.type"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
WORKFLOW: Final = "gen_ai.workflow.name"
ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

# Ours, for what the conventions have no name for.
COST: Final = "headrace.cost_usd"
CACHED: Final = "headrace.cached"

# Parameters by neutral name, and whether the attribute is a double.
PARAMETERS: Final[Mapping[str, tuple[str, bool]]] = {
    "max_tokens": ("gen_ai.request.max_tokens", False),
    "seed": ("gen_ai.request.seed", False),
    "temperature": ("gen_ai.request.temperature", True),
    "top_p": ("gen_ai.request.top_p", True),
    "top_k": ("gen_ai.request.top_k", True),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", True),
    "presence_penalty": ("gen_ai.request.presence_penalty", True),
}

# Figures of usage: where they stand in ours, and their attribute.
USAGE: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("input_tokens",), "gen_ai.usage.input_tokens"),
    (("output_tokens",), "gen_ai.usage.output_tokens"),
    (("input_token_details", "cache_read"), "gen_ai.usage.cache_read.input_tokens"),
    (("input_token_details", "cache_creation"), "gen_ai.usage.cache_creation.input_tokens"),
    (("input_token_details", "audio"), "gen_ai.usage.audio.input_tokens"),
    (("input_token_details", "image"), "gen_ai.usage.image.input_tokens"),
    (("input_token_details", "text"), "gen_ai.usage.text.input_tokens"),
    (("input_token_details", "video"), "gen_ai.usage.video.input_tokens"),
    (("output_token_details", "audio"), "gen_ai.usage.audio.output_tokens"),
    (("output_token_details", "text"), "gen_ai.usage.text.output_tokens"),
    (("output_token_details", "reasoning"), "gen_ai.usage.reasoning.output_tokens"),
)

# Providers that the conventions name otherwise than we do; all others are named as ours.
PROVIDERS: Final[Mapping[str, str]] = {
    "azure_openai": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "google_genai": "gcp.gemini",
    "gemini_openai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "mistralai": "mistral_ai",
    "mistral_openai": "mistral_ai",
    "moonshot": "moonshot_ai",
    "xai": "x_ai",
}

TOKEN_USAGE: Final = "gen_ai.client.token.usage"
DURATION: Final = "gen_ai.client.operation.duration"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.client.operation.time_to_first_chunk"
TOOL_DURATION: Final = "gen_ai.execute_tool.duration"

# Bounds of the buckets that the conventions ask for.
TOKEN_BUCKETS: Final = tuple(4**power for power in range(14))
SECOND_BUCKETS: Final = tuple(round(0.01 * 2**power, 2) for power in range(14))

# Finish reasons of messages, where the conventions spell them otherwise.
FINISH: Final[Mapping[str, str]] = {"tool_calls": "tool_call", "refusal": "content_filter"}
ROLES: Final[Mapping[str, str]] = {"human": "user", "ai": "assistant", "developer": "system"}
