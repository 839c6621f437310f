from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from headrace import init_chat_model, registry
from headrace.errors import (
    ConfigurationError,
    InputError,
    MissingPackageError,
    UnknownProviderError,
)
from headrace.init import split_name
from headrace.runnables import ConfigurableField, ConfigurableFieldSingleOption
from headrace.testing import OfflineChatModel


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("offline:demo", "offline", "demo"),
        ("openai:gpt-5", "openai", "gpt-5"),
        ("mistral:large", "mistralai", "large"),
        ("google-genai:gemini-3", "google_genai", "gemini-3"),
        ("gpt-5-mini", "openai", "gpt-5-mini"),
        ("o4-mini", "openai", "o4-mini"),
        ("codex-mini", "openai", "codex-mini"),
        ("ft:gpt-4o:acme::id", "openai", "ft:gpt-4o:acme::id"),
        ("claude-opus-4-6", "anthropic", "claude-opus-4-6"),
        ("gemini-3-pro", "google_genai", "gemini-3-pro"),
        ("us.anthropic.claude-x-v1:0", "bedrock_converse", "us.anthropic.claude-x-v1:0"),
        ("amazon.nova-pro-v1:0", "bedrock_converse", "amazon.nova-pro-v1:0"),
        ("qwen3:8b", "ollama", "qwen3:8b"),
        ("llama3.2:latest", "ollama", "llama3.2:latest"),
        ("Llama-4-Scout", "llama_api", "Llama-4-Scout"),
        ("magistral-medium", "mistralai", "magistral-medium"),
        ("qwen-plus", "dashscope", "qwen-plus"),
        ("deepseek-reasoner", "deepseek", "deepseek-reasoner"),
        ("kimi-k2", "moonshot", "kimi-k2"),
        ("grok-4", "xai", "grok-4"),
        ("sonar-pro", "perplexity", "sonar-pro"),
    ],
)
def test_a_name_leads_to_its_provider(name: str, provider: str, model: str) -> None:
    assert split_name(name, None, None) == (provider, model)


@pytest.mark.parametrize("name", ["gpt-oss-120b", "llama3.2", "org/name", "my-own-model"])
def test_a_name_that_nobody_or_several_claim_is_not_guessed(name: str) -> None:
    with pytest.raises(UnknownProviderError, match=f"which provider serves model `{name}`"):
        init_chat_model(name)


def test_the_candidates_of_an_ambiguous_name_are_listed() -> None:
    with pytest.raises(UnknownProviderError, match="`openrouter:org/name`"):
        init_chat_model("org/name")


def test_a_given_provider_wins_over_the_name() -> None:
    assert split_name("qwen3:8b", "vllm", None) == ("vllm", "qwen3:8b")
    assert split_name("openai:gpt-5", "openai", None) == ("openai", "gpt-5")


def test_a_missing_package_is_answered_with_the_pip_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_installed", lambda: {"offline": registry.OFFLINE})
    with pytest.raises(MissingPackageError, match="pip install headrace-anthropic"):
        init_chat_model("claude-opus-4-6")


def test_an_unknown_provider_is_answered_with_the_nearest_and_the_installed() -> None:
    with pytest.raises(UnknownProviderError) as found:
        init_chat_model("m", model_provider="antropic")
    assert "(did you mean `anthropic`?)" in str(found.value)
    assert "`offline`" in str(found.value)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"model": ""}, InputError),
        ({"model": "offline:demo", "config_prefix": "x"}, InputError),
        ({"model": "offline:demo", "temprature": 1}, InputError),
        ({"model": "offline:demo", "configurable_fields": "all"}, InputError),
    ],
)
def test_bad_arguments_are_typed_errors(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        init_chat_model(**arguments)


def wheel(folder: Path) -> Path:
    """A wheel of a third-party package with a model, a provider and its entry point."""
    path = folder / "acme_models-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(
            "acme_models.py",
            "from headrace import AIMessage, BaseChatModel, Provider\n"
            "class ChatAcme(BaseChatModel):\n"
            "    async def _generate(self, messages, settings, run):\n"
            "        return AIMessage('acme says ' + messages[-1].text)\n"
            "PROVIDER = Provider('acme', ChatAcme, prefixes=('acme-',), hosts=('acme.test',))\n",
        )
        info = "acme_models-1.0.dist-info/"
        made.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: acme-models\nVersion: 1.0\n")
        made.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(
            info + "entry_points.txt", "[headrace.providers]\nacme = acme_models:PROVIDER\n"
        )
        made.writestr(info + "RECORD", "")
    return path


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The third-party package, really installed, into a folder of the test's own."""
    target = tmp_path / "site"
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
        subprocess.run([*command, "--target", str(target), str(wheel(tmp_path))], check=True)
    else:
        zipfile.ZipFile(wheel(tmp_path)).extractall(target)
    monkeypatch.syspath_prepend(str(target))
    registry.refresh()
    yield
    registry.refresh()


