"""The steps of a pipeline as a graph, and its text for Mermaid."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from headrace.runnables.binding import RunnableBinding
from headrace.runnables.branch import RunnableBranch
from headrace.runnables.configurable import (
    RunnableConfigurableAlternatives,
    RunnableConfigurableFields,
)
from headrace.runnables.each import RunnableEach
from headrace.runnables.fallbacks import RunnableWithFallbacks
from headrace.runnables.parallel import RunnableParallel
from headrace.runnables.passthrough import RunnableAssign
from headrace.runnables.retry import RunnableRetry
from headrace.runnables.sequence import RunnableSequence
from headrace.runnables.structure import walk

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["end", "step", "choice", "join"]


@dataclass(frozen=True, slots=True)
class Node:
    """One step, the input or output (`end`), a `choice` between steps, or where steps `join`."""

    id: str
    name: str
    kind: Kind = "step"
    step: Any = None


@dataclass(frozen=True, slots=True)
class Edge:
    """From node to node, by id; `label` says when or for which key it is taken."""

    source: str
    target: str
    label: str | None = None


# Where the next step is attached: a node, and the label of the edge that leaves it.
Tail: TypeAlias = tuple[str, str | None]


@dataclass
class Graph:
    """`nodes` in the order of the pipeline and `edges` between them."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def add(
        self, name: str, tails: Iterable[Tail], kind: Kind = "step", step: Any = None
    ) -> list[Tail]:
        """Adds a node behind `tails`; gives the tail it makes."""
        node = Node(f"n{len(self.nodes)}", name, kind, step)
        self.nodes.append(node)
        self.edges.extend(Edge(source, node.id, label) for source, label in tails)
        return [(node.id, None)]

    def draw_mermaid(self, direction: str = "TD") -> str:
        """The graph as Mermaid text."""
        lines = [f"graph {direction};"]
        for node in self.nodes:
            before, after = _SHAPES[node.kind]
            lines.append(f'    {node.id}{before}"{_escaped(node.name)}"{after};')
        for edge in self.edges:
            label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
            lines.append(f"    {edge.source} -->{label} {edge.target};")
        return "\n".join(lines) + "\n"


_SHAPES: dict[Kind, tuple[str, str]] = {
    "end": ("([", "])"),
    "step": ("[", "]"),
    "choice": ("{", "}"),
    "join": ("((", "))"),
}


def _escaped(text: str) -> str:
    """Text inside a quoted label: what Mermaid or HTML would read becomes entities."""
    plain = "".join(f"#{ord(sign)};" if sign in '"#;<>&`\\|' else sign for sign in text)
    return " ".join(plain.split()) or " "


def graph_of(step: Any) -> Graph:
    """The graph of a step, from its input to its output."""
    graph = Graph()
    tails = _attach(step, graph, graph.add("Input", [], "end"))
    graph.add("Output", tails, "end")
    return graph


def prompts_in(step: Any) -> list[Any]:
    """The prompt templates in a step, in the order of the pipeline."""
    return [part for part in walk(step) if getattr(part, "run_type", None) == "prompt"]


@singledispatch
def _attach(step: Any, graph: Graph, tails: list[Tail]) -> list[Tail]:
    """Adds a step behind `tails`; gives the tails it ends in."""
    return graph.add(step.get_name(), tails, step=step)


@_attach.register(RunnableSequence)
def _(step: RunnableSequence[Any, Any], graph: Graph, tails: list[Tail]) -> list[Tail]:
    for inner in step.steps:
        tails = _attach(inner, graph, tails)
    return tails


@_attach.register(RunnableBinding)
@_attach.register(RunnableRetry)
@_attach.register(RunnableConfigurableFields)
def _(step: Any, graph: Graph, tails: list[Tail]) -> list[Tail]:
    inner = step.default if isinstance(step, RunnableConfigurableFields) else step.bound
    return _attach(inner, graph, tails)


@_attach.register(RunnableEach)
def _(step: RunnableEach[Any, Any], graph: Graph, tails: list[Tail]) -> list[Tail]:
    return _attach(step.bound, graph, _labelled(tails, "each item"))


@_attach.register(RunnableParallel)
def _(step: RunnableParallel[Any], graph: Graph, tails: list[Tail]) -> list[Tail]:
    return graph.add(_keys(step), _fan(step, graph, tails), "join", step)


@_attach.register(RunnableAssign)
def _(step: RunnableAssign, graph: Graph, tails: list[Tail]) -> list[Tail]:
    reached = [*tails, *_fan(step.mapper, graph, tails)]
    return graph.add(f"+ {_keys(step.mapper)}", reached, "join", step)


def _fan(step: RunnableParallel[Any], graph: Graph, tails: list[Tail]) -> list[Tail]:
    reached: list[Tail] = []
    for key, inner in step.steps.items():
        reached += _attach(inner, graph, _labelled(tails, key))
    return reached


def _keys(step: RunnableParallel[Any]) -> str:
    return ", ".join(step.steps)


@_attach.register(RunnableBranch)
def _(step: RunnableBranch[Any, Any], graph: Graph, tails: list[Tail]) -> list[Tail]:
    ways = [(condition.get_name(), chosen) for condition, chosen in step.branches]
    return _choice(step, graph, tails, [*ways, ("default", step.default)])


@_attach.register(RunnableWithFallbacks)
def _(step: RunnableWithFallbacks[Any, Any], graph: Graph, tails: list[Tail]) -> list[Tail]:
    others = [(f"fallback {number}", one) for number, one in enumerate(step.fallbacks, 1)]
    name = f"{step.get_name()} or fallbacks"
    return _choice(step, graph, tails, [("first", step.runnable), *others], name)


@_attach.register(RunnableConfigurableAlternatives)
def _(step: RunnableConfigurableAlternatives, graph: Graph, tails: list[Tail]) -> list[Tail]:
    return _choice(step, graph, tails, list(step.alternatives.items()), step.which.id)


def _choice(
    step: Any, graph: Graph, tails: list[Tail], ways: list[tuple[str, Any]], name: str = ""
) -> list[Tail]:
    [(choice, _)] = graph.add(name or step.get_name(), tails, "choice", step)
    reached: list[Tail] = []
    for label, inner in ways:
        if hasattr(inner, "get_name"):
            reached += _attach(inner, graph, [(choice, label)])
        else:  # a function that makes the step when it is asked for
            reached += graph.add(label, [(choice, label)])
    return reached


def _labelled(tails: list[Tail], label: str) -> list[Tail]:
    """Tails whose edges bear a label, behind the one they have."""
    return [(node, f"{old}, {label}" if old else label) for node, old in tails]
