"""Holds tests to the parameters of a model: a field that no test shows is told by its name."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import AliasChoices

ROOT = pathlib.Path(__file__).resolve().parents[2]
_FAILURES = "libs/core/src/headrace/testing/conformance/failures.py"
_PLUMBING = "tests/test_plumbing.py::test_what_is_no_parameter_reaches_the_wire"
# What every model has and a test shows for all: field -> "file::test".
FOR_ALL = {
    "api_key": _PLUMBING,
    "base_url": _PLUMBING,
    "default_headers": _PLUMBING,
    "extra_body": _PLUMBING,
    "model_kwargs": _PLUMBING,
    "proxy": _PLUMBING,
    "model": _PLUMBING,
    "max_retries": f"{_FAILURES}::test_a_rate_limit_is_waited_for_and_tried_again",
    "timeout": f"{_FAILURES}::test_a_silent_provider_is_given_up",
    "credential": "tests/test_plumbing.py::test_a_credential_opens_the_model",
    "cache_prompt": "tests/test_prompt_caching.py",
    "cache": "libs/core/tests/caches",
    "callbacks": "libs/core/tests/callbacks",
    "tags": "libs/core/tests/callbacks",
    "metadata": "libs/core/tests/callbacks",
    "rate_limiter": "libs/core/tests/rate_limiters",
    "profile_overrides": "libs/core/tests/profiles",
    "on_unsupported": "libs/core/tests/chat_models/test_adapting.py",
    "on_unsupported_content": "libs/core/tests/chat_models/test_adapting.py",
}


def untested(
    model: Any, rows: Iterable[str], held: Mapping[Callable[..., Any] | str, Iterable[str]]
) -> set[str]:
    """The fields of a model whose names, or aliases, are in no row and that no test holds.

    `held`: a test, as a function or as "file::test" -> the fields whose effect it shows.
    """
    fields = model.model_fields
    names = {name: name for name in fields}
    for name, field in fields.items():
        if isinstance(field.validation_alias, AliasChoices):
            names |= {str(alias): name for alias in field.validation_alias.choices}
    shown = {names[row] for row in rows if row in names}
    for test, of in held.items():
        unknown = set(of) - fields.keys()
        assert not unknown, f"no fields of {model.__name__}: {unknown}"
        if isinstance(test, str):
            text = check_place(test)
            spelled = {name for name in names if name in text}
            assert set(of) <= {names[name] for name in spelled}, f"{test} says nothing of {of}"
        shown |= set(of)
    return set(fields) - shown - FOR_ALL.keys()


def check_place(place: str) -> str:
    """The text of a file in which a test is; AssertionError if it is not there."""
    file, _, test = place.partition("::")
    assert (ROOT / file).exists(), f"no {file}"
    text = (ROOT / file).read_text() if (ROOT / file).is_file() else ""
    assert not test or f"def {test}(" in text, f"no {test} in {file}"
    return text
