"""A model in memory: from what it is loaded, once for all who use it, and whose turn it is."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from headrace.chat_models.wire import excerpt
from headrace.engine.flights import take_turn
from headrace.errors import (
    ConfigurationError,
    HeadraceError,
    InputError,
    MissingPackageError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
)
from headrace.rate_limiters import RateLimiter
from headrace_huggingface.local.channels import CHANNEL

if TYPE_CHECKING:
    from headrace.engine.run import Run

TASKS = ("text-generation", "conversational", "image-text-to-text")
INSTALL = "pip install 'headrace-huggingface[pipeline]'"
# Arguments of `transformers.pipeline` itself; any other of `model_kwargs` goes to the model's.
_OF_PIPELINE = frozenset(
    {"config", "dtype", "image_processor", "processor", "revision", "tokenizer", "torch_dtype",
     "trust_remote_code", "use_fast"}
)  # fmt: skip
_SHORT = 1 << 20  # tokens; a longer bound is a tokenizer's word for none


def library(name: str) -> Any:
    """A package that only local models need."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingPackageError(
            f"models on this machine need transformers and torch, and `{error.name or name}` is "
            f"not installed: {INSTALL}"
        ) from error


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model is loaded from; equal recipes share what was loaded.

    `options`: further arguments of `from_pretrained`. `token`: of the Hub, or a function that
    gives it when the model is loaded; it stands in no repr and no pickle.
    """

    model: str
    task: str = "text-generation"
    device: Any = None
    device_map: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    token: Any = field(default=None, repr=False)

    @property
    def key(self) -> Hashable | None:
        """By which it is shared; None where something in it cannot be compared."""
        key = (
            self.model, self.task, _frozen(self.device), _frozen(self.device_map),
            _frozen(self.options), self.token,
        )  # fmt: skip
        try:
            hash(key)
        except TypeError:
            return None
        return key


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), _frozen(item)) for name, item in value.items()))
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


class Loaded:
    """A transformers pipeline as generation needs it: model, tokenizer, template, defaults."""

    def __init__(self, pipe: Any, name: str) -> None:
        for part in ("model", "tokenizer"):
            if getattr(pipe, part, None) is None:
                raise InputError(
                    f"a pipeline for chats has a `{part}`, and this {type(pipe).__name__} has none"
                )
        self.name = name
        self.model, self.tokenizer = pipe.model, pipe.tokenizer
        processor = getattr(pipe, "processor", None)
        self.sees_images = getattr(processor, "chat_template", None) is not None
        self.renderer: Any = processor if self.sees_images else self.tokenizer
        # What was said when the pipeline was made: `pipeline(…, max_new_tokens=10)`.
        self.defaults: dict[str, Any] = {
            **(getattr(pipe, "_generate_kwargs", None) or {}),
            **(getattr(pipe, "_forward_params", None) or {}),
        }

    @cached_property
    def channels(self) -> bool:
        """Whether it writes its answers in channels, as gpt-oss does."""
        return CHANNEL in self.tokenizer.all_special_tokens

    @cached_property
    def context(self) -> int | None:
        """How many tokens prompt and answer may have together; None where nothing says it."""
        config = self.model.config
        text = config.get_text_config() if hasattr(config, "get_text_config") else config
        bounds = [
            getattr(text, "max_position_embeddings", None),
            getattr(self.tokenizer, "model_max_length", None),
        ]
        known = [bound for bound in bounds if isinstance(bound, int) and 0 < bound < _SHORT]
        return min(known, default=None)

    def template(self, given: str | None) -> str:
        """The source of the chat template, or of all where there are several."""
        source = given or getattr(self.renderer, "chat_template", None) or ""
        return source if isinstance(source, str) else "\n".join(map(str, source.values()))


class Weights:
    """One model for all who share it. Its generations take turns, in order of arrival."""

    def __init__(self, recipe: Recipe | None, pipe: Any = None, name: str = "") -> None:
        self.recipe = recipe
        self.name = recipe.model if recipe is not None else name
        self._loaded = None if pipe is None else Loaded(pipe, name)
        # Its attempts under way; a model has caches and a generator of random numbers of its own.
        self.turns = _turns_of(pipe.model) if pipe is not None else _one_at_a_time()

    @property
    def loaded(self) -> Loaded:
        if self._loaded is None:
            raise ConfigurationError(f"`{self.name}` was not loaded")  # `load` comes first
        return self._loaded

    async def load(self, run: Run) -> Loaded:
        """The model, loaded by the first who asks, in a thread in an async run."""
        if self._loaded is None:
            turn = await take_turn(("weights", id(self)), run)
            try:
                if self._loaded is None:
                    await run.io.blocking(self._load)
            finally:
                turn.leave()
        return self.loaded

    def _load(self) -> None:
        assert self.recipe is not None  # a given pipeline is loaded
        self._loaded = Loaded(_made(self.recipe), self.name)

    def __reduce__(self) -> Any:
        if self.recipe is None:
            raise InputError(
                "a model around a pipeline object cannot be pickled, for the weights would be; "
                "make it by `HuggingFacePipeline.from_model_id`, which loads them anew"
            )
        recipe = self.recipe
        return _again, (
            recipe.model, recipe.task, recipe.device, recipe.device_map, dict(recipe.options),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<weights of {self.name!r}>"


def _again(model: str, task: str, device: Any, device_map: Any, options: Any) -> Weights:
    return shared(Recipe(model, task, device, device_map, options))


_LOCK = Lock()
_SHARED: WeakValueDictionary[Hashable, Weights] = WeakValueDictionary()
_TURNS: WeakKeyDictionary[Any, RateLimiter] = WeakKeyDictionary()


def _after_fork() -> None:
    global _LOCK
    _LOCK = Lock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_after_fork)


def shared(recipe: Recipe) -> Weights:
    """The weights of a recipe; those that somebody has already, if he has."""
    key = recipe.key
    if key is None:
        return Weights(recipe)
    with _LOCK:
        found = _SHARED.get(key)
        if found is None:
            found = _SHARED[key] = Weights(recipe)
        return found


def _turns_of(model: Any) -> RateLimiter:
    """The turns of a model object, however many pipelines are around it."""
    with _LOCK:
        found = _TURNS.get(model)
        if found is None:
            found = _TURNS[model] = _one_at_a_time()
        return found


def _one_at_a_time() -> RateLimiter:
    return RateLimiter(concurrency=1, learn=False)


def _made(recipe: Recipe) -> Any:
    transformers = library("transformers")
    library("torch")
    own = {name: recipe.options[name] for name in recipe.options if name in _OF_PIPELINE}
    rest = {name: recipe.options[name] for name in recipe.options if name not in _OF_PIPELINE}
    task = "text-generation" if recipe.task == "conversational" else recipe.task
    placed = {"device": recipe.device, "device_map": recipe.device_map}
    given = {name: value for name, value in placed.items() if value is not None}
    given["token"] = _token(recipe.token)
    try:
        return transformers.pipeline(task, model=recipe.model, model_kwargs=rest, **given, **own)
    except HeadraceError:
        raise
    except Exception as error:
        raise _loading_error(error, recipe) from error


def _token(token: Any) -> str | None:
    """The token, or what its giver says now."""
    value = token() if callable(token) else token
    if value is not None and not isinstance(value, str):
        if hasattr(value, "close"):
            value.close()  # a coroutine that nobody will await
        raise ConfigurationError(
            "`api_key` is an async function, and a model is loaded in a thread; give a plain one"
        )
    return value


_KINDS: tuple[tuple[str, type[ModelError]], ...] = (
    ("GatedRepoError", ModelPermissionDeniedError),
    ("RepositoryNotFoundError", ModelNotFoundError),
    ("RevisionNotFoundError", ModelNotFoundError),
    ("OfflineModeIsEnabled", ModelConnectionError),
    ("LocalEntryNotFoundError", ModelConnectionError),
)


def _loading_error(error: BaseException, recipe: Recipe) -> HeadraceError:
    """The error of the tree for what went wrong; the Hub's own is often behind another."""
    text = f"`{recipe.model}` could not be loaded: {excerpt(str(error))}"
    behind: BaseException | None = error
    while behind is not None:
        names = [cls.__name__ for cls in type(behind).__mro__]
        for name, kind in _KINDS:
            if name in names:
                return kind(text, is_retryable=False)
        status = getattr(getattr(behind, "response", None), "status_code", None)
        if status == 401:
            return ModelAuthenticationError(text, status=401)
        behind = behind.__cause__ or behind.__context__
    if isinstance(error, ImportError):
        return MissingPackageError(f"{text}; {INSTALL}")
    if isinstance(error, OSError):
        return ModelNotFoundError(text)
    return ConfigurationError(text)
