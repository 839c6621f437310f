"""Credentials of the Gemini API and of Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from headrace.credentials import Credential, Secret

KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")


class GoogleCredential(Credential):
    """An account of the Gemini API: a key of Google AI Studio."""

    provider: ClassVar[str] = "google_genai"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": KEYS,
        "base_url": ("GOOGLE_GEMINI_BASE_URL",),
        "api_version": ("GOOGLE_GENAI_API_VERSION",),
    }
    defaults: ClassVar[Mapping[str, str]] = {
        "base_url": "https://generativelanguage.googleapis.com"
    }

    type: Literal["google_credential"] = "google_credential"
    api_version: str | None = Field(default=None, description="v1, v1beta …; else the SDK's own.")


class GoogleVertexCredential(Credential):
    """An account of Google Cloud for Vertex AI.

    `credentials`: what google-auth understands, or None for Application Default Credentials;
    `api_key` is the express mode, which needs no project.
    """

    provider: ClassVar[str] = "google_vertexai"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": KEYS,
        "base_url": ("GOOGLE_VERTEX_BASE_URL",),
        "api_version": ("GOOGLE_GENAI_API_VERSION",),
        "project": ("GOOGLE_CLOUD_PROJECT",),
        "location": ("GOOGLE_CLOUD_LOCATION",),
    }

    type: Literal["google_vertex_credential"] = "google_vertex_credential"
    api_version: str | None = Field(default=None, description="v1, v1beta1 …; else the SDK's own.")
    project: str | None = Field(default=None, description="Id of the Google Cloud project.")
    location: str | None = Field(default=None, description="Region, or global.")
    credentials: Secret | Any = Field(
        default=None, description="A google.auth Credentials object.", repr=False
    )


KINDS: Mapping[str, type[Credential]] = {
    kind.provider: kind for kind in (GoogleCredential, GoogleVertexCredential)
}
