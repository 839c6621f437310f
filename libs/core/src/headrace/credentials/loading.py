"""Credentials from data, by their `type`, over all installed providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from headrace.credentials.credential import Credential
from headrace.engine.hooks import reach
from headrace.errors import InputError, suggestion


def credential_types() -> dict[str, type[Credential]]:
    """The installed kinds of credentials by their `type`, sorted."""
    return cast("dict[str, type[Credential]]", reach("credential_types")())


def host_owner(base_url: str) -> str | None:
    """The installed provider whose host this URL has, exactly; None for nobody's."""
    return cast("str | None", reach("host_owner")(base_url))


def credential_from_dict(data: Mapping[str, Any]) -> Credential:
    """The credential that a dict or a dump describes; its `type` says of which kind.

    Raises InputError for an unknown `type` or field, with the nearest one.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"a credential is described by a dict, not by {type(data).__name__}")
    kinds = credential_types()
    kind = data.get("type")
    if kind is None:
        raise InputError(f"a credential has a `type`; known: {_listed(kinds)}")
    if kind not in kinds:
        near = suggestion(str(kind), kinds)
        raise InputError(f"no credential of type {kind!r}{near}; known: {_listed(kinds)}")
    return kinds[kind](**data)


def credential_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of credential, for forms; keys are as `type` has them."""
    schemas = {}
    for kind, cls in credential_types().items():
        schema = cls.model_json_schema()
        schema["properties"] = {**schema["properties"], "type": {"const": kind, "default": kind}}
        schemas[kind] = schema
    return schemas


def _listed(kinds: Mapping[str, Any]) -> str:
    return ", ".join(f"`{kind}`" for kind in kinds)
