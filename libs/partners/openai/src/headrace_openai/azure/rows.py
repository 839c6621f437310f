"""How Azure's two services speak: as OpenAI does, to deployments of the caller's own.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle (read 2026-11)
"""

from __future__ import annotations

from dataclasses import replace

from headrace_openai.dialects import OPENAI

_PAGE = "https://learn.microsoft.com/azure/ai-foundry/openai/latest"

# "On GPT-5.6 models and later model families, set the prompt_cache_key parameter"; dated versions
# of the API, which serve older models, need not know it.
# https://learn.microsoft.com/azure/foundry/openai/how-to/prompt-caching
AZURE_OPENAI = replace(
    OPENAI,
    id="azure_openai",
    page=_PAGE,
    base_url=None,
    hosts=(),
    keys=("AZURE_OPENAI_API_KEY",),
    caching="itself",
)
# Deployments of other makers' models stand beside OpenAI's: what only these have is not assumed.
AZURE_AI = replace(
    OPENAI,
    id="azure_ai",
    page=_PAGE,
    base_url=None,
    hosts=(),
    keys=("AZURE_AI_API_KEY",),
    caching="itself",
    allowed_tools=False,
    developer_role=False,
)
