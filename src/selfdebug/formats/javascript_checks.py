"""Split JavaScript test programs into independent tests, and find each one's expected value.

Two styles are known: a function of `console.assert(...)` statements (HumanEval-X) and groups of
`var x0 = f(..); var v0 = ..; if (!compare(x0, v0)) throw` (MBXP). It runs nothing.

    python -m pytest tests/test_formats.py -k javascript
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_EQUAL = {"==", "==="}


@dataclass(frozen=True, slots=True)
class Check:
    """One test: its program, and the expression for the value that it expects ("" if unknown)."""

    body: str
    expected: str = ""


def split_asserts(source: str) -> list[Check]:
    """Split `const test = () => {...}; test()` into one check for each console.assert.

    Declarations stand before every assert that follows them, loops with them: that is set-up
    unless it asserts by itself. A loop of asserts is one check.
    """
    set_up: list[str] = []
    checks: list[Check] = []
    for node in _test_function(_parse(source)).named_children:
        text = _text(node)
        if node.type == "comment":
            continue
        if "console.assert(" not in text:
            set_up.append(text)
        else:
            call = node.named_children[0]
            expected = _expected(call) if node.type == "expression_statement" else ""
            checks.append(Check("\n".join([*set_up, text]) + "\n", expected))
    return checks


def split_groups(source: str) -> list[list[tuple[str, str]]]:
    """Split MBXP's test program into groups of (variable, expression), one for each comparison."""
    groups: list[list[tuple[str, str]]] = [[]]
    for node in _parse(source).named_children:
        if node.type == "variable_declaration":
            name, value = node.named_children[0].named_children
            groups[-1].append((_text(name), _text(value)))
        elif node.type == "if_statement":
            groups.append([])
    return groups[:-1]


def expected_value(source: str) -> str:
    """Return the expression that the last assert of a program expects, "" if there is none."""
    last = _parse(source).named_children[-1]
    return _expected(last.named_children[0]) if last.type == "expression_statement" else ""


def declared(source: str, name: str) -> str:
    """Return everything of a program that stands before the top-level declaration of `name`."""
    for node in _parse(source).named_children:
        if name in _declares(node):
            return source.encode()[: node.start_byte].decode()
    return source


def _declares(node: Node) -> Iterator[str]:
    """Names that a statement declares; an unfinished program leaves its last one in an ERROR."""
    for child in [node, *node.named_children]:
        found = child.child_by_field_name("name")
        if found is not None:
            yield _text(found)


def _test_function(program: Node) -> Node:
    for node in program.named_children:
        if node.type == "lexical_declaration":
            value = node.named_children[0].child_by_field_name("value")
            body = value.child_by_field_name("body") if value is not None else None
            if body is not None and body.type == "statement_block":
                return body
    return program


def _expected(call: Node) -> str:
    """Return the value in `console.assert(f(..) === value)` or `assert.equal(f(..), value)`."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None:
        return ""
    if not _text(call).startswith("console."):
        return _text(arguments.named_children[1]) if len(arguments.named_children) > 1 else ""
    test = arguments.named_children[0]
    if test.type != "binary_expression" or _operator(test) not in _EQUAL:
        return ""
    left, right = (_side(test.child_by_field_name(name)) for name in ("left", "right"))
    # The test calls the candidate on one side: the other, whichever it is, calls nothing.
    return next((_text(side) for side in (right, left) if not _calls(side)), _text(right))


def _side(node: Node | None) -> Node:
    """Look through `JSON.stringify(value)`, by which the data set compares arrays."""
    assert node is not None, "a binary expression has two sides"
    function = node.child_by_field_name("function")
    if function is not None and _text(function) == "JSON.stringify":
        arguments = node.child_by_field_name("arguments")
        assert arguments is not None, "a call has arguments"
        return arguments.named_children[0]
    return node


def _calls(node: Node) -> bool:
    return node.type == "call_expression" or any(_calls(child) for child in node.named_children)


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return _text(operator) if operator is not None else ""


def _text(node: Node) -> str:
    text = (node.text or b"").decode()
    indent = " " * node.start_point.column
    return textwrap.dedent(indent + text).strip()


def _parse(source: str) -> Node:
    return _parser().parse(source.encode()).root_node


@cache
def _parser() -> Parser:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language()))


def error_line(source: str) -> int:
    """Return the 1-based line of the first syntax error, 0 when there is none."""
    root = _parse(source)
    if not root.has_error:
        return 0
    nodes = [root]
    for node in nodes:
        if node.is_error or node.is_missing:
            return node.start_point.row + 1
        nodes.extend(child for child in node.children if child.has_error)
    return 1
