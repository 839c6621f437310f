"""headrace for Hugging Face: Inference Providers, dedicated endpoints, local pipelines."""

from headrace_huggingface.chat import ChatHuggingFace
from headrace_huggingface.credentials import HuggingFaceCredential
from headrace_huggingface.local import ChatHuggingFacePipeline, HuggingFacePipeline
from headrace_huggingface.sources import HuggingFaceEndpoint

__all__ = [
    "ChatHuggingFace",
    "ChatHuggingFacePipeline",
    "HuggingFaceCredential",
    "HuggingFaceEndpoint",
    "HuggingFacePipeline",
]
