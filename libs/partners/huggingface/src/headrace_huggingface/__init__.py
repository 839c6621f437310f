"""headrace for Hugging Face: Inference Providers and dedicated endpoints."""

from headrace_huggingface.chat import ChatHuggingFace
from headrace_huggingface.credentials import HuggingFaceCredential
from headrace_huggingface.sources import HuggingFaceEndpoint

__all__ = ["ChatHuggingFace", "HuggingFaceCredential", "HuggingFaceEndpoint"]
