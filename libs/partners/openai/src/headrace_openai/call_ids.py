"""Which ids of tool calls the services of this package take."""

from __future__ import annotations

import re

from headrace.transport import LETTERS, IdRule

# "Invalid 'messages[2].tool_calls[0].id': string too long"
FORTY = IdRule(re.compile(r"(?s).{0,40}"), "an id has at most 40 characters")
# As the Responses API says of `call_id`: "Expected a string with maximum length 64"
SIXTY_FOUR = IdRule(re.compile(r"(?s).{0,64}"), "an id has at most 64 characters")
# "Tool call id has to be defined in a valid format: a-z, A-Z, 0-9, with a length of 9", and
# https://github.com/mistralai/mistral-common (`InvalidFunctionCallException`)
NINE = IdRule(
    re.compile(r"[a-zA-Z0-9]{9}"), "an id has nine letters and digits",
    prefix="", digits=LETTERS, length=9,
)  # fmt: skip
