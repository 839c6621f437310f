"""An account of Model Studio, and where its API is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from headrace.credentials import Credential

MAINLAND = "https://dashscope.aliyuncs.com"


class DashScopeCredential(Credential):
    """An account of Alibaba Cloud's Model Studio; keys are of one region.

    `base_url` is mainland China's unless said otherwise; the SDK's own variables count.
    Source: https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope (read 2026-11)
    """

    provider: ClassVar[str] = "dashscope"
    variables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "api_key": ("DASHSCOPE_API_KEY",),
        "base_url": ("DASHSCOPE_BASE_URL", "DASHSCOPE_HTTP_BASE_URL"),
    }
    defaults: ClassVar[Mapping[str, str]] = {"base_url": MAINLAND}

    type: Literal["dashscope_credential"] = "dashscope_credential"
