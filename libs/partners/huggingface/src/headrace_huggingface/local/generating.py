"""One generation: tokens out of the model, read one by one, ended by whoever has enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from headrace.chat_models.wire import excerpt
from headrace.errors import (
    HeadraceError,
    ModelAPIError,
    ModelInvalidRequestError,
    UnsupportedParameterError,
)
from headrace_huggingface.local.calls import MARKS
from headrace_huggingface.local.channels import CHANNEL_MARKS
from headrace_huggingface.local.decode import Begun, Ended
from headrace_huggingface.local.prompts import Prompt, render
from headrace_huggingface.local.weights import Loaded, library
from headrace_huggingface.local.words import Detokenizer, StopWords

if TYPE_CHECKING:
    from headrace.chat_models import Settings

Put = Callable[[Begun | str | Ended], bool]
LONGEST = 4096  # tokens of an answer where neither caller nor model bounds it


class Generation:
    """The work of `run.io.pushed`: `work(put)` renders the prompt and generates; `stop` ends it.

    It ends at the next token: by end of text, stop word, `max_tokens`, reader gone, time over.
    """

    def __init__(self, loaded: Loaded, body: Mapping[str, Any], settings: Settings) -> None:
        self._loaded, self._body, self._settings = loaded, body, settings
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def work(self, put: Put) -> None:
        try:
            prompt = render(self._loaded, self._body, self._settings.notes)
            if put(Begun(prompt.tokens, prompt.thinking, self._loaded.channels)):
                self._generate(prompt, put)
        except HeadraceError:
            raise
        except Exception as error:
            raise _failure(error, self._loaded.name) from error

    def _generate(self, prompt: Prompt, put: Put) -> None:
        torch, transformers = library("torch"), library("transformers")
        model = self._loaded.model
        asked = self._asked(prompt)
        config = asked.get("generation_config") or model.generation_config
        ends = _ids(asked.get("eos_token_id", config.eos_token_id))
        reader = Reader(self, put, self._loaded, ends, prompt.tokens)

        def over(input_ids: Any, scores: Any, **_: Any) -> Any:
            ended = False if beams else reader.read(input_ids[0, reader.seen :].tolist())
            return torch.full(
                (input_ids.shape[0],), ended or self._stopped, device=input_ids.device
            )

        beams = (asked.get("num_beams") or 1) > 1
        criteria = transformers.StoppingCriteriaList([over, *asked.pop("stopping_criteria", ())])
        with seeded(torch, self._body.get("seed"), model.device):
            made = model.generate(**self._placed(prompt), stopping_criteria=criteria, **asked)
        if beams:  # of several beams the best is known at the end
            made = getattr(made, "sequences", made)
            reader.read(made[0, prompt.tokens :].tolist())
        if not self._stopped:
            reader.finish()

    def _placed(self, prompt: Prompt) -> Any:
        """The tensors where the model is; images in its own kind of numbers."""
        model = self._loaded.model
        if self._loaded.sees_images:
            return prompt.inputs.to(model.device, dtype=model.dtype)
        return prompt.inputs.to(model.device)

    def _asked(self, prompt: Prompt) -> dict[str, Any]:
        """Arguments of `generate`: the request's, over those the pipeline was made with."""
        loaded = self._loaded
        asked: dict[str, Any] = {**loaded.defaults, **self._body["generate"]}
        config = asked.get("generation_config") or loaded.model.generation_config
        longest = asked.get("max_new_tokens") or config.max_new_tokens or LONGEST
        if loaded.context is not None and prompt.tokens + longest > loaded.context:
            room = loaded.context - prompt.tokens
            if asked.get("max_new_tokens"):
                reason = f"`{loaded.name}` has room for {room} tokens after this prompt"
                self._settings.notes.record("max_tokens", longest, room, "clamped", reason)
            longest = room
        asked["max_new_tokens"] = longest
        asked.pop("max_length", None)
        for name in ("num_return_sequences", "streamer", "return_dict_in_generate"):
            if asked.get(name) not in (None, False, 1):
                raise UnsupportedParameterError(
                    f"`{name}` = {asked[name]!r}: one answer is read token by token; leave it out"
                )
            asked.pop(name, None)
        if "pad_token_id" not in asked:
            pads = [loaded.tokenizer.pad_token_id, *_ids(config.eos_token_id)]
            asked["pad_token_id"] = next((id for id in pads if id is not None), None)
        return asked


class Reader:
    """Reads tokens as text, up to a stop word, and puts it; `seen` counts prompt and answer."""

    def __init__(
        self, job: Generation, put: Put, loaded: Loaded, ends: list[int], prompt: int
    ) -> None:
        self._put, self._ends, self._prompt = put, ends, prompt
        self._watch, self._job = job._settings.watch, job
        self._words = StopWords(job._settings.stop)
        kept = MARKS | CHANNEL_MARKS if loaded.channels else MARKS
        self._text = Detokenizer(loaded.tokenizer, ends, kept)
        self._last: int | None = None
        self.seen = prompt

    def read(self, ids: list[int]) -> bool:
        """Takes the new tokens; whether nothing more is wanted. Raises when time is over."""
        self._watch.saw(True)
        for id in ids:
            if self._words.found is not None:
                break
            self.seen, self._last = self.seen + 1, id
            if not self._say(self._words.feed(self._text.feed(id))):
                self._job.stop()
                return True
        self._watch.resume()  # where it waited for its reader is no delay of the model's
        return self._words.found is not None

    def finish(self) -> None:
        """Puts what was held back, and why the answer ended."""
        if self._words.found is None:
            self._say(self._words.feed(self._text.flush()))
            self._say(self._words.flush())
        found = "stop_sequence" if self._words.found is not None else (
            "eos_token" if self._last in self._ends else "length"
        )  # fmt: skip
        self._put(Ended(self.seen - self._prompt, found))

    def _say(self, text: str) -> bool:
        return self._put(text) if text else True


@contextmanager
def seeded(torch: Any, seed: int | None, device: Any) -> Iterator[None]:
    """Random numbers from this seed inside, and those of the process as they were after it."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _ids(value: Any) -> list[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else [int(one) for one in value]


def _failure(error: Exception, name: str) -> HeadraceError:
    """The error of the tree for one that transformers or torch raised."""
    if type(error).__name__ == "OutOfMemoryError":
        return ModelAPIError(
            f"`{name}` ran out of memory on its device ({excerpt(str(error))}); ask for less, or "
            "load it smaller (`dtype`, `quantization_config` in `model_kwargs`)",
            is_retryable=False,
        )
    if isinstance(error, ValueError | TypeError):
        return ModelInvalidRequestError(f"`{name}` was asked wrongly: {excerpt(str(error))}")
    return ModelAPIError(
        f"`{name}` failed: {type(error).__name__}: {excerpt(str(error))}", is_retryable=False
    )
