"""The provider that this package registers."""

from __future__ import annotations

from headrace.registry import Provider

HUGGINGFACE = Provider(
    "huggingface",
    "headrace_huggingface.chat:ChatHuggingFace",
    credential="headrace_huggingface.credentials:HuggingFaceCredential",
    hosts=("router.huggingface.co",),
    package="headrace-huggingface",
)
