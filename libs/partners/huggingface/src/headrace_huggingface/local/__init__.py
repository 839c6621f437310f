"""Models that run in this process, by transformers; loaded at the first request."""

from headrace_huggingface.local.chat import ChatHuggingFacePipeline
from headrace_huggingface.local.source import HuggingFacePipeline

__all__ = ["ChatHuggingFacePipeline", "HuggingFacePipeline"]
