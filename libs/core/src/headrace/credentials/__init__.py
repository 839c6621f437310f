"""Who asks a provider: keys, addresses and accounts, apart from the models that use them."""

from __future__ import annotations

from headrace.credentials.credential import Credential
from headrace.credentials.loading import (
    credential_from_dict,
    credential_schemas,
    credential_types,
    host_owner,
)
from headrace.credentials.resolution import ORDER, Origin, Resolution, masked
from headrace.credentials.secret import EnvReference, Secret, dumped, reference_to, secret_fields

__all__ = [
    "ORDER",
    "Credential",
    "EnvReference",
    "Origin",
    "Resolution",
    "Secret",
    "credential_from_dict",
    "credential_schemas",
    "credential_types",
    "dumped",
    "host_owner",
    "masked",
    "reference_to",
    "secret_fields",
]
