"""A script of asserts as tests that are judged by values: the candidate never sees them.

That works where the script does nothing with the file's functions and classes but call them, and
where its asserts come apart; everything else runs beside the candidate instead. Whether a script
kept its meaning is checked by running it both ways (see interfaces/fix.py).

    selfdebug fix calc.py --tests check_calc.py
"""

from __future__ import annotations

import ast
import builtins
import copy
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from selfdebug.types import Test
from selfdebug.usertests import groups, python_tests
from selfdebug.usertests.groups import Role, Statement, Unsuited

Split = tuple[Test, tuple[str, ...]]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CACHES = {"cache", "lru_cache", "functools.cache", "functools.lru_cache"}
_OWN_IDENTITY = {"__name__", "__file__", "__doc__", "globals", "locals", "exec", "eval"}


@dataclass(slots=True)
class _Imports:
    """How the script imports the file: statements, and the local names that they bind."""

    statements: list[ast.stmt] = field(default_factory=list[ast.stmt])
    names: dict[str, str] = field(default_factory=dict[str, str])  # local name -> the file's
    modules: set[str] = field(default_factory=set[str])


def split(script: str, file: str, modules: set[str], label: str) -> list[Split]:
    """Return the tests of a script, each with the ids of the asserts that it stands for.

    modules: the names that the file may be imported by. Raises Unsuited.
    """
    tree, program = python_tests.parsed(script), python_tests.parsed(file)
    if tree is None or program is None:
        raise Unsuited("it does not parse")
    _only_standard_library(program, set())
    _only_standard_library(tree, modules)
    callables = set(_callables(program))
    imports = _imports(tree, modules, callables)
    _check_uses(tree, imports, callables)
    kept = [node for node in tree.body if _role(node, tree, imports) == "keep"]
    made = ast.Module([node for node in tree.body if node not in kept], [])
    statements = [_statement(node, tree, imports, set(_bound(made))) for node in tree.body]
    aliases = [f"{local} = {name}\n" for local, name in imports.names.items() if local != name]
    found: list[Split] = []
    for group in groups.group(statements):
        own = [tree.body[i] for i in group if statements[i].role not in ("keep", "drop")]
        body = _Plain(imports).visit(copy.deepcopy(ast.Module([*kept, *own], [])))
        text = "".join(aliases) + ast.unparse(ast.fix_missing_locations(body)) + "\n"
        lines = [tree.body[i].lineno for i in group if statements[i].role == "check"]
        ids = tuple(dict.fromkeys(f"{label}:{line}" for line in lines))
        found.append((Test(ids[0], "program", text), ids))
    return found


def _only_standard_library(tree: ast.Module, besides: set[str]) -> None:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            if node.level:
                raise Unsuited("it imports by a relative name")
            if {str(node.module), *names} & besides:
                continue
        for name in names:
            if name not in besides and name.split(".")[0] not in sys.stdlib_module_names:
                raise Unsuited(f"it imports {name}")


def _callables(program: ast.Module) -> Iterator[str]:
    """Yield the file's functions and classes that can be called from afar."""
    for node in program.body:
        if isinstance(node, ast.FunctionDef):
            decorators = {ast.unparse(d).partition("(")[0] for d in node.decorator_list}
            if decorators <= _CACHES and not _yields(node):
                yield node.name
        elif isinstance(node, ast.ClassDef):
            methods = [child for child in node.body if isinstance(child, _FUNCTIONS)]
            special = {m.name for m in methods if m.name.startswith("__")} - {"__init__"}
            odd = node.bases or node.keywords or node.decorator_list or special
            if not odd and not any(_yields(m) for m in methods):
                yield node.name


def _yields(function: ast.stmt) -> bool:
    waiting = (ast.Yield, ast.YieldFrom, ast.Await)
    return isinstance(function, ast.AsyncFunctionDef) or any(
        isinstance(node, waiting) for node in ast.walk(function)
    )


