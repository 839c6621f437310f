"""A pipeline as a graph, and as Mermaid text."""

from __future__ import annotations

from typing import Any

from headrace.runnables import (
    ConfigurableField,
    Runnable,
    RunnableBranch,
    RunnableLambda,
    RunnablePassthrough,
)


def named(name: str) -> RunnableLambda[Any, Any]:
    return RunnableLambda(lambda x: x, name=name)


def edges(step: Runnable[Any, Any]) -> list[str]:
    """`from > to`, and the label, by the names of nodes."""
    graph = step.get_graph()
    names = {node.id: node.name for node in graph.nodes}
    return [
        f"{names[edge.source]} > {names[edge.target]}" + (f" ({edge.label})" if edge.label else "")
        for edge in graph.edges
    ]


a, b, c = named("a"), named("b"), named("c")


def test_a_sequence_is_a_path_from_input_to_output() -> None:
    assert edges(a | b) == ["Input > a", "a > b", "b > Output"]


def test_a_parallel_step_forks_by_key_and_joins() -> None:
    assert edges(a | {"x": b, "y": b | c}) == [
        "Input > a",
        "a > b (x)",
        "a > b (y)",
        "b > c",
        "b > x, y",
        "c > x, y",
        "x, y > Output",
    ]


def test_an_assigned_key_joins_the_input_it_was_made_from() -> None:
    step = RunnablePassthrough.assign(x=a)
    assert edges(step) == ["Input > a (x)", "Input > + x", "a > + x", "+ x > Output"]


def test_a_branch_is_a_choice_whose_steps_lead_on() -> None:
    step = RunnableBranch((named("is a"), a), b) | c
    assert edges(step) == [
        "Input > RunnableBranch",
        "RunnableBranch > a (is a)",
        "RunnableBranch > b (default)",
        "a > c",
        "b > c",
        "c > Output",
    ]


def test_configs_bindings_and_retries_are_seen_through() -> None:
    step = a.with_config(tags=["t"]).with_retry() | b.bind(k=1).map()
    assert edges(step) == ["Input > a", "a > b (each item)", "b > Output"]


def test_fallbacks_and_alternatives_are_choices() -> None:
    assert "a or fallbacks > b (fallback 1)" in edges(a.with_fallbacks([b]))
    alternatives = a.configurable_alternatives(ConfigurableField("which"), other=lambda: b)
    assert {"which > a (default)", "which > other (other)"} <= set(edges(alternatives))


def test_mermaid_text_shows_nodes_by_shape_and_edges_by_label() -> None:
    text = (a | {"x": b}).get_graph().draw_mermaid()
    assert text.splitlines() == [
        "graph TD;",
        '    n0(["Input"]);',
        '    n1["a"];',
        '    n2["b"];',
        '    n3(("x"));',
        '    n4(["Output"]);',
        "    n0 --> n1;",
        '    n1 -->|"x"| n2;',
        "    n2 --> n3;",
        "    n3 --> n4;",
    ]


def test_names_cannot_break_out_of_the_mermaid_text() -> None:
    text = named('x"];\n  evil --> n0; <b>`md`#').get_graph().draw_mermaid()
    assert len(text.splitlines()) == 6
    assert '    n1["x#34;]#59; evil --#62; n0#59; #60;b#62;#96;md#96;#35;"];' in text


def test_prompts_are_found_in_order_wherever_they_stand() -> None:
    class Prompt(Runnable[Any, Any]):
        run_type = "prompt"

        async def _invoke(self, input: Any, run: Any) -> Any:
            return input

    one, two, three = Prompt(), Prompt(), Prompt()
    step = one.with_config(tags=["t"]) | {"x": two | a} | RunnableBranch((a, three.with_retry()), b)
    assert step.get_prompts() == [one, two, three]
