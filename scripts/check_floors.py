"""Faults in the structure of the tree: floors, cycles, names, sizes, foreign imports.

DESIGN's rules on who may import whom, read from the source by `ast`; nothing is imported.
`python scripts/check_floors.py [ROOT]` prints `path:line: what is wrong` and exits 1.
An import under TYPE_CHECKING may look upward if its line says why: `# upward: <reason>`.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CORE = "libs/core/src/headrace"
PARTNERS = ("libs/partners/*/src/*", "libs/adapters/*/src/*")

# Lowest first; on one floor a package imports only what stands to its left.
FLOORS = (
    "deferred errors messages",
    "engine callbacks profiles",
    "runnables",
    (
        "tools output_parsers prompts rate_limiters caches credentials"
        " chat_models transport embeddings"
    ),
    "registry init cards",
    "testing cli serve otel __main__",
)
RANK = {name: rank for rank, name in enumerate(" ".join(FLOORS).split())}

CORE_MAY_IMPORT = frozenset({"headrace", "pydantic", "pydantic_core", "typing_extensions"})
CONCURRENCY = frozenset({"asyncio", "threading", "_thread", "concurrent", "multiprocessing"})
# Of the SDKs, not of the core: loaded by them anyway, and only inside functions here.
TRANSPORT_MAY_DEFER = frozenset({"httpx2", "httpx"})
LOCKS = frozenset({"threading.Lock", "threading.RLock"})  # guarding a table is not waiting
TASK_BOUND = frozenset({"TaskGroup", "create_task_group", "timeout", "timeout_at", "fail_after"})
EVENT_LOOPS = frozenset({"asyncio", "anyio"})
NO_IDEA = re.compile(r"(^|_)(utils?|helpers?|commons?|misc|base)(_|\d|$)|^base")
MAX_LINES = 500

VENDORS = re.compile(
    r"openai|anthropic|claude|gemini|google|mistral|ollama|bedrock|hugging_?face|dashscope"
    r"|qwen|azure|deepseek|moonshot|openrouter|(?<![a-z])(aws|xai|grok|groq|kimi|cohere)(?![a-z])",
    re.IGNORECASE,
)
# Words of message formats that many share: public names of the field, a key of foreign dumps.
FORMAT_NAMES = re.compile(
    r"(convert_to|to|from)_openai_(messages?|tools?|functions?)|__openai_role__"
)


@dataclass(frozen=True)
class Import:
    """One imported module or name; `deferred` inside a function, `typing` under TYPE_CHECKING."""

    target: str
    line: int
    deferred: bool = False
    typing: bool = False

    @property
    def eager(self) -> bool:
        """Whether it happens when the importing module is imported."""
        return not (self.deferred or self.typing)


@dataclass
class Module:
    """One parsed file; `name` is dotted, a package's is that of its `__init__`."""

    path: Path
    name: str
    lines: list[str]
    tree: ast.Module
    imports: list[Import] = field(default_factory=list)

    @property
    def package(self) -> str:
        """The part of the core it belongs to: `engine` for headrace.engine.run."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""


def main(argv: list[str]) -> int:
    root = Path(argv[0]) if argv else Path(__file__).resolve().parent.parent
    found = check(root)
    print("\n".join(found) if found else "floors: in order")
    return 1 if found else 0


def check(root: Path) -> list[str]:
    """Every fault in the tree at `root`, as `path:line: message`, in order of path."""
    core = _load(root, root / CORE)
    found_there = sorted(path for pattern in PARTNERS for path in root.glob(pattern))
    partners = [_load(root, path) for path in found_there if path.is_dir()]
    found = list(_sizes(root))
    for module in core.values():
        found += _core_faults(module, core)
    found += _asyncio_loaded(core)
    for modules in (core, *partners):
        found += _cycles(modules)
        bases = _class_names_derived_from(modules)
        for module in modules.values():
            found += _names(module, bases)
            found += _task_bound(module)
    for modules in partners:
        for module in modules.values():
            found += _private_names(module)
    return sorted(found)


def _load(root: Path, package: Path) -> dict[str, Module]:
    """The package's modules by dotted name, imports resolved to modules where they are ours."""
    modules: dict[str, Module] = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
        modules[name] = Module(path.relative_to(root), name, text.splitlines(), tree)
    for module in modules.values():
        module.imports = list(_imports(module, module.tree, modules))
    return modules


