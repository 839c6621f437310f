"""headrace for Gemini, by the Gemini API and by Vertex AI."""

from __future__ import annotations

from headrace_google.chat import ChatGoogleGenerativeAI, ChatGoogleVertexAI
from headrace_google.credentials import GoogleCredential, GoogleVertexCredential

__all__ = [
    "ChatGoogleGenerativeAI",
    "ChatGoogleVertexAI",
    "GoogleCredential",
    "GoogleVertexCredential",
]
