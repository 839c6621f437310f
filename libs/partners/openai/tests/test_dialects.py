from __future__ import annotations

import pytest

from headrace.errors import ConfigurationError, MissingCredentialError
from headrace.transport import host_of
from headrace_openai.dialects import COMPATIBLE, DIALECTS, Dialect, dialect_of
from headrace_openai.place import find_place


@pytest.mark.parametrize("row", DIALECTS.values(), ids=lambda row: row.id)
def test_each_row_says_where_it_is_and_on_what_page(row: Dialect) -> None:
    assert row.page.startswith("https://")
    assert row.keys or row is COMPATIBLE
    assert row is COMPATIBLE or row.base_url is not None
    if row.base_url is not None and "localhost" not in row.base_url:
        assert dialect_of(row.base_url) is row


def test_hosts_belong_to_one_row_each() -> None:
    hosts = [host for row in DIALECTS.values() for host in row.hosts]
    assert len(hosts) == len(set(hosts))


@pytest.mark.parametrize(
    ("url", "id"),
    [
        (None, "openai"),
        ("https://API.DeepSeek.com:443/v1", "deepseek"),
        ("https://user:pw@api.groq.com/openai/v1", "groq"),
        ("http://localhost:11434/v1", "ollama_openai"),
        ("http://localhost:9999/v1", "openai_compatible"),
        ("https://evil.example/api.openai.com", "openai_compatible"),
        ("https://api.openai.com.evil.example/v1", "openai_compatible"),
    ],
)
def test_the_exact_host_decides_the_dialect(url: str | None, id: str) -> None:
    assert dialect_of(url).id == id


@pytest.mark.parametrize("tail", ["", "/", "/chat/completions", "/chat/completions/", "/responses"])
def test_a_full_endpoint_is_accepted_as_base_url(tail: str) -> None:
    place = find_place(f"https://h.example/v1{tail}")
    assert (place.url, place.dialect) == ("https://h.example/v1", COMPATIBLE)


def test_a_named_dialect_brings_its_address() -> None:
    place = find_place(dialect="groq")
    assert (place.url, place.dialect) == ("https://api.groq.com/openai/v1", DIALECTS["groq"])
    assert find_place("http://proxy.example/v1", "groq").dialect.id == "groq"


def test_the_environment_gives_the_base_url_of_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gate.example/v1")
    place = find_place()
    assert (place.url, place.dialect) == ("http://gate.example/v1", COMPATIBLE)
    assert find_place(dialect="xai").url == "https://api.x.ai/v1"


@pytest.mark.parametrize(
    ("url", "dialect", "told"),
    [
        (None, "grok", "no dialect named `grok`"),
        (None, "openai_compatible", "give `base_url`"),
        ("api.example/v1", None, "must begin with http"),
        ("https://evil.example\\@api.openai.com/v1", None, "no spaces"),
        ("https://evil.example\t@api.openai.com/v1", None, "no spaces"),
    ],
)
def test_a_place_that_cannot_be_is_an_error(url: str, dialect: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        find_place(url, dialect)


def test_a_key_is_looked_for_where_the_service_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    assert find_place().key == "sk-openai"
    with pytest.raises(MissingCredentialError, match="GROQ_API_KEY"):
        find_place(dialect="groq").key  # noqa: B018 - reading it looks for it


def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
    assert find_place(dialect="ollama_openai").key == "none"


def test_a_password_in_a_url_is_not_shown() -> None:
    assert host_of("https://user:secret@h.example:81/v1") == "h.example:81"
