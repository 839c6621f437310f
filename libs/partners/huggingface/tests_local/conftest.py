"""A tiny model with random weights, made here, whose words are chosen by a logits processor.

All else is real: the tokenizer, the chat template, the pipeline, `generate`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, LogitsProcessor, PreTrainedTokenizerFast

from headrace.messages import AIMessage
from headrace.testing import conformance

torch.set_num_threads(1)  # the model is so small that more only wait for each other
CONTEXT = 8192
SPECIAL = ["<|end|>", "<|im_start|>", "<|im_end|>"]
MARKS = ["<tool_call>", "</tool_call>", "<think>", "</think>"]
TEMPLATE = """\
{%- if tools %}<|im_start|>tools
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}
{{- message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking %}<think>
{% endif %}{% endif %}"""


def _make_tokenizer(texts: Sequence[str] = ()) -> Any:
    """One token a byte, so that characters may come in pieces; `texts`: larger ones from these."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {text: id for id, text in enumerate([*SPECIAL, *alphabet])}
    raw = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    if texts:
        trainer = trainers.BpeTrainer(
            vocab_size=2000, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
        )
        raw.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|end|>",
        additional_special_tokens=["<|im_start|>"], model_max_length=CONTEXT,
    )  # fmt: skip
    made.add_tokens(MARKS)
    made.chat_template = TEMPLATE
    return made


def make_model(tokenizer: Any) -> Any:
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=CONTEXT,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as it lies on a disk."""
    path = tmp_path_factory.mktemp("tiny")
    tokenizer = _make_tokenizer()
    tokenizer.save_pretrained(path)
    make_model(tokenizer).save_pretrained(path)
    return path


class Says(LogitsProcessor):
    """Makes the model say the texts in order, each followed by its end of text.

    A text that ends in `…` goes on for ever. `steps` counts tokens; `at_step` is called at each.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.texts: list[str] = []
        self.steps = 0
        self.at_step: Callable[[int], object] = lambda step: None
        self._ids: Iterator[int] = iter(())
        self._next = -1  # length of the input at the next step of the same generation

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        length = input_ids.shape[1]
        if length != self._next:
            self._ids = self._tokens(self.texts.pop(0))
        self._next = length + 1
        self.steps += 1
        self.at_step(self.steps)
        id = next(self._ids)
        if id == self.tokenizer.eos_token_id:
            self._next = -1
        forced = torch.full_like(scores, -torch.inf)
        forced[:, id] = 0
        return forced

    def _tokens(self, text: str) -> Iterator[int]:
        endless = text.endswith("…")
        yield from self.tokenizer.encode(text.removesuffix("…"), add_special_tokens=False)
        while endless:
            yield from self.tokenizer.encode("more ", add_special_tokens=False)
        yield self.tokenizer.eos_token_id


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[..., Any]:
    return _make_tokenizer


@pytest.fixture(scope="session")
def says_of() -> Callable[[Any], Says]:
    return Says


class Voice:
    """A pipeline, and what steers its words."""

    def __init__(self, texts: Sequence[str] = (), **given: Any) -> None:
        tokenizer = _make_tokenizer(texts)
        self.says = Says(tokenizer)
        self.pipe = transformers.pipeline(
            "text-generation", model=make_model(tokenizer), tokenizer=tokenizer, device="cpu",
            logits_processor=[self.says], **given,
        )  # fmt: skip


@pytest.fixture(scope="session")
def shared_voice() -> Voice:
    return Voice()


@pytest.fixture(scope="session")
def fluent_voice() -> Voice:
    """One with larger tokens, for long answers: a token costs some milliseconds."""
    texts = [path.read_text() for path in Path(conformance.__file__).parent.glob("*.py")]
    return Voice([*texts, '{"name": "get_weather", "arguments": {"city": "Boston"}}'])


@pytest.fixture
def voice(shared_voice: Voice) -> Iterator[Voice]:
    """The one model of the session, as at first."""
    says = shared_voice.says
    says.texts, says.steps, says.at_step, says._next = [], 0, lambda step: None, -1
    template = shared_voice.pipe.tokenizer.chat_template
    yield shared_voice
    shared_voice.pipe.tokenizer.chat_template = template


@pytest.fixture(scope="session")
def written() -> Callable[[AIMessage], str]:
    """A message as this model would write it: reasoning and calls in tags."""
    return _written


def _written(message: AIMessage) -> str:
    parts = []
    for block in message.content_blocks:
        match block:
            case {"type": "reasoning", "reasoning": str(thought)}:
                parts.append(f"<think>{thought}</think>\n\n")
            case {"type": "text", "text": str(text)}:
                parts.append(text)
    for call in message.tool_calls:
        said = json.dumps({"name": call["name"], "arguments": call["args"]}, ensure_ascii=False)
        parts.append(f"\n<tool_call>\n{said}\n</tool_call>")
    for broken in message.invalid_tool_calls:
        parts.append(f'\n<tool_call>\n{{"name": "{broken["name"]}", "arguments": {broken["args"]}')
    endless = message.response_metadata.get("finish_reason") == "length" and not parts[1:]
    return "".join(parts) + ("…" if endless and not message.invalid_tool_calls else "")