def _imports(tree: ast.Module, modules: set[str], callables: set[str]) -> _Imports:
    found = _Imports()
    for node in tree.body:
        if isinstance(node, ast.Import) and modules & {alias.name for alias in node.names}:
            bound = {alias.asname or alias.name for alias in node.names}
            if len(node.names) > 1 or any("." in name for name in bound):
                raise Unsuited("it imports the file in a way that is hard to take apart")
            found.modules |= bound
            found.statements.append(node)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            found.names.update((alias.asname or alias.name, alias.name) for alias in node.names)
            if found.names.pop("*", ""):
                found.names.update((name, name) for name in callables)
            found.statements.append(node)
        elif isinstance(node, ast.ImportFrom):
            paths = {f"{node.module}.{alias.name}" for alias in node.names}
            if paths & modules:
                found.modules |= {alias.asname or alias.name for alias in node.names}
                found.statements.append(node)
    if not found.statements:
        raise Unsuited("it does not import the file by name")
    return found


def _check_uses(tree: ast.Module, imports: _Imports, callables: set[str]) -> None:
    """Raise Unsuited unless the file's names are only called, and nothing hides them."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in tree.body:
            raise Unsuited("it imports inside a function")
        if not isinstance(node, ast.Name):
            continue
        if node.id in _OWN_IDENTITY:
            raise Unsuited(f"it uses {node.id}")
        reference: ast.expr = node
        name = imports.names.get(node.id, "")
        if node.id in imports.modules:
            parent = parents[node]
            if not isinstance(parent, ast.Attribute):
                raise Unsuited("it uses the module itself")
            reference, name = parent, parent.attr
        if not name:
            continue
        call = parents[reference]
        if name not in callables or not (isinstance(call, ast.Call) and call.func is reference):
            raise Unsuited(f"it does more with {name} than call it")
        used.add(name)
    bound = set(_bound(tree)) - {local for local, name in imports.names.items() if local == name}
    if hidden := used & (bound | set(dir(builtins))):
        raise Unsuited(f"it has another {min(hidden)}")
    if set(_bound(tree)) & imports.modules or len(set(imports.names) & bound):
        raise Unsuited("it binds a name of the file anew")


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield every name that the script itself binds, imports aside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield node.name


def _statement(
    node: ast.stmt, tree: ast.Module, imports: _Imports, changing: set[str]
) -> Statement:
    mentions = frozenset(_names(node) & changing)
    return Statement(
        role=_role(node, tree, imports),
        first=python_tests.first_line(node),
        last=node.end_lineno or node.lineno,
        mentions=mentions,
        renews=_renewed(node),
    )


def _role(node: ast.stmt, tree: ast.Module, imports: _Imports) -> Role:
    if node in imports.statements or (
        isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ):
        return "drop"
    if _is_kept(node, tree):
        return "keep"
    if python_tests.checks(node, tree):
        return "check"
    if not isinstance(node, ast.Expr):
        return "make"
    call = node.value
    silent = isinstance(call, ast.Constant)
    prints = isinstance(call, ast.Call) and ast.unparse(call.func) == "print"
    return "talk" if silent or prints else "act"


def _is_kept(node: ast.stmt, tree: ast.Module) -> bool:
    """Tell whether a statement may be repeated for each test: it makes nothing that changes."""
    if isinstance(node, (ast.Import, ast.ImportFrom, *_FUNCTIONS, ast.ClassDef)):
        return True
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
        return False
    once = sum(name == node.targets[0].id for name in _bound(tree)) == 1
    return once and len(node.targets) == 1 and _immutable(node.value)


def _immutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple):
        return all(map(_immutable, value.elts))
    if isinstance(value, ast.UnaryOp):
        return _immutable(value.operand)
    return isinstance(value, ast.Constant)


def _renewed(node: ast.stmt) -> str:
    """Return the variable that a statement gives a value that owes nothing to the one before."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id not in _names(node.value):
            return target.id
    return ""


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


class _Plain(ast.NodeTransformer):
    """Writes `calc.add` as `add`."""

    def __init__(self, imports: _Imports) -> None:
        self._modules = imports.modules

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Replace an attribute of the module by the name alone."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            return ast.Name(node.attr, node.ctx)
        return node