def _imports(
    module: Module,
    node: ast.AST,
    modules: dict[str, Module],
    deferred: bool = False,
    typing: bool = False,
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, deferred, typing)
        elif isinstance(child, ast.ImportFrom):
            source = _absolute(module, child)
            for alias in child.names:
                dotted = f"{source}.{alias.name}"
                if dotted in LOCKS:
                    continue
                target = dotted if dotted in modules else source
                yield Import(target, child.lineno, deferred, typing)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            body = ast.Module(child.body, [])
            otherwise = ast.Module(child.orelse, [])
            yield from _imports(module, body, modules, deferred, typing=True)
            yield from _imports(module, otherwise, modules, deferred, typing)
        else:
            inside = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(module, child, modules, inside, typing)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    here = module.name.split(".")
    drop = node.level - (module.path.name == "__init__.py")
    return ".".join(here[: len(here) - drop] + ([node.module] if node.module else []))


def _core_faults(module: Module, core: dict[str, Module]) -> Iterator[str]:
    yield from _floor(module)
    if not _is_data(module.tree):
        yield from _vendors(module)
    for imported in module.imports:
        top = imported.target.split(".")[0]
        ours = top in CORE_MAY_IMPORT or top in sys.stdlib_module_names
        if imported.deferred and module.package == "transport" and top in TRANSPORT_MAY_DEFER:
            continue
        if top == "opentelemetry" and module.package == "otel":
            continue  # an extra, which nothing else imports
        if top == "pytest" and ".conformance" in module.name:
            continue  # a suite of tests, for those who run it
        if not ours:
            yield _fault(module, imported.line, f"the core may not import `{top}`")
        if top == "headrace" and imported.target not in core:
            yield _fault(module, imported.line, f"no module `{imported.target}`")
        if top in CONCURRENCY and imported.eager and not _may_wait(module):
            yield _fault(module, imported.line, f"`{top}` outside engine/: use `run.io`")


def _may_wait(module: Module) -> bool:
    """The engine; and the conformance suite, which is tests and calls models as users do."""
    return module.package == "engine" or ".conformance" in module.name


def _asyncio_loaded(core: dict[str, Module]) -> Iterator[str]:
    """Modules of the engine with asyncio at their top that others load: a sync program would."""
    todo = [name for name, module in core.items() if module.package != "engine"]
    loaded_by = {name: name for name in todo}
    while todo:
        name = todo.pop()
        for imported in core[name].imports:
            if not imported.eager:
                continue
            if imported.target == "asyncio" and core[name].package == "engine":
                who = f"loaded by {loaded_by[name]}: import it where it is used"
                yield _fault(core[name], imported.line, f"`asyncio` is {who}")
            if imported.target in core and imported.target not in loaded_by:
                loaded_by[imported.target] = loaded_by[name]
                todo.append(imported.target)


def _floor(module: Module) -> Iterator[str]:
    """Imports of what stands higher or further right; the lazy `headrace/__init__` is exempt."""
    if not module.package:
        return
    if module.package not in RANK:
        yield _fault(module, 1, f"`{module.package}` has no floor; add it to FLOORS or move it")
        return
    for imported in module.imports:
        parts = imported.target.split(".")
        if parts[0] != "headrace" or _says_why(module, imported):
            continue
        if len(parts) == 1:
            yield _fault(module, imported.line, "imports `headrace` itself, which is above all")
        elif RANK.get(parts[1], -1) > RANK[module.package]:
            what = f"`{module.package}` imports `{parts[1]}`, which stands above it"
            yield _fault(module, imported.line, what)


def _says_why(module: Module, imported: Import) -> bool:
    return imported.typing and bool(re.search(r"# upward: \w", module.lines[imported.line - 1]))


def _cycles(modules: dict[str, Module]) -> Iterator[str]:
    """One cycle, if there is any; imports for typing alone make none."""
    graph = {
        name: {i.target for i in module.imports if not i.typing and i.target in modules} - {name}
        for name, module in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]
        yield _fault(modules[cycle[0]], 1, f"import cycle: {' -> '.join(cycle)}")


