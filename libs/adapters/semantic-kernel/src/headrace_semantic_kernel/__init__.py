"""Chat clients of Semantic Kernel as models of headrace."""

from headrace_semantic_kernel.chat import ChatSemanticKernel, from_semantic_kernel

__all__ = ["ChatSemanticKernel", "from_semantic_kernel"]
