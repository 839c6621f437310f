"""headrace for DashScope, the native API of Alibaba Cloud's Model Studio."""

from headrace_dashscope.chat import ChatDashScope
from headrace_dashscope.credentials import DashScopeCredential

__all__ = ["ChatDashScope", "DashScopeCredential"]
