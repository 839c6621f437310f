"""The providers this package registers: the Gemini API, and Vertex AI."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from headrace.chat_models import Model
from headrace.registry import Provider


def _gemini(**params: Any) -> Model[Any]:
    # Only now: the class brings pydantic fields that nobody who lists providers needs.
    model_class = import_module("headrace_google.chat").ChatGoogleGenerativeAI
    model: Model[Any] = model_class(**{"vertexai": False, **params})
    return model


google_genai = Provider(
    "google_genai",
    _gemini,
    credential="headrace_google.credentials:GoogleCredential",
    package="headrace-google",
    model_class="headrace_google.chat:ChatGoogleGenerativeAI",
)
google_vertexai = Provider(
    "google_vertexai",
    "headrace_google.chat:ChatGoogleVertexAI",
    credential="headrace_google.credentials:GoogleVertexCredential",
    package="headrace-google",
)
