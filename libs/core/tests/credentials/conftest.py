"""A third-party provider, written as its author would, known to the registry for each test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import pytest

from headrace import AIMessage, BaseChatModel, Provider, registry
from headrace.credentials import Credential, Secret


class AcmeCredential(Credential):
    provider: ClassVar[str] = "acme"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("ACME_API_KEY", "ACME_TOKEN"),
        "base_url": ("ACME_URL",),
    }
    defaults: ClassVar[Mapping[str, str]] = {"base_url": "https://api.acme.test/v1"}
    type: Literal["acme_credential"] = "acme_credential"
    seal: Secret | None = None
    region: str | None = None


class ChatAcme(BaseChatModel):
    provider: ClassVar[str] = "acme"

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        assert self.credential is not None
        found = self.credential.resolve(api_key=self.api_key, base_url=self.base_url)
        return AIMessage(f"{found.require('api_key', 'acme')} at {found.values['base_url']}")


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ACME_API_KEY", "ACME_TOKEN", "ACME_URL"):
        monkeypatch.delenv(name, raising=False)
    provider = Provider("acme", ChatAcme, credential=AcmeCredential)
    monkeypatch.setattr(registry, "_installed", lambda: {"acme": provider})
    registry.credential_types.cache_clear()
    registry._loaded.cache_clear()
    yield
    registry.credential_types.cache_clear()
    registry._loaded.cache_clear()


@pytest.fixture
def kind() -> type[AcmeCredential]:
    return AcmeCredential
