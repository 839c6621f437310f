"""Credentials of OpenAI and of each compatible service of the table of dialects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import Field

from headrace.credentials import Credential
from headrace_openai.dialects import DIALECTS, OPENAI, Dialect


class OpenAICredential(Credential):
    """An account of OpenAI, or of a gateway that stands for it."""

    provider: ClassVar[str] = "openai"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": OPENAI.keys,
        "base_url": ("OPENAI_BASE_URL",),
        "organization": ("OPENAI_ORG_ID",),
        "project": ("OPENAI_PROJECT_ID",),
    }
    defaults: ClassVar[Mapping[str, str]] = {"base_url": str(OPENAI.base_url)}

    type: Literal["openai_credential"] = "openai_credential"
    organization: str | None = Field(default=None, description="Organization that pays.")
    project: str | None = Field(default=None, description="Project that pays.")


class DialectCredential(Credential):
    """An account of a service of the table; what it knows comes from its row."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        row = DIALECTS[cls.provider]
        cls.variables = {"api_key": row.keys}
        cls.defaults = {} if row.base_url is None else {"base_url": row.base_url}


class DeepSeekCredential(DialectCredential):
    provider: ClassVar[str] = "deepseek"
    type: Literal["deepseek_credential"] = "deepseek_credential"


class MoonshotCredential(DialectCredential):
    provider: ClassVar[str] = "moonshot"
    type: Literal["moonshot_credential"] = "moonshot_credential"


class XAICredential(DialectCredential):
    provider: ClassVar[str] = "xai"
    type: Literal["xai_credential"] = "xai_credential"


class GroqCredential(DialectCredential):
    provider: ClassVar[str] = "groq"
    type: Literal["groq_credential"] = "groq_credential"


class TogetherCredential(DialectCredential):
    provider: ClassVar[str] = "together"
    type: Literal["together_credential"] = "together_credential"


class OpenRouterCredential(DialectCredential):
    provider: ClassVar[str] = "openrouter"
    type: Literal["openrouter_credential"] = "openrouter_credential"


class FireworksCredential(DialectCredential):
    provider: ClassVar[str] = "fireworks"
    type: Literal["fireworks_credential"] = "fireworks_credential"


class PerplexityCredential(DialectCredential):
    provider: ClassVar[str] = "perplexity"
    type: Literal["perplexity_credential"] = "perplexity_credential"


class LlamaAPICredential(DialectCredential):
    provider: ClassVar[str] = "llama_api"
    type: Literal["llama_api_credential"] = "llama_api_credential"


class GeminiOpenAICredential(DialectCredential):
    provider: ClassVar[str] = "gemini_openai"
    type: Literal["gemini_openai_credential"] = "gemini_openai_credential"


class MistralOpenAICredential(DialectCredential):
    provider: ClassVar[str] = "mistral_openai"
    type: Literal["mistral_openai_credential"] = "mistral_openai_credential"


class DashScopeOpenAICredential(DialectCredential):
    provider: ClassVar[str] = "dashscope_openai"
    type: Literal["dashscope_openai_credential"] = "dashscope_openai_credential"


class VLLMCredential(DialectCredential):
    provider: ClassVar[str] = "vllm"
    type: Literal["vllm_credential"] = "vllm_credential"


class LocalAICredential(DialectCredential):
    provider: ClassVar[str] = "localai"
    type: Literal["localai_credential"] = "localai_credential"


class LMStudioCredential(DialectCredential):
    provider: ClassVar[str] = "lmstudio"
    type: Literal["lmstudio_credential"] = "lmstudio_credential"


class OllamaOpenAICredential(DialectCredential):
    provider: ClassVar[str] = "ollama_openai"
    type: Literal["ollama_openai_credential"] = "ollama_openai_credential"


class OpenAICompatibleCredential(DialectCredential):
    """A service that nobody's row describes: nothing of it is read from the environment."""

    provider: ClassVar[str] = "openai_compatible"
    type: Literal["openai_compatible_credential"] = "openai_compatible_credential"


def __getattr__(name: str) -> type[Credential]:
    """A kind of credential by its provider's id, as the registry names it."""
    if name in CREDENTIALS:
        return CREDENTIALS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_KINDS: list[type[Credential]] = [OpenAICredential, *DialectCredential.__subclasses__()]
CREDENTIALS: dict[str, type[Credential]] = {kind.provider: kind for kind in _KINDS}


@cache
@cache  # one for each row of the table: it says only where to look
def own_credential(row: Dialect) -> Credential:
    """What the environment says of a service's account."""
    kind: type[Any] = CREDENTIALS[row.id]
    credential: Credential = kind()
    return credential
