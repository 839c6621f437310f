"""Images to a model that sees them: a tiny one of its own, with a real processor."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
import torch
import transformers
from PIL import Image
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from headrace.errors import InputError, UnsupportedContentError
from headrace.messages import HumanMessage, SystemMessage, image
from headrace_huggingface import ChatHuggingFace, HuggingFacePipeline

TEMPLATE = """\
{% for m in messages %}<|im_start|>{{ m.role }}
{% for p in m.content %}{% if p.type == 'image' %}<image>{% else %}{{ p.text }}{% endif %}\
{% endfor %}<|im_end|>
{% endfor %}<|im_start|>assistant
"""


@pytest.fixture(scope="module")
def seer(make_tokenizer: Any, says_of: Any) -> Any:
    """A pipeline that sees images of 8 by 8 points, and what steers its words."""
    tokenizer = make_tokenizer()
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    mark = tokenizer.convert_tokens_to_ids("<image>")
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            **sizes, num_attention_heads=2, image_size=8, patch_size=4, projection_dim=16
        ),
        text_config=LlamaConfig(
            **sizes, vocab_size=len(tokenizer), num_attention_heads=2, num_key_value_heads=2,
            max_position_embeddings=2048, eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None, pad_token_id=tokenizer.pad_token_id,
        ),
        image_token_id=mark, vision_feature_layer=-1, image_seq_length=4,
    )  # fmt: skip
    eight = {"height": 8, "width": 8}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size=eight, crop_size=eight), tokenizer=tokenizer,
        patch_size=4, vision_feature_select_strategy="default", image_token="<image>",
        num_additional_image_tokens=1, chat_template=TEMPLATE,
    )  # fmt: skip
    pipe = transformers.pipeline(
        "image-text-to-text", model=LlavaForConditionalGeneration(config).eval(),
        processor=processor, device="cpu",
    )  # fmt: skip
    return pipe, says_of(tokenizer)


def chat(seer: Any, *texts: str, **given: Any) -> Any:
    pipe, says = seer
    says.texts = list(texts)
    llm = HuggingFacePipeline(pipeline=pipe, pipeline_kwargs={"logits_processor": [says]})
    return ChatHuggingFace(llm=llm, **given)


def png() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (20, 10), (255, 0, 0)).save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def seen(seer: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tensors that went into the model."""
    found: list[Any] = []
    real = seer[0].model.generate

    def generate(*args: Any, **given: Any) -> Any:
        found.append(given)
        return real(*args, **given)

    monkeypatch.setattr(seer[0].model, "generate", generate)
    return found


def test_an_image_reaches_the_model(seer: Any, seen: list[Any]) -> None:
    talk = [SystemMessage("Be brief."), HumanMessage(["What is it?", image(png())])]
    model = chat(seer, "A red one.")
    assert model.task == "image-text-to-text"
    assert model.invoke(talk).text == "A red one."
    assert tuple(seen[0]["pixel_values"].shape) == (1, 3, 8, 8)


def test_an_image_comes_in_the_numbers_of_the_model(seer: Any, seen: list[Any]) -> None:
    model = seer[0].model
    model.to(torch.bfloat16)
    try:
        answer = chat(seer, "Red.").invoke([HumanMessage(["What is it?", image(png())])])
    finally:
        model.to(torch.float32)
    assert answer.text == "Red."
    assert seen[0]["pixel_values"].dtype == torch.bfloat16


def test_spellings_of_an_image_are_one_request(seer: Any, seen: list[Any]) -> None:
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    for spelling in (image(png()), {"type": "image_url", "image_url": {"url": url}}):
        chat(seer, "Red.").invoke([HumanMessage(["What is it?", spelling])])
    assert seen[0]["pixel_values"].equal(seen[1]["pixel_values"])
    assert seen[0]["input_ids"].equal(seen[1]["input_ids"])


def test_a_text_alone_goes_as_well(seer: Any, seen: list[Any]) -> None:
    assert chat(seer, "Hello.").invoke("hi").text == "Hello."
    assert "pixel_values" not in seen[0]


def test_the_mark_of_an_image_in_a_text_is_no_image(seer: Any, seen: list[Any]) -> None:
    assert chat(seer, "Hello.").invoke("<image> hi").text == "Hello."
    assert "pixel_values" not in seen[0]


def test_an_image_by_url_is_refused(seer: Any) -> None:
    block = {"type": "image", "url": "https://example.com/a.png"}
    with pytest.raises(UnsupportedContentError, match="URL"):
        chat(seer, "never").invoke([HumanMessage(["Look:", block])])


@pytest.mark.parametrize("data", ["AAAA", __file__, "/etc/hostname"])
def test_what_is_no_image_is_an_error_and_no_file_is_read(seer: Any, data: str) -> None:
    broken = {"type": "image", "base64": data, "mime_type": "image/png"}
    with pytest.raises(InputError, match="image"):
        chat(seer, "never").invoke([HumanMessage(["Look:", broken])])
