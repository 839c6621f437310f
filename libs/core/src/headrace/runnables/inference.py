"""What a pipeline takes and gives, as far as annotations and its own shape say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import singledispatch
from typing import Any, NotRequired, Required, Union, get_args, get_origin

import typing_extensions
from typing_extensions import get_type_hints, is_typeddict

from headrace.engine.user import is_async_generator_function, is_generator_function
from headrace.runnables.annotations import class_types, item_type, parameter_type, result_type
from headrace.runnables.base import Runnable
from headrace.runnables.binding import RunnableBinding
from headrace.runnables.branch import RunnableBranch
from headrace.runnables.configurable import (
    RunnableConfigurableAlternatives,
    RunnableConfigurableFields,
)
from headrace.runnables.each import RunnableEach
from headrace.runnables.fallbacks import RunnableWithFallbacks
from headrace.runnables.function import RunnableLambda
from headrace.runnables.generator import RunnableGenerator
from headrace.runnables.parallel import RunnableParallel
from headrace.runnables.passthrough import RunnableAssign, RunnablePassthrough, RunnablePick
from headrace.runnables.reading import keys_read
from headrace.runnables.retry import RunnableRetry
from headrace.runnables.sequence import RunnableSequence

Keys = dict[str, tuple[Any, bool]]  # of a dict: the type of each value, and if it must be there


def input_type(step: Any) -> Any:
    """The type of a step's input; a TypedDict where it is a dict of known keys."""
    return takes(step)


def output_type(step: Any) -> Any:
    """The type of a step's output for the input it takes."""
    return gives(step, takes(step))


def keys_of(kind: Any) -> Keys | None:
    """The keys of a TypedDict; None for any other type."""
    if not is_typeddict(kind):
        return None
    required = kind.__required_keys__
    hints = get_type_hints(kind, include_extras=True)
    return {key: (_bare(hint), key in required) for key, hint in hints.items()}


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint


def _dict_of(keys: Keys, name: str = "Keys") -> Any:
    hints = {
        key: kind if required else typing_extensions.NotRequired[kind]
        for key, (kind, required) in keys.items()
    }
    make: Any = typing_extensions.TypedDict  # with keys that no checker can see
    return make(name, hints)


def _either(kinds: Iterable[Any]) -> Any:
    known = list(kinds)
    return Any if any(kind is Any for kind in known) else Union[tuple(known)]  # noqa: UP007 - computed


def _both(kinds: Iterable[Any], *, all_required: bool = True) -> Any:
    """What suits all of several steps: the keys of each, one common type, or else Any.

    A key is required if any step requires it, or with `all_required` False if all do.
    """
    known = [kind for kind in kinds if kind is not Any]
    if not known:
        return Any
    keyed = [keys_of(kind) for kind in known]
    if any(keys is None for keys in keyed):
        return known[0] if all(kind == known[0] for kind in known) else Any
    total: Keys = {}
    for keys in keyed:
        for key, (kind, required) in (keys or {}).items():
            old, before = total.get(key, (Any, False))
            total[key] = (kind if old is Any or old == kind else Any, required or before)
    if not all_required:
        total = {
            key: (kind, all(keys is not None and keys.get(key, (0, False))[1] for keys in keyed))
            for key, (kind, _) in total.items()
        }
    return _dict_of(total)


# What a step takes.


@singledispatch
def takes(step: Any) -> Any:
    """The type of the input; a new kind of step registers here, or says it itself.

    By a property `InputType`, or, as prompts do, by the names in `input_variables`.
    """
    if type(step).InputType is not Runnable.InputType:
        return step.InputType
    if hasattr(step, "input_variables"):
        optional = dict.fromkeys(getattr(step, "optional_variables", ()), (Any, False))
        return _dict_of({**optional, **dict.fromkeys(step.input_variables, (Any, True))})
    found = class_types(type(step))[0]
    return parameter_type(step._invoke, "input") if found is Any else found


@takes.register(RunnableLambda)
def _(step: RunnableLambda[Any, Any]) -> Any:
    function: Any = step.func or step.afunc
    kind = parameter_type(function)
    if kind is not Any and (get_origin(kind) or kind) not in (dict, Mapping):
        return kind
    value = get_args(kind)[1] if len(get_args(kind)) == 2 else Any
    keys = {key: (value, required) for key, required in keys_read(function).items()}
    return _dict_of(keys) if keys else kind


@takes.register(RunnableGenerator)
def _(step: RunnableGenerator[Any, Any]) -> Any:
    return item_type(parameter_type(_generator(step)))


@takes.register(RunnablePassthrough)
def _(step: RunnablePassthrough) -> Any:
    return Any if step.func is None else parameter_type(step.func)


@takes.register(RunnableAssign)
def _(step: RunnableAssign) -> Any:
    needed = takes(step.mapper)
    return dict[str, Any] if needed is Any else needed


@takes.register(RunnablePick)
def _(step: RunnablePick) -> Any:
    names = [step.keys] if isinstance(step.keys, str) else step.keys
    return _dict_of(dict.fromkeys(names, (Any, False)))


@takes.register(RunnableParallel)
def _(step: RunnableParallel[Any]) -> Any:
    return _both(takes(inner) for inner in step.steps.values())


