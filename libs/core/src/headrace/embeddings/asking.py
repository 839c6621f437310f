"""From texts to vectors: checked, cut into requests, asked in parallel, and put together."""

from __future__ import annotations

from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, cast

from headrace.callbacks import ModelRequest
from headrace.chat_models import Notes, Timeout, Watch
from headrace.chat_models.admission import let_in
from headrace.chat_models.attempts import begun, late_error, own_policy
from headrace.chat_models.lifecycle import ageing, served_other
from headrace.embeddings.batches import batches, estimate, read_texts
from headrace.embeddings.result import EmbeddingResult, EmbeddingSettings, Purpose
from headrace.engine import observe
from headrace.engine.strands import Scope
from headrace.errors import WireError
from headrace.messages import add_usage
from headrace.profiles import cost_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from headrace.embeddings.model import Embeddings
    from headrace.engine.run import Run


async def embed(
    model: Embeddings, texts: Iterable[str], purpose: Purpose, run: Run
) -> EmbeddingResult:
    """The vectors of all texts, in order; no request is made for none."""
    given, settings = read_texts(texts), fit(model, purpose)
    if model.callbacks is not None or model.tags or model.metadata:
        run = run.pending(tags=model.tags, metadata=model.metadata, callbacks=model.callbacks)

    async def work(texts: list[str], run: Run) -> EmbeddingResult:
        return await _all(model, texts, settings, run)

    if not run.observed:
        return await work(given, run)
    provider = model.profile.provider or model.provider
    asked = ModelRequest(provider, model.model, params=settings.params, base_url=model.base_url)
    about = {"request": asked}
    found = await observe.value(run, model.get_name(), "embedding", given, work, about=about)
    return cast(EmbeddingResult, found)


def fit(model: Embeddings, purpose: Purpose) -> EmbeddingSettings:
    """The settings to send; UnsupportedParameterError for a length that the model cannot make.

    A shorter vector is no stand-in, so "adapt" raises as well.
    """
    facts, params = model.profile.facts, dict(model.params)
    notes = Notes(model.on_unsupported, model=model.model)
    if (told := ageing(model.model, facts)) is not None:
        notes.tell("status", told)
    asked = params.get("dimensions")
    if asked is not None and (reason := _misfit(model.model, asked, facts)):
        if asked == facts.get("embedding_dimensions"):
            notes.record("dimensions", asked, None, "left out", "the model makes no others")
            del params["dimensions"]
        elif notes.refuse("dimensions", asked, reason, "ask for one that it makes"):
            del params["dimensions"]
    watch = Watch(cast(Timeout, model.timeout))
    return EmbeddingSettings(params, watch, purpose, notes)


def _misfit(model: str, asked: int, facts: Mapping[str, Any]) -> str | None:
    """Why a model cannot make vectors of this length; None if it can, or nobody knows."""
    limits, own = facts.get("parameters", {}).get("dimensions"), facts.get("embedding_dimensions")
    if limits is False:
        made = f" of {own} numbers" if own else ""
        return f"`{model}` makes vectors{made} of one length only, not of {asked}"
    if limits is None:
        return None
    if (values := limits.get("values")) is not None and asked not in values:
        listed = ", ".join(str(value) for value in values)
        return f"`{model}` makes vectors of {listed} numbers, not of {asked}"
    least, most = limits.get("minimum", 1), limits.get("maximum", asked)
    if not least <= asked <= most:
        return f"`{model}` makes vectors of {least} to {most} numbers, not of {asked}"
    return None


async def _all(
    model: Embeddings, texts: list[str], settings: EmbeddingSettings, run: Run
) -> EmbeddingResult:
    facts = model.profile.facts
    most = facts.get("max_batch_size") or type(model).most_texts
    cut = batches(texts, min(model.batch_size or most, most), facts.get("max_batch_tokens"))
    scope, found = Scope(run.scope), dict[int, EmbeddingResult]()
    inner = run if len(cut) < 2 else run.within(scope)

    async def do(item: tuple[int, list[str]]) -> None:
        found[item[0]] = await _request(model, item[1], settings, inner)

    if len(cut) == 1:
        await do((0, cut[0]))
    elif cut:
        await run.io.spread(enumerate(cut), do, run.budget, scope, len(cut))
    return _joined(model, settings, [found[at] for at in range(len(cut))])