@pytest.mark.usefixtures("acme")
def test_a_third_party_package_registers_like_our_own(world: Any) -> None:
    assert "acme" in registry.installed_providers()
    assert world.invoke(init_chat_model("acme:one"), "hi").text == "acme says hi"
    assert world.invoke(init_chat_model("acme-large"), "hi").text == "acme says hi"
    assert split_name("m", None, "https://acme.test/v1") == ("acme", "m")


def test_a_base_url_decides_by_its_exact_host() -> None:
    assert split_name("m", None, "https://evil.test/api.openai.com/v1")[0] == "openai_compatible"
    with pytest.raises(ConfigurationError, match="`base_url` is a URL"):
        split_name("m", None, "nowhere")


def test_without_a_model_the_call_decides(world: Any) -> None:
    model = init_chat_model()
    chosen = {"configurable": {"model": "offline:other"}}
    assert world.invoke(model, "hi", chosen).response_metadata["model_name"] == "other"
    with pytest.raises(ConfigurationError, match="no model is set"):
        world.invoke(model, "hi")


def test_what_is_bound_to_an_undecided_model_is_kept_for_the_one_decided(world: Any) -> None:
    model = init_chat_model().bind_tools(
        [{"name": "weather", "description": "Weather of a city", "parameters": {}}]
    )
    answer = world.invoke(model, "the weather", {"configurable": {"model": "offline:demo"}})
    assert answer.tool_calls[0]["name"] == "weather"
    shaped = init_chat_model().with_structured_output({"title": "T", "type": "object"})
    assert world.invoke(shaped, "x", {"configurable": {"model": "offline:demo"}}) == {}


def test_a_prefix_tells_two_configurable_models_apart(world: Any) -> None:
    model = init_chat_model("offline:a", configurable_fields=("model",), config_prefix="first")
    configured = {"configurable": {"first_model": "offline:b", "model": "offline:c"}}
    assert world.invoke(model, "x", configured).response_metadata["model_name"] == "b"


def test_one_model_is_made_for_each_distinct_configuration(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def make(**params: Any) -> OfflineChatModel:
        made.append(params)
        return OfflineChatModel(**params)

    offline = registry.Provider("offline", make)
    monkeypatch.setattr("headrace.init.find_provider", lambda name: offline)
    model = init_chat_model("offline:a", configurable_fields=("temperature",))
    for temperature in (0.1, 0.2, 0.1, 0.2):
        world.invoke(model, "x", {"configurable": {"temperature": temperature}})
    assert [params["temperature"] for params in made if "temperature" in params] == [0.1, 0.2]


def test_any_field_is_configurable_but_not_where_the_prompt_goes(world: Any) -> None:
    model = init_chat_model("offline:a", configurable_fields="any")
    for key in ("api_key", "base_url"):
        with pytest.raises(InputError, match=f"`{key}` is not configurable"):
            world.invoke(model, "x", {"configurable": {key: "http://elsewhere.test"}})
    named = init_chat_model("offline:a", configurable_fields=("base_url",))
    assert world.invoke(named, "x", {"configurable": {"base_url": "http://ok.test"}}).text == "x"


def test_the_schema_of_a_configurable_model_names_its_values() -> None:
    model = init_chat_model("offline:a", configurable_fields=("temperature",), config_prefix="m")
    assert list(model.get_config_jsonschema()["properties"]) == ["m_temperature"]
    fields = OfflineChatModel().configurable_fields(max_tokens=ConfigurableField("limit"))
    assert list(fields.bind(temperature=1).get_config_jsonschema()["properties"]) == ["limit"]


def test_options_of_a_configurable_field_are_named_by_their_keys(world: Any) -> None:
    size = ConfigurableFieldSingleOption("size", {"short": 1, "long": 3}, "short")
    model = OfflineChatModel().configurable_fields(max_tokens=size)
    assert world.invoke(model, "a b c d").text == "a"
    assert world.invoke(model, "a b c d", {"configurable": {"size": "long"}}).text == "a b c"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("opnai:gpt-5-mini", "`openai:gpt-5-mini`"),
        ("antropic:claude-sonnet-5", "`anthropic:claude-sonnet-5`"),
    ],
)
def test_a_misspelt_provider_is_no_model_with_a_tag(name: str, meant: str) -> None:
    with pytest.raises(UnknownProviderError, match=meant):
        init_chat_model(name)


@pytest.mark.parametrize("name", ["qwen3:8b", "mixtral:8x7b", "llava:v1.6-mistral-7b"])
def test_a_tag_of_downloaded_weights_stays_one(name: str) -> None:
    assert registry.infer_provider(name) == "ollama"
