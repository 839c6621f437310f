"""headrace for Mistral's own API."""

from headrace_mistral.chat import ChatMistralAI
from headrace_mistral.credentials import MistralCredential

__all__ = ["ChatMistralAI", "MistralCredential"]
