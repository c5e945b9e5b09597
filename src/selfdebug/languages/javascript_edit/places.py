"""Places in a JavaScript syntax tree: where values are used, conditions asked, statements listed.

Questions about the grammar that several mutators ask. It changes nothing.

    python -c "from selfdebug.languages.javascript_edit import places; help(places)"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import FUNCTIONS, LOOPS, Program, ancestors, child

if TYPE_CHECKING:
    from tree_sitter import Node

BLOCKS = frozenset({"statement_block", "program"})
_READABLE = 10  # characters that make a quoted piece tell where it is
_LONGEST = 60


def is_value(node: Node) -> bool:  # noqa: PLR0911 - a table with a line for each form
    """Say whether an expression stands where its value is used and another may take its place."""
    parent = node.parent
    if parent is None:
        return False
    match parent.type:
        case "return_statement" | "arguments" | "array" | "spread_element":
            return True
        case "variable_declarator":
            return node == parent.child_by_field_name("value")
        case "assignment_expression" | "augmented_assignment_expression" | "for_in_statement":
            return node == parent.child_by_field_name("right")
        case "arrow_function":
            return node == parent.child_by_field_name("body")
        case "binary_expression" | "ternary_expression" | "unary_expression":
            return True
        case "parenthesized_expression":
            return is_value(parent) or is_condition(parent)
        case "subscript_expression":
            return node == parent.child_by_field_name("index")
        case "template_substitution" | "pair":
            return node != parent.child_by_field_name("key")
        case _:
            return False


def is_operand(node: Node) -> bool:
    """Say whether an expression is a direct part of a longer calculation."""
    return node.parent is not None and node.parent.type in ("binary_expression", "unary_expression")


def is_condition(node: Node) -> bool:
    """Say whether a bracketed expression decides on an if, a loop or a choice."""
    parent = node.parent
    return parent is not None and node == parent.child_by_field_name("condition")


def is_loop_condition(node: Node) -> bool:
    """Say whether a comparison decides on a loop, alone or within && and ||."""
    previous = node
    for parent in ancestors(node):
        if parent.type in LOOPS:
            return is_condition(previous)
        if parent.type not in ("binary_expression", "parenthesized_expression"):
            return False
        previous = parent
    return False


def conditions(program: Program) -> Iterator[Node]:
    """Yield the conditions of ifs, loops and choices, without their brackets."""
    for node in program.of("if_statement", "while_statement", "do_statement", "ternary_expression"):
        condition = child(node, "condition")
        inner = condition.named_children if condition.type == "parenthesized_expression" else ()
        yield inner[0] if inner else condition


def quotable(node: Node) -> Node:
    """Return the smallest expression around a node that tells a reader where it is."""
    best = node
    for parent in ancestors(node):
        size = parent.end_byte - parent.start_byte
        if best.end_byte - best.start_byte >= _READABLE or size > _LONGEST:
            break
        if parent.type in BLOCKS or parent.type in FUNCTIONS:
            break
        if parent.type not in ("arguments", "else_clause", "parenthesized_expression"):
            best = parent
    return best


def method_calls(program: Program) -> Iterator[tuple[Node, str, list[Node]]]:
    """Yield every method call: the node, the method's name and the arguments."""
    for node in program.of("call_expression"):
        function, arguments = child(node, "function"), child(node, "arguments")
        if function.type == "member_expression" and arguments.type == "arguments":
            name = program.text(child(function, "property"))
            yield node, name, list(arguments.named_children)


def statements(block: Node) -> list[Node]:
    """Return the statements of a block, comments left out."""
    return [node for node in block.named_children if node.type != "comment"]


def function_of(node: Node) -> Node | None:
    """Return the function around a node."""
    return next((parent for parent in ancestors(node) if parent.type in FUNCTIONS), None)


def loop_of(node: Node) -> Node | None:
    """Return the loop around a node within the same function."""
    for parent in ancestors(node):
        if parent.type in LOOPS:
            return parent
        if parent.type in FUNCTIONS:
            return None
    return None


def grouped(node: Node, text: str) -> str:
    """Put an operation in brackets where the text around `node` would take it apart."""
    parent = node.parent
    if parent is None:
        return text
    if parent.type in ("unary_expression", "await_expression", "spread_element"):
        return text if parent.type == "spread_element" else f"({text})"
    if parent.type in ("member_expression", "subscript_expression", "call_expression"):
        first = node == parent.named_children[0]
        return f"({text})" if first else text
    return f"({text})" if parent.type == "binary_expression" else text


def operand(program: Program, node: Node) -> str:
    """Return the source of an expression, in brackets where it is an operation."""
    text = program.text(node)
    operation = node.type.removesuffix("_expression") in (
        *("binary", "ternary", "unary", "arrow", "assignment", "await"),
    )
    return f"({text})" if operation else text


def unbracketed(node: Node) -> Node:
    """Return the expression within brackets, or the node itself where there are none."""
    inner = node.named_children if node.type == "parenthesized_expression" else []
    return inner[0] if len(inner) == 1 else node


def bracketed(node: Node) -> Node:
    """Return the brackets around an expression, or the node itself where the grammar wants them."""
    parent = node.parent
    if parent is None or parent.type != "parenthesized_expression":
        return node
    loose = is_value(parent) and not is_condition(parent)
    return parent if loose else node


def method_name(program: Program, node: Node) -> str:
    """Return the name of the method that a node calls, or ""."""
    function = node.child_by_field_name("function")
    return program.text(function and function.child_by_field_name("property"))


def first_line(program: Program, node: Node) -> str:
    """Return the first line of a node, cut where it is long, to be quoted."""
    return program.text(node).splitlines()[0].rstrip(" {")[:60]
