"""The codec of Chat Completions without an SDK, for packages that speak it through another one.

Services with an SDK of their own (Mistral, Hugging Face) use the same messages: they take
`encode` and `CompletionsExchange` from here with a `Dialect` of theirs, and add what is
particular. Nothing here loads the OpenAI SDK.
"""

from __future__ import annotations

from headrace_openai.answering import CompletionsExchange
from headrace_openai.decode import Decoder, decode_response
from headrace_openai.dialects import COMPATIBLE, DIALECTS, Dialect, Media
from headrace_openai.encode import encode
from headrace_openai.loopback import ChatCompletionsWire
from headrace_openai.parameters import spell_effort, wire_of
from headrace_openai.reading import read_models

__all__ = [
    "COMPATIBLE",
    "DIALECTS",
    "ChatCompletionsWire",
    "CompletionsExchange",
    "Decoder",
    "Dialect",
    "Media",
    "decode_response",
    "encode",
    "read_models",
    "spell_effort",
    "wire_of",
]