def _class_names_derived_from(modules: dict[str, Module]) -> set[str]:
    names: set[str] = set()
    for module in modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                bases = [b.value if isinstance(b, ast.Subscript) else b for b in node.bases]
                names |= {ast.unparse(base).split(".")[-1] for base in bases}
    return names


def _names(module: Module, bases: set[str]) -> Iterator[str]:
    """Modules named for no idea; `base` is a name only for the home of a base class."""
    stem = module.name.split(".")[-1]
    if not (match := NO_IDEA.search(stem)):
        return
    defined = {node.name for node in module.tree.body if isinstance(node, ast.ClassDef)}
    if "base" in match.group() and (defined & bases or any(n.startswith("Base") for n in defined)):
        return
    yield _fault(module, 1, f"`{stem}` names no idea; name the module for what it does")


def _vendors(module: Module) -> Iterator[str]:
    """Vendors' names in identifiers and strings; comments and docstrings may cite them."""
    docstrings = {id(doc.value) for node in ast.walk(module.tree) if (doc := _docstring(node))}
    for part in module.name.split("."):
        if VENDORS.search(FORMAT_NAMES.sub("", part)):
            yield _fault(module, 1, f"a vendor's name in the core: `{part}`")
    for node in ast.walk(module.tree):
        if id(node) in docstrings:
            continue
        for text in _words(node):
            if match := VENDORS.search(FORMAT_NAMES.sub("", text)):
                line = getattr(node, "lineno", 1)
                yield _fault(module, line, f"a vendor's name in the core: `{match.group()}`")


def _words(node: ast.AST) -> Iterator[str]:
    for attribute in ("id", "attr", "name", "arg", "value"):
        if isinstance(text := getattr(node, attribute, None), str):
            yield text


def _docstring(node: ast.AST) -> ast.Expr | None:
    match getattr(node, "body", None):
        case [ast.Expr(value=ast.Constant()) as first, *_]:
            return first
    return None


def _is_data(tree: ast.Module) -> bool:
    """Whether a module only assigns: a table, where vendors' names belong."""
    tables = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    rest = [node for node in tree.body if node not in tables and _docstring(tree) is not node]
    return bool(tables) and all(isinstance(node, ast.Import | ast.ImportFrom) for node in rest)


def _task_bound(module: Module) -> Iterator[str]:
    """What belongs to a task but lives across a `yield`: the consumer would be cancelled by it."""
    from_loops = {
        alias.asname or alias.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module in EVENT_LOOPS
        for alias in node.names
    }
    for function in ast.walk(module.tree):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        own = list(_own_nodes(function))
        if not any(isinstance(node, ast.Yield) for node in own):
            continue
        for node in own:
            if isinstance(node, ast.Call) and (what := _bound_to_task(node, from_loops)):
                where = f"in the async generator `{function.name}`"
                yield _fault(module, node.lineno, f"`{what}` {where} belongs to one task")


def _own_nodes(function: ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's body without those of functions defined inside it."""
    inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if not isinstance(node, inner):
            yield node
            stack += ast.iter_child_nodes(node)


def _bound_to_task(call: ast.Call, from_loops: set[str]) -> str | None:
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in EVENT_LOOPS:
            return name if name in TASK_BOUND else None
        case ast.Attribute(attr="reset") if len(call.args) == 1:
            return ".reset(token)"
        case ast.Name(id=name) | ast.Attribute(attr=name) if name.endswith("TaskGroup"):
            return name
        case ast.Name(id=name) if name in from_loops & TASK_BOUND:
            return name
    return None


def _private_names(module: Module) -> Iterator[str]:
    """Names of the core that a partner may not use: whatever starts with an underscore."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        else:
            continue
        for name in dotted:
            parts = name.split(".")
            if parts[0] == "headrace" and any(part.startswith("_") for part in parts):
                yield _fault(module, node.lineno, f"`{name}` is private to the core")


def _sizes(root: Path) -> Iterator[str]:
    for folder in ("libs", "scripts", "tests"):
        for path in sorted((root / folder).rglob("*.py")):
            count = len(path.read_text(encoding="utf-8").splitlines())
            if count > MAX_LINES:
                yield f"{path.relative_to(root)}:1: {count} lines; at most {MAX_LINES}"


def _fault(module: Module, line: int, message: str) -> str:
    return f"{module.path.as_posix()}:{line}: {message}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