@takes.register(RunnableSequence)
def _(step: RunnableSequence[Any, Any]) -> Any:
    return _needed(step.steps)


def _needed(steps: tuple[Any, ...]) -> Any:
    """What the first step takes, and later ones find in it where it hands its input on."""
    first, rest = steps[0], steps[1:]
    if not rest or not isinstance(first, RunnablePassthrough | RunnableAssign):
        return takes(first)
    later = _needed(rest)
    if isinstance(first, RunnablePassthrough):
        return _both([takes(first), later])
    made = first.mapper.steps
    others = {key: kind for key, kind in (keys_of(later) or {}).items() if key not in made}
    own = keys_of(takes(first)) or {}
    return _dict_of({**others, **own}) if others or own else dict[str, Any]


@takes.register(RunnableBranch)
def _(step: RunnableBranch[Any, Any]) -> Any:
    conditions = _both(takes(condition) for condition, _ in step.branches)
    chosen = (takes(inner) for inner in (*(one for _, one in step.branches), step.default))
    return _both([conditions, _both(chosen, all_required=False)])


@takes.register(RunnableBinding)
def _(step: RunnableBinding[Any, Any]) -> Any:
    return takes(step.bound) if step.input_type is None else step.input_type


@takes.register(RunnableRetry)
def _(step: RunnableRetry[Any, Any]) -> Any:
    return takes(step.bound)


@takes.register(RunnableEach)
def _(step: RunnableEach[Any, Any]) -> Any:
    return list[takes(step.bound)]  # type: ignore[misc]  # made at run time


@takes.register(RunnableWithFallbacks)
def _(step: RunnableWithFallbacks[Any, Any]) -> Any:
    return takes(step.runnable)


@takes.register(RunnableConfigurableFields)
@takes.register(RunnableConfigurableAlternatives)
def _(step: Any) -> Any:
    return takes(step.default)


# What a step gives.


@singledispatch
def gives(step: Any, given: Any) -> Any:
    """The type of the output for an input of type `given`; else as `takes`, with `OutputType`."""
    if type(step).OutputType is not Runnable.OutputType:
        return step.OutputType
    found = class_types(type(step))[1]
    return result_type(step._invoke) if found is Any else found


@gives.register(RunnableLambda)
def _(step: RunnableLambda[Any, Any], given: Any) -> Any:
    function: Any = step.func or step.afunc
    kind = result_type(function)
    generates = is_generator_function(function) or is_async_generator_function(function)
    return item_type(kind) if generates else kind


@gives.register(RunnableGenerator)
def _(step: RunnableGenerator[Any, Any], given: Any) -> Any:
    return item_type(result_type(_generator(step)))


def _generator(step: RunnableGenerator[Any, Any]) -> Any:
    return step._function or step._atransform


@gives.register(RunnablePassthrough)
def _(step: RunnablePassthrough, given: Any) -> Any:
    return given


@gives.register(RunnableAssign)
def _(step: RunnableAssign, given: Any) -> Any:
    made = keys_of(gives(step.mapper, given)) or {}
    return _dict_of({**(keys_of(given) or {}), **made}, step.get_name("output"))


@gives.register(RunnablePick)
def _(step: RunnablePick, given: Any) -> Any:
    known = keys_of(given) or {}
    if isinstance(step.keys, str):
        return known.get(step.keys, (Any, False))[0]
    return _dict_of({key: known.get(key, (Any, False)) for key in step.keys})


@gives.register(RunnableParallel)
def _(step: RunnableParallel[Any], given: Any) -> Any:
    made = {key: (gives(inner, given), True) for key, inner in step.steps.items()}
    return _dict_of(made, step.get_name("output"))


@gives.register(RunnableSequence)
def _(step: RunnableSequence[Any, Any], given: Any) -> Any:
    for inner in step.steps:
        given = gives(inner, given)
    return given


@gives.register(RunnableBranch)
def _(step: RunnableBranch[Any, Any], given: Any) -> Any:
    steps = (*(chosen for _, chosen in step.branches), step.default)
    return _either(gives(inner, given) for inner in steps)


@gives.register(RunnableBinding)
def _(step: RunnableBinding[Any, Any], given: Any) -> Any:
    return gives(step.bound, given) if step.output_type is None else step.output_type


@gives.register(RunnableRetry)
def _(step: RunnableRetry[Any, Any], given: Any) -> Any:
    return gives(step.bound, given)


@gives.register(RunnableEach)
def _(step: RunnableEach[Any, Any], given: Any) -> Any:
    item = get_args(given)[0] if get_origin(given) is list else Any
    return list[gives(step.bound, item)]  # type: ignore[misc]  # made at run time


@gives.register(RunnableWithFallbacks)
def _(step: RunnableWithFallbacks[Any, Any], given: Any) -> Any:
    return _either(gives(inner, given) for inner in (step.runnable, *step.fallbacks))


@gives.register(RunnableConfigurableFields)
def _(step: RunnableConfigurableFields, given: Any) -> Any:
    return gives(step.default, given)


@gives.register(RunnableConfigurableAlternatives)
def _(step: RunnableConfigurableAlternatives, given: Any) -> Any:
    made = [inner for inner in step.alternatives.values() if isinstance(inner, Runnable)]
    return _either(gives(inner, given) for inner in made)
