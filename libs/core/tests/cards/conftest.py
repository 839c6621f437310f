"""A third-party provider with a data file of profiles, known to the registry for each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from headrace import AIMessage, BaseChatModel, Provider, registry
from headrace.credentials import Credential
from headrace.embeddings import EmbeddingResult, Embeddings
from headrace.profiles import files

MODELS = {
    "thinker": {
        "name": "Thinker", "family": "think", "context_size": 1000, "max_output_tokens": 400,
        "text_inputs": True, "image_inputs": True, "text_outputs": True, "audio_outputs": False,
        "reasoning_output": True, "reasoning_effort_levels": ["low", "high"],
        "reasoning_budget": False, "reasoning_toggle": False, "temperature": False,
        "tool_calling": True, "cost": {"input": 1, "output": 2},
    },
    "talker": {
        "name": "Talker", "max_output_tokens": 100, "text_inputs": True, "text_outputs": True,
        "audio_outputs": True, "reasoning_output": False, "temperature": True,
        "parameters": {"temperature": {"maximum": 1}, "top_p": False}, "tool_calling": False,
    },
    "old": {
        "name": "Old", "text_outputs": True, "status": "deprecated",
        "deprecation_date": "2020-01-01", "successor": "thinker",
    },
    "leaving": {"name": "Leaving", "text_outputs": True, "deprecation_date": "2999-01-01"},
    "vector": {
        "name": "Vector", "text_inputs": True, "text_outputs": False, "embedding_dimensions": 3,
        "max_input_tokens": 20, "cost": {"input": 1}, "max_batch_size": 2,
        "parameters": {"dimensions": {"values": [3, 2]}},
    },
    "flat": {
        "name": "Flat", "text_outputs": False, "embedding_dimensions": 5,
        "parameters": {"dimensions": False}, "deprecation_date": "2020-01-01",
    },
}  # fmt: skip


class AcmeCredential(Credential):
    provider: ClassVar[str] = "acme"
    type: Literal["acme_credential"] = "acme_credential"


class ChatAcme(BaseChatModel):
    provider: ClassVar[str] = "acme"
    top_p: float | None = Field(default=None, ge=0, le=1, description="Nucleus.")
    audio: dict[str, str] | None = None
    logit_bias: dict[str, int] | None = None
    parallel_tool_calls: bool | None = None
    verbosity: Literal["low", "high"] | None = None
    tag: str | None = Field(default=None, max_length=3)
    kinds: tuple[Literal["a", "b"], ...] | None = None
    loud: bool = False

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        return AIMessage("hi")

    async def served_models(self, io: Any) -> list[str]:
        await io.sleep(0)
        assert self.credential is None or self.credential.name == "mine"
        return ["thinker", "brand-new", "vector"]


class AcmeEmbeddings(Embeddings):
    provider: ClassVar[str] = "acme"
    flavour: Literal["plain", "rich"] | None = None

    async def _embed(self, texts: list[str], settings: Any, run: Any) -> EmbeddingResult:
        length = settings.params.get("dimensions", 3)
        return EmbeddingResult([[0.0] * length for _ in texts])

    async def served_models(self, io: Any) -> list[str]:
        return ["thinker", "vector", "brand-new"]


@pytest.fixture(autouse=True)
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[ChatAcme]]:
    place = tmp_path / "acme"
    (place / "profiles").mkdir(parents=True)
    data = {"source": "test", "provider": {"name": "Acme Inc."}, "models": MODELS}
    (place / "profiles" / "acme.json").write_text(json.dumps(data))
    monkeypatch.setattr(ChatAcme, "profiles", (str(place),))
    monkeypatch.setattr(AcmeEmbeddings, "profiles", (str(place),))
    provider = Provider("acme", ChatAcme, AcmeEmbeddings, credential=AcmeCredential, package="acme")
    monkeypatch.setattr(registry, "_installed", lambda: {"acme": provider})
    _forget()
    yield ChatAcme
    _forget()


def _forget() -> None:
    files.forget()
    registry.credential_types.cache_clear()
    registry._loaded.cache_clear()


@pytest.fixture
def credential() -> AcmeCredential:
    return AcmeCredential(name="mine")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cards"
    made.mkdir()
    return made
