"""Parameters that many providers take alike, as types of fields: `top_p: TopP = None`.

A partner with other bounds or names beside them says so in a `Field`, which goes over these:
`seed: Seed = Field(default=None, ge=0)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import Field

TopP: TypeAlias = Annotated[
    float | None, Field(ge=0, le=1, description="Nucleus of the likeliest words.")
]
TopK: TypeAlias = Annotated[int | None, Field(ge=0, description="How many of the likeliest words.")]
MinP: TypeAlias = Annotated[
    float | None, Field(ge=0, le=1, description="Least likelihood, against that of the likeliest.")
]
TypicalP: TypeAlias = Annotated[
    float | None, Field(ge=0, le=1, description="Nucleus of typical words.")
]
Seed: TypeAlias = Annotated[
    int | None, Field(description="For answers that repeat, as far as possible.")
]
PresencePenalty: TypeAlias = Annotated[
    float | None, Field(ge=-2, le=2, description="Above 0: new topics.")
]
FrequencyPenalty: TypeAlias = Annotated[
    float | None, Field(ge=-2, le=2, description="Above 0: fewer repetitions.")
]
RepetitionPenalty: TypeAlias = Annotated[
    float | None, Field(gt=0, description="Above 1: fewer repetitions.")
]
Answers: TypeAlias = Annotated[int | None, Field(ge=1, description="How many answers.")]
Logprobs: TypeAlias = Annotated[
    bool | None, Field(description="Log probabilities of the answer's tokens.")
]
TopLogprobs: TypeAlias = Annotated[
    int | None, Field(ge=0, le=20, description="Likeliest tokens at each.")
]
LogitBias: TypeAlias = Annotated[
    Mapping[str, int] | None, Field(description="Token id to -100 … 100.")
]
ParallelCalls: TypeAlias = Annotated[bool | None, Field(description="Several calls in one answer.")]
HTTPClient: TypeAlias = Annotated[Any, Field(description="Your own httpx2.Client.", repr=False)]
HTTPAsyncClient: TypeAlias = Annotated[
    Any, Field(description="Your own httpx2.AsyncClient.", repr=False)
]
