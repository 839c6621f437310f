"""The dialects of Chat Completions: one row of data for each compatible service.

A row says where a service lives and how its wire differs from the conservative core (system
role, `max_tokens`, no `strict`). A service does not belong here when its differences need code,
such as another authentication or another path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from headrace.chat_models.prompt_caching import MarkPlace
from headrace.transport import ANY_ID, IdRule
from headrace_openai.call_ids import FORTY, NINE

ReasoningField = Literal["reasoning_content", "reasoning", "reasoning_details", "thinking"]
Media = Literal[
    "image_url",
    "image_data",
    "audio_data",
    "audio_url",
    "file_data",
    "file_url",
    "file_id",
    "video",
]
EffortStyle = Literal["effort", "object", "toggle", "enabled", "switch", "budget"]

_SAID: frozenset[MarkPlace] = frozenset({"system", "user", "tool"})
_IMAGES: frozenset[Media] = frozenset({"image_url", "image_data"})


# Compared and hashed as itself: a request asks often, and there is one of each.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """How one service speaks Chat Completions; `page` is the vendor's, read on `read`.

    Where `read` is empty the row stands on models.dev and recorded traffic alone.

    `keys`: environment variables that may hold the key, in order; `hosts`: exact hosts (with the
    port where the host alone says nothing). `media`: what content parts can carry, None if
    unknown (then all is sent). `extras`: keys of a part that go out beside its own, None: all.
    `takes`: parameters that the page documents; `lacks`: those the service refuses or ignores;
    `ranges`: (name, (least, most)). `responses`: what needs the Responses API goes there.
    `call_ids`: which ids of tool calls it takes;
    `effort`: see parameters.spell_effort; `levels`: words that the service translates itself for
    each model that reasons. `caching`: what is done about prompts that begin alike, None: not
    known; `cache_mark`: the key that marks the end of what to cache, `marks`: where it may stand.
    `base64_vectors`: embeddings come so; `dimensions`: their length.
    """

    id: str
    page: str
    read: str = "2026-11"
    base_url: str | None = None
    keys: tuple[str, ...] = ()
    key_required: bool = True
    hosts: tuple[str, ...] = ()
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    seed: Literal["seed", "random_seed"] = "seed"
    developer_role: bool = False
    names: bool = True
    strict: bool = False
    json_schema: bool = True
    stream_options: bool = True
    tools: bool = True
    parallel_tool_calls: bool = True
    allowed_tools: bool = False
    responses: bool = False
    effort: EffortStyle | None = "effort"
    levels: tuple[str, ...] = ()
    caching: Literal["itself", "key", "marks"] | None = None
    cache_mark: Literal["cache_control", "prompt_cache_breakpoint"] | None = None
    marks: frozenset[MarkPlace] = frozenset()
    base64_vectors: bool = False
    dimensions: Literal["dimensions", "output_dimension"] = "dimensions"
    takes: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, tuple[float | None, float | None]], ...] = ()
    reasoning_out: ReasoningField | None = None
    reasoning_with_calls: bool = False
    media: frozenset[Media] | None = None
    extras: frozenset[str] | None = None
    call_extras: frozenset[str] = frozenset()
    call_ids: IdRule = ANY_ID


_TOOLS = frozenset({"tools", "tool_choice"})
_SAMPLING = frozenset({"temperature", "top_p", "max_tokens", "stop"})
_PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})
_LOGPROBS = frozenset({"logprobs", "top_logprobs"})

_OPENAI_PAGE = (
    "https://developers.openai.com/api/reference/resources/chat/subresources/completions/"
    "methods/create"
)

OPENAI = Dialect(
    id="openai",
    page=_OPENAI_PAGE,
    base_url="https://api.openai.com/v1",
    keys=("OPENAI_API_KEY",),
    hosts=("api.openai.com", "us.api.openai.com", "eu.api.openai.com"),
    max_tokens="max_completion_tokens",
    developer_role=True,
    strict=True,
    allowed_tools=True,
    responses=True,
    caching="key",
    cache_mark="prompt_cache_breakpoint",
    marks=_SAID,
    base64_vectors=True,
    takes=_SAMPLING
    | _PENALTIES
    | _LOGPROBS
    | _TOOLS
    | {
        "audio",
        "json_mode",
        "json_schema",
        "logit_bias",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "safety_identifier",
        "seed",
        "service_tier",
        "store",
        "user",
        "verbosity",
        "web_search_options",
    },
    media=_IMAGES | {"audio_data", "file_data", "file_id"},
    extras=frozenset({"prompt_cache_breakpoint"}),
    call_ids=FORTY,
)

# What an unknown host gets: only what every server is known to take, and no key of anybody's.
COMPATIBLE = Dialect(
    id="openai_compatible",
    page=_OPENAI_PAGE,
    key_required=False,
    cache_mark="cache_control",  # gateways take it
    marks=_SAID | {"tools"},
    call_extras=frozenset({"extra_content"}),
)

# How each caches prompts: the pages stand in docs/prompt-caching.md.
_ROWS = (
    OPENAI,
    COMPATIBLE,
    Dialect(
        # With tools, an assistant turn without its `reasoning_content` is a 400; JSON mode has
        # no schema; `thinking` switches reasoning, on by default.
        id="deepseek",
        page="https://api-docs.deepseek.com/guides/thinking_mode",
        base_url="https://api.deepseek.com",
        keys=("DEEPSEEK_API_KEY",),
        hosts=("api.deepseek.com",),
        json_schema=False,
        parallel_tool_calls=False,
        effort="toggle",
        caching="itself",
        takes=_SAMPLING | _PENALTIES | _LOGPROBS | _TOOLS | {"json_mode", "reasoning_effort"},
        reasoning_out="reasoning_content",
        reasoning_with_calls=True,
        media=frozenset(),
        extras=frozenset(),
    ),
    Dialect(
        # "thinking is enabled but reasoning_content is missing in assistant tool call message".
        # `thinking` {"type"} switches reasoning; parameters by model:
        # https://platform.kimi.ai/docs/api/models-overview (read 2026-11)
        id="moonshot",
        page="https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model",
        base_url="https://api.moonshot.ai/v1",
        keys=("MOONSHOT_API_KEY",),
        hosts=("api.moonshot.ai", "api.moonshot.cn"),
        max_tokens="max_completion_tokens",
        effort="switch",
        caching="itself",
        takes=_SAMPLING | _PENALTIES | _TOOLS | {"n"},
        reasoning_out="reasoning_content",
        media=_IMAGES | {"video"},
        extras=frozenset(),
    ),
    Dialect(
        id="xai",
        page="https://docs.x.ai/docs/api-reference",
        read="",
        base_url="https://api.x.ai/v1",
        keys=("XAI_API_KEY",),
        hosts=("api.x.ai", "us-east-1.api.x.ai", "eu-west-1.api.x.ai"),
        max_tokens="max_completion_tokens",
        caching="itself",
        takes=_SAMPLING
        | _PENALTIES
        | _LOGPROBS
        | _TOOLS
        | {
            "json_mode",
            "json_schema",
            "n",
            "parallel_tool_calls",
            "seed",
        },
        media=_IMAGES,
        extras=frozenset(),
    ),
    Dialect(
        # `messages[].name`, `logprobs`, `top_logprobs` and `logit_bias` give a 400, and so does
        # any `n` but 1.
        id="groq",
        page="https://console.groq.com/docs/openai",
        base_url="https://api.groq.com/openai/v1",
        keys=("GROQ_API_KEY",),
        hosts=("api.groq.com",),
        max_tokens="max_completion_tokens",
        names=False,
        caching="itself",
        takes=_SAMPLING | _PENALTIES | _TOOLS | {"json_mode", "json_schema", "seed"},
        lacks=_LOGPROBS | {"logit_bias"},
        ranges=(("n", (1, 1)),),
        media=_IMAGES,
        extras=frozenset(),
    ),
    Dialect(
        # `reasoning` {"enabled"} switches hybrid models:
        # https://docs.together.ai/docs/inference/chat/reasoning (read 2026-11)
        id="together",
        page="https://docs.together.ai/docs/inference/openai-compatibility",
        base_url="https://api.together.ai/v1",
        keys=("TOGETHER_API_KEY",),
        hosts=("api.together.xyz", "api.together.ai"),
        effort="enabled",
        caching="itself",
        takes=_SAMPLING | _TOOLS,
        media=_IMAGES | {"video", "audio_url", "audio_data"},
        extras=frozenset(),
    ),
    Dialect(
        # `reasoning_details` go back unchanged and in order, else thinking breaks off.
        id="openrouter",
        page="https://openrouter.ai/docs/use-cases/reasoning-tokens",
        base_url="https://openrouter.ai/api/v1",
        keys=("OPENROUTER_API_KEY",),
        hosts=("openrouter.ai",),
        developer_role=True,
        strict=True,
        effort="object",
        caching="marks",
        cache_mark="cache_control",
        marks=_SAID | {"tools"},
        # https://openrouter.ai/docs/parameters (read 2026-11)
        takes=_SAMPLING
        | _PENALTIES
        | _LOGPROBS
        | _TOOLS
        | {
            "json_mode",
            "json_schema",
            "logit_bias",
            "parallel_tool_calls",
            "seed",
            "verbosity",
        },
        reasoning_out="reasoning_details",
        media=_IMAGES | {"audio_data", "file_data", "file_url", "video"},
        extras=frozenset({"cache_control"}),
    ),
    Dialect(
        id="fireworks",
        page="https://docs.fireworks.ai/guides/reasoning",
        base_url="https://api.fireworks.ai/inference/v1",
        keys=("FIREWORKS_API_KEY",),
        hosts=("api.fireworks.ai",),
        levels=("none", "low", "medium", "high"),
        caching="itself",
        takes=_SAMPLING | _TOOLS,
        reasoning_out="reasoning_content",
        media=_IMAGES,
        extras=frozenset(),
    ),
    Dialect(
        id="perplexity",
        page="https://docs.perplexity.ai/docs/sonar/openai-compatibility",
        base_url="https://api.perplexity.ai",
        keys=("PERPLEXITY_API_KEY",),
        hosts=("api.perplexity.ai",),
        names=False,
        takes=_SAMPLING | {"json_schema", "web_search_options"},
        tools=False,
        stream_options=False,  # every chunk carries the usage so far
        media=_IMAGES | {"file_url"},
        extras=frozenset(),
    ),
    Dialect(
        id="llama_api",
        page="https://llama.developer.meta.com/docs/features/compatibility",
        read="",
        base_url="https://api.llama.com/compat/v1",
        keys=("LLAMA_API_KEY",),
        hosts=("api.llama.com", "llama-api.meta.com"),
        max_tokens="max_completion_tokens",
        parallel_tool_calls=False,
        effort=None,
        media=_IMAGES,
        extras=frozenset(),
    ),
    Dialect(
        # Thought signatures ride in `extra_content` of a tool call and must come back. Effort is
        # a level for all models, mapped to 1024, 8192 or 24576 tokens where they take budgets.
        # `seed` and penalties: 400, Unknown name (github.com/Vali-98/ChatterUI/issues/227,
        # github.com/sleepydeer666/RPGBox/issues/2; read 2026-11).
        id="gemini_openai",
        page="https://ai.google.dev/gemini-api/docs/openai",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        hosts=("generativelanguage.googleapis.com",),
        names=False,
        parallel_tool_calls=False,
        levels=("none", "low", "medium", "high"),
        caching="itself",
        takes=_SAMPLING | _TOOLS | {"json_mode", "json_schema", "n", "reasoning_effort"},
        lacks=_PENALTIES | {"seed"},
        media=_IMAGES | {"audio_data", "file_data"},
        extras=frozenset(),
        call_extras=frozenset({"extra_content"}),
    ),
    Dialect(
        # Unknown fields give a 422; usage comes with the last chunk unasked; reasoning is a
        # content chunk of type `thinking`, in both directions. What there is, by its OpenAPI:
        # https://docs.rs/crate/mistral-openapi-client (ChatCompletionRequest, read 2026-11)
        id="mistral_openai",
        page="https://docs.mistral.ai/api",
        read="",
        base_url="https://api.mistral.ai/v1",
        keys=("MISTRAL_API_KEY",),
        hosts=("api.mistral.ai",),
        seed="random_seed",
        dimensions="output_dimension",  # https://docs.mistral.ai/api/endpoint/embeddings
        call_ids=NINE,
        names=False,
        strict=True,
        stream_options=False,
        caching="key",
        takes=_SAMPLING
        | _PENALTIES
        | _TOOLS
        | {
            "json_mode",
            "json_schema",
            "n",
            "parallel_tool_calls",
            "prediction",
            "seed",
        },
        lacks=_LOGPROBS
        | {
            "audio",
            "logit_bias",
            "modalities",
            "moderation",
            "prompt_cache_options",
            "prompt_cache_retention",
            "safety_identifier",
            "service_tier",
            "store",
            "user",
            "verbosity",
            "web_search_options",
        },
        reasoning_out="thinking",
        media=_IMAGES | {"audio_data", "audio_url", "file_url", "file_data"},
        extras=frozenset(),
    ),
    Dialect(
        id="dashscope_openai",
        page="https://help.aliyun.com/en/model-studio/deep-thinking",
        base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
        keys=("DASHSCOPE_API_KEY",),
        hosts=(
            "dashscope.aliyuncs.com",
            "dashscope-intl.aliyuncs.com",
            "dashscope-us.aliyuncs.com",
            "cn-hongkong.dashscope.aliyuncs.com",
        ),
        effort="budget",
        caching="marks",
        cache_mark="cache_control",
        marks=_SAID,
        takes=_SAMPLING | _TOOLS | {"json_mode", "presence_penalty", "seed"},
        media=_IMAGES | {"audio_data", "audio_url", "video"},
        extras=frozenset({"cache_control"}),
    ),
    Dialect(
        id="vllm",
        page="https://docs.vllm.ai/en/latest/features/interleaved_thinking/",
        base_url="http://localhost:8000/v1",
        keys=("VLLM_API_KEY",),
        key_required=False,
        developer_role=True,
        caching="itself",
        reasoning_out="reasoning",
        media=_IMAGES | {"audio_data", "audio_url", "video"},
    ),
    Dialect(
        id="localai",
        page="https://localai.io/features/interleaved-thinking/",
        base_url="http://localhost:8080/v1",
        keys=("LOCALAI_API_KEY",),
        key_required=False,
        reasoning_out="reasoning",
        media=_IMAGES | {"audio_data", "video"},
    ),
    Dialect(
        id="lmstudio",
        page="https://lmstudio.ai/docs/developer/openai-compat/chat-completions",
        base_url="http://localhost:1234/v1",
        keys=("LMSTUDIO_API_KEY",),
        key_required=False,
        hosts=("localhost:1234", "127.0.0.1:1234"),
        media=_IMAGES,
    ),
    Dialect(
        id="ollama_openai",
        page="https://docs.ollama.com/api/openai-compatibility",
        base_url="http://localhost:11434/v1",
        keys=("OLLAMA_API_KEY",),
        key_required=False,
        hosts=("localhost:11434", "127.0.0.1:11434", "ollama.com"),
        parallel_tool_calls=False,
        # Its request has no such fields, and an image by URL is an "invalid image input":
        # https://github.com/ollama/ollama/blob/main/openai/openai.go (read 2026-11)
        takes=_SAMPLING | _PENALTIES | {"json_mode", "json_schema", "seed", "tools"},
        lacks=frozenset({"logit_bias", "n", "tool_choice", "user"}),
        levels=("none", "low", "medium", "high"),
        reasoning_out="reasoning",
        media=frozenset({"image_data"}),
    ),
)

DIALECTS: dict[str, Dialect] = {row.id: row for row in _ROWS}
_BY_HOST = {host: row for row in _ROWS for host in row.hosts}


@lru_cache(maxsize=256)  # each request asks nine times, and a program has few addresses
def dialect_of(base_url: str | None) -> Dialect:
    """The dialect spoken at a base URL, by its exact host; unknown hosts get COMPATIBLE."""
    if not base_url:
        return OPENAI
    parts = urlsplit(base_url if "//" in base_url else f"//{base_url}")
    host = (parts.hostname or "").lower()
    place = parts.netloc.rpartition("@")[2].lower()
    return _BY_HOST.get(place) or _BY_HOST.get(host) or COMPATIBLE
