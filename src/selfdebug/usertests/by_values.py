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
from selfdebug.usertests import python_tests

Statements = list[ast.stmt]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CACHES = {"cache", "lru_cache", "functools.cache", "functools.lru_cache"}
_OWN_IDENTITY = {"__name__", "__file__", "__doc__", "globals", "locals", "exec", "eval"}


class Unsuited(Exception):
    """The script, or the file, does something that values alone cannot carry; it says what."""


@dataclass(slots=True)
class _Imports:
    """How the script imports the file: statements, and the local names that they bind."""

    statements: Statements = field(default_factory=list[ast.stmt])
    names: dict[str, str] = field(default_factory=dict[str, str])  # local name -> the file's
    modules: set[str] = field(default_factory=set[str])


def by_values(
    script: str, file: str, modules: set[str], label: str
) -> tuple[list[Test], list[Statements]]:
    """Return the tests of a script, and the groups of its statements that they stand for.

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
    preamble = [node for node in tree.body if _is_preamble(node, tree, imports)]
    groups = _groups(tree, preamble, imports)
    pieces = python_tests.script_pieces(script, label, groups)
    aliases = [f"{local} = {name}\n" for local, name in imports.names.items() if local != name]
    tests: list[Test] = []
    for group, piece in zip(groups, pieces, strict=True):
        own = [n for n in group if n not in preamble and n not in imports.statements]
        body = _Plain(imports).visit(copy.deepcopy(ast.Module([*preamble, *own], [])))
        text = "".join(aliases) + ast.unparse(ast.fix_missing_locations(body)) + "\n"
        tests.append(Test(piece["id"], "program", text))
    return tests, groups


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


def _is_preamble(node: ast.stmt, tree: ast.Module, imports: _Imports) -> bool:
    """Tell whether a statement may be repeated for each test: it makes nothing that changes."""
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return False
    if isinstance(node, ast.Import | ast.ImportFrom):
        return node not in imports.statements
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return True
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        once = sum(name == node.targets[0].id for name in _bound(tree)) == 1
        return once and len(node.targets) == 1 and _immutable(node.value)
    return False


def _immutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple):
        return all(map(_immutable, value.elts))
    if isinstance(value, ast.UnaryOp):
        return _immutable(value.operand)
    return isinstance(value, ast.Constant)


def _groups(tree: ast.Module, preamble: Statements, imports: _Imports) -> list[Statements]:
    """Return the statements in groups that share no variable, each with a check in it."""
    stateful = {
        name
        for node in tree.body
        if node not in preamble
        for name in _bound(ast.Module([node], []))
    }
    spans = _spans(tree, preamble, imports, stateful)
    groups: list[Statements] = [[]]
    for index, node in enumerate(tree.body):
        before = groups[-1]
        apart = not any(start < index <= end for start, end in spans)
        tested = any(python_tests.checks(each, tree) for each in before)
        if tested and apart and python_tests.first_line(node) > (before[-1].end_lineno or 0):
            groups.append([])
        groups[-1].append(node)
    if not any(python_tests.checks(node, tree) for node in groups[-1]):
        last = groups.pop()
        if not groups:
            raise Unsuited("it asserts nothing")
        groups[-1] += last
    return groups


def _spans(
    tree: ast.Module, preamble: Statements, imports: _Imports, stateful: set[str]
) -> list[tuple[int, int]]:
    """Return the stretches of statements that a variable's value ties together."""
    spans: list[tuple[int, int]] = []
    alive: dict[str, int] = {}  # variable -> index in spans
    for index, node in enumerate(tree.body):
        mentioned = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & stateful
        if node in preamble:
            if mentioned:
                raise Unsuited(f"a function of it uses the variable {min(mentioned)}")
            continue
        if node in imports.statements or isinstance(node, ast.ImportFrom):
            continue
        if isinstance(node, ast.Expr) and not python_tests.checks(node, tree) and not mentioned:
            if not _prints(node):
                raise Unsuited(f"line {node.lineno} acts on something out of sight")
            continue
        for name in sorted(mentioned):
            if name not in alive or _starts_anew(node, name):
                alive[name] = len(spans)
                spans.append((index, index))
            spans[alive[name]] = (spans[alive[name]][0], index)
    return spans


def _starts_anew(node: ast.stmt, name: str) -> bool:
    """Tell whether a statement gives a variable a value that owes nothing to the one before."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return False
    target = node.targets[0]
    read = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
    return isinstance(target, ast.Name) and target.id == name and name not in read


def _prints(node: ast.Expr) -> bool:
    if isinstance(node.value, ast.Constant):
        return True
    call = node.value
    return isinstance(call, ast.Call) and ast.unparse(call.func) == "print"


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
