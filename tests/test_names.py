"""The names that others rely on stand where the design promises them."""

from __future__ import annotations

import tomllib
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path

import pytest

from headrace import errors, registry

ROOT = Path(__file__).parents[1]

MODULES = (  # of headrace
    "chat_models",
    "embeddings",
    "messages",
    "tools",
    "prompts",
    "output_parsers",
    "runnables",
    "callbacks",
    "rate_limiters",
    "caches",
    "credentials",
    "profiles",
    "errors",
    "testing",
)

CLASSES = {
    "headrace_openai": "ChatOpenAI AzureChatOpenAI ChatAzureAI OpenAICredential "
    "AzureOpenAICredential AzureAICredential DeepSeekCredential MoonshotCredential XAICredential",
    "headrace_anthropic": "ChatAnthropic ChatAnthropicBedrock ChatAnthropicVertex "
    "AnthropicCredential",
    "headrace_google": "ChatGoogleGenerativeAI GoogleCredential",
    "headrace_aws": "ChatBedrockConverse ChatBedrock AWSCredential",
    "headrace_ollama": "ChatOllama OllamaCredential",
    "headrace_mistral": "ChatMistralAI MistralCredential",
    "headrace": "AIMessage BaseChatModel ChatPromptTemplate HumanMessage RunnableConfig "
    "RunnableLambda RunnableParallel RunnablePassthrough StrOutputParser SystemMessage ToolMessage "
    "from_callable init_chat_model init_embeddings tool tool_loop Provider Timeout",
    "headrace.chat_models": "BaseChatModel FunctionChatModel from_callable init_chat_model",
    "headrace.runnables": "Runnable RunnableConfig RunnableLambda",
    "headrace.tools": "InjectedToolArg InjectedToolCallId ToolRuntime tool_loop",
    "headrace.credentials": "Credential credential_from_dict",
    "headrace.testing": "ScriptedChatModel FunctionChatModel forbid_requests",
    "headrace.testing.conformance": "ChatModelConformance",
}

PROVIDERS = (
    "openai",
    "azure_openai",
    "azure_ai",
    "anthropic",
    "google_genai",
    "google_vertexai",
    "bedrock",
    "bedrock_converse",
    "ollama",
    "huggingface",
    "mistralai",
    "dashscope",
    "offline",
    "deepseek",
    "moonshot",
    "xai",
    "groq",
    "together",
    "openrouter",
    "fireworks",
    "perplexity",
    "llama_api",
    "gemini_openai",
    "mistral_openai",
    "dashscope_openai",
    "vllm",
    "localai",
    "lmstudio",
    "ollama_openai",
    "openai_compatible",
)

ERRORS = {
    "HeadraceError": "ConfigurationError InputError SuspendedError WireError OutputParserError "
    "ToolError ToolLoopLimitError StructuredOutputError UsageLimitExceeded "
    "UnsupportedParameterError UnsupportedContentError ModelError",
    "ConfigurationError": "UnknownProviderError MissingPackageError MissingCredentialError",
    "ModelError": "ModelAuthenticationError ModelPermissionDeniedError ModelInvalidRequestError "
    "ModelNotFoundError ModelRateLimitError ModelAPIError ModelConnectionError ModelTimeoutError "
    "ModelRefusalError ContextOverflowError StreamInterruptedError",
}


@pytest.mark.parametrize("module", MODULES)
def test_a_promised_module_has_all_it_exports(module: str) -> None:
    found = import_module(f"headrace.{module}")
    assert [name for name in getattr(found, "__all__", ()) if not hasattr(found, name)] == []


@pytest.mark.parametrize("module", CLASSES)
def test_promised_names_stand_in_their_module(module: str) -> None:
    found = import_module(module)
    assert [name for name in CLASSES[module].split() if not hasattr(found, name)] == []


@pytest.mark.parametrize("parent", ERRORS)
def test_errors_stand_under_their_parent(parent: str) -> None:
    tree = vars(errors)
    children = ERRORS[parent].split()
    assert [name for name in children if not issubclass(tree[name], tree[parent])] == []


def test_every_promised_provider_is_installed_or_answered_with_its_package() -> None:
    assert [name for name in PROVIDERS if not registry.is_provider(name)] == []


@pytest.mark.parametrize(
    ("alias", "provider"),
    [("gemini", "google_genai"), ("mistral", "mistralai"), ("tongyi", "dashscope")],
)
def test_an_alias_leads_to_its_provider(alias: str, provider: str) -> None:
    assert registry.canonical(alias) == provider


def test_every_partner_of_the_repository_has_an_extra_and_is_in_all() -> None:
    project = tomllib.loads((ROOT / "libs/core/pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = {line.split("[")[0].split(">")[0] for name in extras for line in extras[name]}
    whole = {line.split("[")[0].split(">")[0] for line in extras["all"]}
    for path in (ROOT / "libs/partners").glob("*/pyproject.toml"):
        name = tomllib.loads(path.read_text("utf-8"))["project"]["name"]
        assert name in listed & whole


def test_every_package_carries_its_types_and_its_profiles() -> None:
    packages = {entry.value.split(":")[0].split(".")[0] for entry in _ours()}
    assert "headrace_openai" in packages
    for package in packages:
        assert files(package).joinpath("py.typed").is_file()
        folder = files(package).joinpath("profiles")
        assert any(file.name.endswith(".json") for file in folder.iterdir())
    core = files("headrace")
    data = ("py.typed", "providers.toml", "profiles/providers.toml")
    assert [name for name in data if not core.joinpath(name).is_file()] == []


def _ours() -> list[EntryPoint]:
    """What the partners of this repository register, and nobody else."""
    known = {path.name for path in (ROOT / "libs/partners").glob("*/src/headrace_*")}
    found = entry_points(group=registry.GROUP)
    return [entry for entry in found if entry.value.split(":")[0].split(".")[0] in known]


def test_models_are_made_from_where_ported_code_imports_the_makers() -> None:
    from headrace import init_chat_model, init_embeddings
    from headrace.chat_models import init_chat_model as same_models
    from headrace.embeddings import init_embeddings as same_embeddings

    assert (same_models, same_embeddings) == (init_chat_model, init_embeddings)
