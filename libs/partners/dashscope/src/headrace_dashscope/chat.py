"""ChatDashScope: Qwen and other models of Model Studio, by its native API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AliasChoices, Field

from headrace.chat_models import Wire, fields
from headrace.chat_models.wire import parse
from headrace.credentials import Secret
from headrace.transport import RawChatModel, RawRequest
from headrace_dashscope.client import warm
from headrace_dashscope.exchange import ChatExchange
from headrace_dashscope.parameters import SPELLINGS, WIRE, read_effort
from headrace_dashscope.place import MODELS, DashScopePlace

if TYPE_CHECKING:
    from headrace.engine.worlds import World


class ChatDashScope(RawChatModel):
    """A model of Model Studio; `base_url` says in which region.

    Models that see or hear have an endpoint of their own: chosen by profile, name and content,
    or by `multimodal`. Models that think answer in streams alone, so `invoke` streams inside.
    Source: https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope (read 2026-11)
    """

    provider: ClassVar[str] = "dashscope"
    sdk: ClassVar[str] = "dashscope.v2.transport"
    profiles: ClassVar[tuple[str, ...]] = ("headrace_dashscope",)
    effort_spellings: ClassVar[frozenset[str]] = SPELLINGS
    plumbing: ClassVar[frozenset[str]] = RawChatModel.plumbing | {"multimodal", "workspace"}

    model: str = Field(
        description="The provider's name of the model.", min_length=1,
        validation_alias=AliasChoices("model", "model_name"),
    )  # fmt: skip
    api_key: Secret | None = Field(
        default=None, description="Key, or its giver.",
        validation_alias=AliasChoices("api_key", "dashscope_api_key"),
    )  # fmt: skip
    workspace: str | None = Field(default=None, description="Id of the workspace that pays.")
    multimodal: bool | None = Field(
        default=None, description="Which endpoint: that of media, or that of texts."
    )
    top_p: float | None = Field(
        default=None, gt=0, le=1, description="Nucleus of the likeliest words."
    )
    top_k: fields.TopK = None
    seed: fields.Seed = Field(default=None, ge=0)
    repetition_penalty: fields.RepetitionPenalty = None
    presence_penalty: fields.PresencePenalty = None
    n: fields.Answers = Field(default=None, le=4)
    logprobs: fields.Logprobs = None
    top_logprobs: int | None = Field(
        default=None, ge=0, le=5, description="Likeliest tokens at each."
    )
    enable_search: bool | None = Field(default=None, description="The model may search the web.")
    search_options: Mapping[str, Any] | None = Field(
        default=None, description='Such as {"enable_source", "enable_citation", "forced_search"}.'
    )
    parallel_tool_calls: fields.ParallelCalls = None
    preserve_thinking: bool | None = Field(
        default=None, description="Earlier reasoning counts in later turns."
    )
    vl_high_resolution_images: bool | None = Field(
        default=None, description="Images in their full resolution, for more tokens."
    )
    modalities: tuple[str, ...] | None = Field(
        default=None, description="What the answer is made of."
    )
    audio: Mapping[str, Any] | None = Field(
        default=None, description='{"voice", "format"} of speech.'
    )

    @classmethod
    def _warm(cls) -> None:
        warm()

    def _exchange(self) -> ChatExchange:
        return ChatExchange(self, self._place())

    def _place(self) -> DashScopePlace:
        return DashScopePlace.of(self)

    def _wire(self) -> Wire:
        return WIRE

    @classmethod
    def _read_effort(cls, given: Mapping[str, Any]) -> str | int:
        return read_effort(given)

    async def served_models(self, io: World) -> list[str]:
        """The names of the models that the account's region serves."""
        exchange, found = self._exchange(), set[str]()
        for page in range(1, 1000):
            path = f"{MODELS}?page_no={page}&page_size=100"
            listed = parse(await self._fetch(exchange, RawRequest("GET", path), io))
            output = listed.get("output") or {}
            rows = output.get("models") or ()
            found.update(str(row["model"]) for row in rows)
            if not rows or page * 100 >= int(output.get("total") or output.get("total_count") or 0):
                break
        return sorted(found)
