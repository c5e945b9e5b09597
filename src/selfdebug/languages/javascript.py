"""JavaScript: is a text a program, what are its tokens, and what ran. It runs nothing.

`instrument` adds calls that report executed lines, or local variables, to a program's text; the
lines keep their numbers. The sandbox's engine collects what they report.

    python -c "from selfdebug.languages import javascript; print(javascript.check_syntax('f('))"
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

NAME = "javascript"
SUFFIXES = (".js", ".mjs", ".cjs")
MAX_BYTES = 200_000  # past this a text is refused: parsing takes memory in proportion

_FUNCTIONS = {
    "arrow_function",
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
    "method_definition",
}
_BODIES = {"consequence", "alternative", "body"}  # fields that may hold one bare statement
_BARE = {
    "do_statement",
    "else_clause",
    "for_in_statement",
    "for_statement",
    "if_statement",
    "while_statement",
}
_NAMES = ("identifier", "shorthand_property_identifier_pattern")

Insertion = tuple[int, int, str]  # byte offset, order among insertions there, text


def check_syntax(code: str) -> tuple[int, str] | None:
    """Return the 1-based line and the message of the first syntax error, or None."""
    source = code.encode("utf-8", "surrogatepass")
    if len(source) > MAX_BYTES:
        return 1, f"the program is longer than {MAX_BYTES:,} bytes"
    root = _parser().parse(source).root_node
    if not root.has_error:
        return None
    node = _first_error(root)
    if node.is_missing:
        return node.start_point[0] + 1, f"missing {node.type!r}"
    text = source[node.start_byte : node.end_byte].decode("utf-8", "replace").split("\n")[0]
    return node.start_point[0] + 1, f"unexpected {text.strip()[:40]!r}"


def tokenize(code: str) -> list[str]:
    """Return the tokens of a text, comments left out, whether it parses or not."""
    source = code.encode("utf-8", "surrogatepass")
    root = _parser().parse(source).root_node
    return [source[n.start_byte : n.end_byte].decode("utf-8", "replace") for n in _leaves(root)]


def instrument(code: str, what: Literal["lines", "locals"]) -> str:
    """Return the program with a report before each statement, every line at its number."""
    source = code.encode("utf-8", "surrogatepass")
    root = _parser().parse(source).root_node
    if root.has_error:
        return code
    pieces: list[bytes] = []
    end = 0
    for at, _, text in sorted(_insertions(root, what)):
        pieces += (source[end:at], text.encode())
        end = at
    return b"".join((*pieces, source[end:])).decode("utf-8", "surrogatepass")


@cache
def _parser() -> Parser:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language()))


def _walk(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:  # not by recursion: a program may be nested more deeply than Python's stack
        found = stack.pop()
        yield found
        stack += reversed(found.children)


def _first_error(root: Node) -> Node:
    # An ERROR spans all that the parser gave up on: a missing token, or a short one, says more.
    errors = [node for node in _walk(root) if node.is_missing or node.type == "ERROR"]
    return min(errors, key=lambda n: (not n.is_missing, n.end_byte - n.start_byte, n.start_byte))


def _leaves(root: Node) -> Iterator[Node]:
    whole = {"string", "regex", "comment"}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "comment":
            continue
        if node.type in whole or not node.children:
            if node.start_byte < node.end_byte:
                yield node
        else:
            stack += reversed(node.children)


def _insertions(root: Node, what: str) -> Iterator[Insertion]:
    """Yield the reports; of those at one place an opening comes before what it encloses."""
    for order, node in enumerate(_walk(root)):
        parent = node.parent
        if parent is None or not node.is_named or node.type == "comment":
            continue
        if parent.type in ("program", "statement_block") or _in_case(node, parent):
            if not _is_directive(node):
                yield node.start_byte, order, f"{_report(node, what)};"
        elif _is_bare_body(node, parent):
            yield node.start_byte, order, f"{{{_report(node, what)};"
            yield node.end_byte, -order, "}"
        elif _is_arrow_value(node, parent):
            yield node.start_byte, order, f"({_report(node, what)},"
            yield node.end_byte, -order, ")"


def _in_case(node: Node, parent: Node) -> bool:
    is_value = parent.child_by_field_name("value") == node
    return parent.type in ("switch_case", "switch_default") and not is_value


def _is_bare_body(node: Node, parent: Node) -> bool:
    """A statement that stands without braces after `if (..)`, `else` or a loop's head."""
    if parent.type not in _BARE or node.type in ("statement_block", "else_clause"):
        return False
    if parent.type == "else_clause":
        return True
    return any(parent.child_by_field_name(field) == node for field in _BODIES)


def _is_arrow_value(node: Node, parent: Node) -> bool:
    if parent.type != "arrow_function" or node.type == "statement_block":
        return False
    return parent.child_by_field_name("body") == node


def _is_directive(node: Node) -> bool:
    return node.type == "expression_statement" and node.children[0].type == "string"


def _report(node: Node, what: str) -> str:
    line = node.start_point[0] + 1
    if what == "lines":
        return f"__selfdebug_line({line})"
    readers = ",".join(f"{json.dumps(name)}:()=>{name}" for name in _locals(node))
    return f"__selfdebug_step({line},{{{readers}}})"


def _locals(node: Node) -> list[str]:
    """The names declared by the functions around a node; reading one too early is harmless."""
    names: dict[str, None] = {}
    scope = node.parent
    while scope is not None:
        if scope.type in _FUNCTIONS:
            names.update(dict.fromkeys(_declared(scope)))
        scope = scope.parent
    return list(names)


def _declared(function: Node) -> Iterator[str]:
    """Yield the parameters and variables of one function, not of those inside it."""
    stack = [child for child in function.children if child.type != "identifier"]
    single = function.child_by_field_name("parameter")
    if single is not None:
        yield from _bound(single)
    while stack:
        node = stack.pop()
        if node.type in _FUNCTIONS:
            continue
        if node.type == "formal_parameters":
            yield from _bound(node)
        elif node.type == "variable_declarator":
            name = node.child_by_field_name("name")
            if name is not None:
                yield from _bound(name)
            stack += node.children[1:]
        elif node.type == "for_in_statement" and node.child_by_field_name("kind") is not None:
            left = node.child_by_field_name("left")
            if left is not None:
                yield from _bound(left)
            stack += node.children
        else:
            stack += node.children


def _bound(pattern: Node) -> Iterator[str]:
    """Yield the names that a parameter list or a destructuring pattern binds."""
    stack = [pattern]
    while stack:
        node = stack.pop()
        if node.type in _NAMES and node.text is not None:
            yield node.text.decode()
        elif node.type in ("assignment_pattern", "object_assignment_pattern"):
            stack += node.children[:1]  # what stands behind `=` is an expression
        elif node.type == "pair_pattern":
            stack += node.children[2:]
        else:
            stack += node.children
