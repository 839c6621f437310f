"""HuggingFacePipeline: where a local model is from, in LangChain's words.

It holds settings and shared weights; ChatHuggingFace is the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from headrace.errors import InputError

_IDLE = frozenset({"verbose", "callbacks", "backend"})
_BACKENDS = (None, "default", "pt", "pytorch", "pipeline")


class HuggingFacePipeline:
    """A transformers pipeline for `ChatHuggingFace(llm=…)`: one of yours, or by a model's name.

    Nothing is loaded before the first request. `pipeline_kwargs`: parameters of generation, by
    transformers' names or ours; `model_kwargs`: of loading. Further parameters are those of
    `ChatHuggingFace(backend="pipeline")`.
    """

    __slots__ = ("params",)

    def __init__(self, pipeline: Any = None, *, model_id: str | None = None, **params: Any) -> None:
        if pipeline is None and model_id is None and not params.get("model"):
            raise InputError(
                "HuggingFacePipeline needs `pipeline`, a transformers pipeline, or `model_id`, a "
                "model's name on the Hub or its folder"
            )
        check_backend(params.get("backend"))
        given = {"pipeline": pipeline, "model_id": model_id}
        named = {name: value for name, value in given.items() if value is not None}
        rest = {name: value for name, value in params.items() if name not in _IDLE}
        self.params: Mapping[str, Any] = {**named, **rest}

    @classmethod
    def from_model_id(cls, model_id: str, task: str = "text-generation", **params: Any) -> Self:
        """The pipeline of this model, loaded at the first request of a chat over it."""
        return cls(model_id=model_id, task=task, **params)

    def __repr__(self) -> str:
        shown = ("model_id", "model", "task", "device", "device_map")
        said = ", ".join(f"{k}={self.params[k]!r}" for k in shown if k in self.params)
        return f"HuggingFacePipeline({said})"


def check_backend(backend: Any) -> None:
    """Raises InputError for another runtime than transformers on torch."""
    if backend not in _BACKENDS:
        raise InputError(
            f"`backend` = {backend!r}: local models run by transformers on torch alone; leave it "
            "out, or serve the model and give `base_url`"
        )
