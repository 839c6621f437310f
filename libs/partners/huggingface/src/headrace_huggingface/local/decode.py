"""The text of a local model as messages: reasoning, tool calls, usage, why it ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from headrace.messages import AIMessageChunk
from headrace.output_parsers.reasoning import TagSplitter
from headrace_huggingface.local.calls import Called, CallReader
from headrace_huggingface.local.channels import ChannelReader, Thought

# The words of text-generation-inference for why an answer ended, and ours.
_REASONS = {"eos_token": "stop", "stop_sequence": "stop", "length": "length"}
_CALL_ID = 9  # letters and digits: some chat templates take no other length


@dataclass(frozen=True, slots=True)
class Begun:
    """The prompt as it went in: its tokens, and whether it leaves off inside reasoning.

    `channels`: the answer is written in channels.
    """

    tokens: int
    thinking: bool
    channels: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How many tokens were made, and why it ended: eos_token, stop_sequence, length."""

    tokens: int
    reason: str


class Decoder:
    """One answer: what the generation puts in, chunks out.

    `tools`: name -> schema of its arguments; without any, text that looks like a call is text.
    `extract_reasoning`: text between `<think>` tags is reasoning.
    """

    def __init__(
        self, model: str, tools: Mapping[str, Mapping[str, Any]], *, extract_reasoning: bool = True
    ) -> None:
        self._model = model
        self._extracts = extract_reasoning
        self._reader = CallReader(tools) if tools else None
        self._thoughts: TagSplitter | None = None
        self._channels: ChannelReader | None = None
        self._prompt = 0
        self._calls = 0
        self._after_thought = False

    def feed(self, item: Begun | str | Ended) -> list[AIMessageChunk]:
        match item:
            case Begun():
                self._prompt = item.tokens
                if item.channels:
                    self._channels = ChannelReader()
                elif self._extracts:
                    self._thoughts = TagSplitter(inside=item.thinking)
                about = {"model_provider": "huggingface", "model_name": self._model}
                return [AIMessageChunk(response_metadata=about)]
            case str():
                return self._said(item)
        return self._end(item)

    def _said(self, text: str) -> list[AIMessageChunk]:
        if self._channels is not None:
            return [self._chunk(item) for item in self._channels.feed(text)]
        if self._thoughts is None:
            return self._shown(text)
        return [c for kind, part in self._thoughts.feed(text) for c in self._part(kind, part)]

    def _part(self, kind: str, text: str) -> list[AIMessageChunk]:
        if kind == "reasoning":
            self._after_thought = True
            return [self._chunk(Thought(text))]
        if self._after_thought:  # the empty line that templates teach to put there
            text = text.lstrip("\n")
            self._after_thought = not text
        return self._shown(text)

    def _shown(self, text: str) -> list[AIMessageChunk]:
        items = [text] if self._reader is None else self._reader.feed(text)
        return [self._chunk(item) for item in items if item]

    def _chunk(self, item: str | Called | Thought) -> AIMessageChunk:
        if isinstance(item, str):
            return AIMessageChunk(item)
        if isinstance(item, Thought):
            return AIMessageChunk([{"type": "reasoning", "reasoning": item.text}])
        piece = {
            "type": "tool_call_chunk", "name": item.name, "args": item.args,
            "id": token_hex(_CALL_ID)[:_CALL_ID], "index": self._calls,
        }  # fmt: skip
        self._calls += 1
        return AIMessageChunk(tool_call_chunks=[piece])

    def _end(self, ended: Ended) -> list[AIMessageChunk]:
        chunks: list[AIMessageChunk] = []
        if self._thoughts is not None:
            chunks += [c for kind, part in self._thoughts.flush() for c in self._part(kind, part)]
        for reader in (self._reader, self._channels):
            if reader is not None:
                chunks += [self._chunk(item) for item in reader.flush()]
        finish = _REASONS[ended.reason]
        if self._calls and finish != "length":
            finish = "tool_calls"
        usage: Any = {
            "input_tokens": self._prompt, "output_tokens": ended.tokens,
            "total_tokens": self._prompt + ended.tokens,
        }  # fmt: skip
        about = {"finish_reason": finish, "finish_reason_raw": ended.reason}
        last = AIMessageChunk(usage_metadata=usage, usage_kind="snapshot", response_metadata=about)
        return [*chunks, last]
