"""Where each setting comes from: argument, credential, environment, default; in this order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from pydantic import SecretStr

from headrace.credentials.secret import EnvReference, is_given
from headrace.errors import MissingCredentialError

Source = Literal["argument", "credential", "environment", "default", "missing"]
ORDER: tuple[Source, ...] = ("argument", "credential", "environment", "default", "missing")


class Origin(TypedDict, total=False):
    """Where a value came from: `source`, and the `variable` it was read from, if from one.

    `value` is there unless the setting is a secret; `variables` are those that would be read
    for a missing one.
    """

    source: Source
    variable: str
    value: str
    variables: list[str]


@dataclass(frozen=True, slots=True)
class Resolution:
    """The settings of one request and where each came from."""

    values: Mapping[str, Any]
    origins: Mapping[str, Origin]

    def source(self, name: str) -> Source:
        """Where a setting came from."""
        origin = self.origins.get(name)
        return origin["source"] if origin else "missing"

    def require(self, name: str, of: str) -> Any:
        """A setting that must be there; MissingCredentialError says where it was looked for."""
        value = self.values.get(name)
        if value is not None:
            return value
        origin = self.origins.get(name, {})
        names = [origin["variable"]] if "variable" in origin else origin.get("variables", [])
        told = " or ".join(f"`{variable}`" for variable in names)
        then = f", or set {told} in the environment" if told else ""
        raise MissingCredentialError(
            f"no {name.replace('_', ' ').removeprefix('api ')} for `{of}`: pass `{name}`{then}"
        )


def resolve(
    names: Iterable[str],
    secret: frozenset[str],
    arguments: Mapping[str, Any],
    credential: Mapping[str, Any],
    variables: Mapping[str, tuple[str, ...]],
    defaults: Mapping[str, str],
) -> Resolution:
    """Each setting from the first place that has it; of the secret ones only where from."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name in names:
        value, origin = found(
            arguments.get(name),
            credential.get(name),
            variables.get(name, ()),
            defaults.get(name),
        )
        values[name] = value
        if isinstance(value, str) and name not in secret:
            origin["value"] = masked(value)
        origins[name] = origin
    return Resolution(values, origins)


def masked(url: str) -> str:
    """A URL without the password it may hold; any other text as it is."""
    return re.sub(r"(?<=//)[^/@]*@", "***@", url) if "@" in url else url


def found(
    argument: Any, own: Any, variables: tuple[str, ...], default: str | None
) -> tuple[Any, Origin]:
    """A setting's value from the first place that has it, and which place that is."""
    given: tuple[tuple[Source, Any], ...] = (("argument", argument), ("credential", own))
    for source, value in given:
        if isinstance(value, EnvReference):  # it says where; nowhere else is looked
            named = os.environ.get(value.env) or None
            return named, {"source": source if named else "missing", "variable": value.env}
        if is_given(value):
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            return plain, {"source": source}
    for variable in variables:
        if named := os.environ.get(variable):
            return named, {"source": "environment", "variable": variable}
    if default is not None:
        return default, {"source": "default"}
    return None, {"source": "missing", "variables": list(variables)}
