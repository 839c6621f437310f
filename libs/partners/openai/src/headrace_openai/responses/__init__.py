"""The Responses API: requests written, answers and streams read. Pure: no SDK, no I/O."""

from headrace_openai.responses.decode import Decoder, decode_response
from headrace_openai.responses.encode import encode, needs_responses

__all__ = ["Decoder", "decode_response", "encode", "needs_responses"]