async def _request(
    model: Embeddings, texts: list[str], settings: EmbeddingSettings, run: Run
) -> EmbeddingResult:
    """One request, tried again by itself where it fails."""
    run = run.bounded(run.bounds.hoping(settings.watch.timeout.total))
    policy = own_policy(model.max_retries)
    answer = await policy.value(lambda run: _once(model, texts, settings, run), run)
    return cast(EmbeddingResult, answer)


async def _once(
    model: Embeddings, texts: list[str], settings: EmbeddingSettings, run: Run
) -> EmbeddingResult:
    run.check()
    await model._prepare(run)
    gates = () if model.rate_limiter is None else (model.rate_limiter,)
    with await let_in(gates, TextsRequest(model, texts), run) as ticket:
        watch, asked = begun(settings, run, ticket)
        try:
            result = await run.io.bounded(model._embed(texts, asked, run), watch.left)
        except TimeoutError as error:
            if (late := late_error(error, watch)) is None:
                raise
            raise late from error
        _check(model, texts, asked, result)
        about = result.response_metadata
        if asked.notes.records:
            about["adapted"] = asked.notes.records
        if (cost := cost_of(result.usage_metadata, model.profile.facts)) is not None:
            about.setdefault("cost_usd", cost.total)
        ticket.answered(result.usage_metadata, about)
    return result


def _check(
    model: Embeddings, texts: list[str], asked: EmbeddingSettings, result: EmbeddingResult
) -> None:
    """Raises WireError where not every text has a vector of the length asked for."""
    vectors, wanted = result.vectors, asked.params.get("dimensions")
    if len(vectors) != len(texts):
        raise WireError(f"`{model.model}` gave {len(vectors)} vectors for {len(texts)} texts")
    other = next((len(one) for one in vectors if wanted and len(one) != wanted), None)
    if other is not None:
        raise WireError(
            f"`{model.model}` gave vectors of {other} numbers where `dimensions` = {wanted}; it "
            "may not know that parameter: leave it out"
        )


def _joined(
    model: Embeddings, settings: EmbeddingSettings, parts: list[EmbeddingResult]
) -> EmbeddingResult:
    """The results of all requests as one."""
    if not parts:
        return EmbeddingResult([])
    said = [part.response_metadata for part in parts]
    about = {"model_provider": model.provider, **said[0]}
    if ids := [id for one in said for id in one.get("request_ids", ())]:
        about["request_ids"] = ids
    if all("cost_usd" in one for one in said):
        about["cost_usd"] = sum(one["cost_usd"] for one in said)
    about["duration_s"] = settings.watch.figures["duration_s"]
    if served_other(model.model, about.get("model_name"), model.profile.model):
        about["model_asked"] = model.model
    usages = [part.usage_metadata for part in parts]
    usage = None if None in usages else reduce(add_usage, usages)
    return EmbeddingResult([vector for part in parts for vector in part.vectors], usage, about)


class TextsRequest:
    """See `rate_limiters.Request`: texts have tokens of input only."""

    output_tokens = longest_output = 0

    def __init__(self, model: Embeddings, texts: list[str]) -> None:
        self._model, self._texts, self.model = model, texts, model.model

    @cached_property
    def input_tokens(self) -> int:
        return sum(estimate(text) for text in self._texts)

    @property
    def most_input_tokens(self) -> int:
        return 2 * self.input_tokens

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        usage = {"input_tokens": input_tokens, "output_tokens": 0}
        found = cost_of(usage, self._model.profile.facts)
        return None if found is None else found.total
