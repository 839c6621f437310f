"""The provider that this package registers."""

from __future__ import annotations

from headrace.registry import Provider

DASHSCOPE = Provider(
    "dashscope",
    "headrace_dashscope.chat:ChatDashScope",
    credential="headrace_dashscope.credentials:DashScopeCredential",
    package="headrace-dashscope",
)
