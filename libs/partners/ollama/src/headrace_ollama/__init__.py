"""headrace for Ollama's own API."""

from headrace_ollama.chat import ChatOllama
from headrace_ollama.credentials import OllamaCredential

__all__ = ["ChatOllama", "OllamaCredential"]
