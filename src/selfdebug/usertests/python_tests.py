"""Python tests as a user writes them: which runner they need, and how they come apart.

Doctests and scripts of asserts are cut into pieces that each have a result. It reads syntax and
runs nothing.

    selfdebug fix calc.py --tests check_calc.py
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

Piece = dict[str, Any]  # {"id", "line", "source"}, as sandbox/suite_script.py reads it
Runner = Literal["pytest", "script", "doctest"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_TRIPLE_QUOTED = re.compile(r"(\"\"\"|''')(.*?)\1", re.S)


def runner_of(text: str, suffix: str) -> Runner | None:
    """Return what runs a test file, or None when there is no test in it."""
    if suffix != ".py":
        return "doctest" if _examples(text) else None
    tree = parsed(text)
    if tree is None or has_tests(text):
        return "pytest"  # which also says best what is wrong with a file that does not parse
    return "script" if any(isinstance(node, ast.Assert) for node in ast.walk(tree)) else None


def has_tests(text: str) -> bool:
    """Tell whether there are tests that pytest would collect."""
    tree = parsed(text)
    return tree is not None and any(_is_test(node) for node in tree.body)


def _is_test(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        bases = (ast.unparse(base) for base in node.bases)
        return node.name.startswith("Test") or any("TestCase" in base for base in bases)
    return isinstance(node, _DEFINITIONS) and node.name.startswith("test")


def docstring_pieces(text: str, module: str) -> list[Piece]:
    """Return the doctests of a module, one piece for each docstring that has examples."""
    found = ((name, line, doc) for name, line, doc in _docstrings(text, module) if _examples(doc))
    return [{"id": name, "line": line, "source": doc} for name, line, doc in found]


def _docstrings(text: str, module: str) -> Iterator[tuple[str, int, str]]:
    tree = parsed(text)
    if tree is None:  # that may be what is to be mended
        for match in _TRIPLE_QUOTED.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{module}:{line}", line, match[2]
        return
    waiting: list[tuple[str, ast.AST]] = [(module, tree)]
    for name, node in waiting:
        if not isinstance(node, (ast.Module, *_DEFINITIONS)):
            continue
        doc = ast.get_docstring(node, clean=False)
        if doc is not None:
            yield name, node.body[0].lineno, doc
        if isinstance(node, ast.Module | ast.ClassDef):
            waiting += [
                (f"{name}.{child.name}", child)
                for child in node.body
                if isinstance(child, _DEFINITIONS)
            ]


def text_pieces(text: str, name: str) -> list[Piece]:
    """Return the doctests of a text: examples with nothing written between them are a piece."""
    lines = text.split("\n")
    starts: list[int] = []
    end = 0  # of the example before
    for example in _examples(text):
        if not starts or "".join(lines[end : example.lineno]).strip():
            starts.append(example.lineno)
        end = example.lineno + (example.source + example.want).count("\n")
    return [
        {"id": f"{name}:{start + 1}", "line": start + 1, "source": "\n".join(lines[start:stop])}
        for start, stop in pairwise([*starts, len(lines)])
    ]


def _examples(text: str) -> list[doctest.Example]:
    try:
        return doctest.DocTestParser().get_examples(text)
    except ValueError:  # what looks like a prompt is not one
        return []


def script_pieces(text: str, name: str) -> list[Piece]:
    """Return a script in pieces, each with a statement that tests something, at its end."""
    tree = parsed(text)
    lines = text.split("\n")
    pieces: list[Piece] = []
    for group in _groups(tree) if tree else ():
        first, last = first_line(group[0]), _end(group)
        tested = next((node.lineno for node in group if tree and checks(node, tree)), first)
        source = "\n".join(lines[first - 1 : last])
        pieces.append({"id": f"{name}:{tested}", "line": first, "source": source})
    return pieces


def _groups(tree: ast.Module) -> list[list[ast.stmt]]:
    found: list[list[ast.stmt]] = [[]]
    for node in tree.body:
        if found[-1] and checks(found[-1][-1], tree) and first_line(node) > _end(found[-1]):
            found.append([])
        found[-1].append(node)
    if len(found) > 1 and not any(checks(node, tree) for node in found[-1]):
        last = found.pop()  # what follows the last check belongs to it
        found[-1] += last
    return [group for group in found if group]


def checks(node: ast.stmt, tree: ast.Module) -> bool:
    """Tell whether a top-level statement tests something as it runs."""
    if isinstance(node, _DEFINITIONS):
        return False
    testing = {
        definition.name
        for definition in tree.body
        if isinstance(definition, _DEFINITIONS) and _asserts(definition)
    }
    calls = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
    return _asserts(node) or any(isinstance(f, ast.Name) and f.id in testing for f in calls)


def _asserts(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Assert) for part in ast.walk(node))


def first_line(node: ast.stmt) -> int:
    """Return the line a statement starts on, its decorators included."""
    decorators = node.decorator_list if isinstance(node, _DEFINITIONS) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _end(group: list[ast.stmt]) -> int:
    return group[-1].end_lineno or 0


def parsed(text: str) -> ast.Module | None:
    """Return a text's syntax tree, or None when it does not parse."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None
