"""Holds tests to the parameters of a model: a field that no test shows is told by its name."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable
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
    model: Any, rows: Iterable[str], **held: Callable[..., Any] | str | tuple[Any, ...]
) -> set[str]:
    """The fields of a model whose names, or aliases, are in no row and that no test holds.

    `held`: field -> the test that shows its effect, as a function or as "file::test".
    """
    for place in (*FOR_ALL.values(), *held.values()):
        if isinstance(place, str):
            check_place(place)
    fields = model.model_fields
    unknown = held.keys() - fields.keys()
    assert not unknown, f"no fields of {model.__name__}: {unknown}"
    names = {name: name for name in fields}
    for name, field in fields.items():
        if isinstance(field.validation_alias, AliasChoices):
            names |= {str(alias): name for alias in field.validation_alias.choices}
    shown = {names[row] for row in rows if row in names}
    return set(fields) - shown - FOR_ALL.keys() - held.keys()


def check_place(place: str) -> None:
    """Raises AssertionError for a file, or a test in it, that is not there."""
    file, _, test = place.partition("::")
    assert (ROOT / file).exists(), f"no {file}"
    assert not test or f"def {test}(" in (ROOT / file).read_text(), f"no {test} in {file}"
