"""Mend calls that a JavaScript program makes in the wrong form: callbacks, arguments, braces.

Each operator undoes the one of its name in `forms`, `calls` or `values`, and only mends: it puts no
bugs in. A form that may be right as it stands is left alone, so that a search is not flooded.

    python -c "from selfdebug.mutators.javascript_api_misuse import calls_undone as m; help(m)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import (
    FUNCTIONS,
    Change,
    Program,
    ancestors,
    change,
    child,
    insert,
    quote,
    replace,
)
from selfdebug.languages.javascript_edit.names import Names
from selfdebug.languages.javascript_edit.places import (
    is_value,
    method_calls,
    method_name,
    quotable,
    statements,
)
from selfdebug.mutators.javascript_api_misuse.forms import CALLBACKS, ELEMENT_FIRST

if TYPE_CHECKING:
    from tree_sitter import Node

# Methods that are called without an argument and mean nothing uncalled.
_BARE = re.compile(
    "trim|trimStart|trimEnd|toLowerCase|toUpperCase|toString|pop|shift|reverse|sort|flat"
    "|get(UTC)?(Date|Day|Month|FullYear|Hours|Minutes|Seconds|Time)"
)
_ADDS = frozenset({"push", "unshift", "add", "has", "includes", "indexOf"})


def uncalled(program: Program) -> Iterator[Change]:
    """Call a method that is only named."""
    own = {
        program.text(child(node, "name"))
        for node in program.of("method_definition")
        if not child(node, "parameters").named_children and node.children[0].type != "get"
    }
    for node in program.of("member_expression"):
        name, around = program.text(child(node, "property")), node.parent
        if around is None or not (_BARE.fullmatch(name) or name in own):
            continue
        read = around.type == "member_expression" or is_value(node)
        handed_over = name in own and around.type == "arguments"
        if read and not handed_over:
            reason = f"{quote(name)} is only named and not called"
            yield change(quotable(node), [insert(node.end_byte, "()")], reason)


def called_callback(program: Program) -> Iterator[Change]:
    """Hand a function over instead of calling it at once."""
    for call, name, arguments in method_calls(program):
        first = arguments[0] if arguments else None
        if name not in CALLBACKS or first is None or first.type != "call_expression":
            continue
        place, given = child(first, "function"), child(first, "arguments")
        function = program.text(place)
        if place.type == "identifier" and not given.named_children:
            reason = f"{quote(function)} is called at once and not handed over to {quote(name)}"
            yield change(call, [replace(first, function)], reason)


def block_body(program: Program) -> Iterator[Change]:
    """Give back the value that an arrow function's braces hold."""
    reason = "an arrow function with braces gives nothing back by itself"
    for node in program.of("arrow_function"):
        body, call = child(node, "body"), next(ancestors(node)).parent
        if body.type != "statement_block" or len(statements(body)) != 1:
            continue
        only = statements(body)[0]
        if only.type == "labeled_statement":
            yield change(node, [replace(body, f"({program.text(body)})")], reason)
        elif only.type == "expression_statement" and only.named_children:
            value = only.named_children[0]
            acts = value.type in ("assignment_expression", "augmented_assignment_expression")
            each = call is not None and method_name(program, call) == "forEach"
            if not acts and not each and value.type != "update_expression":
                yield change(node, [replace(body, program.text(value))], reason)


def callback_parameters(program: Program) -> Iterator[Change]:
    """Take a pair apart in brackets where a callback is handed entries."""
    for call, name, arguments in method_calls(program):
        first = arguments[0] if arguments else None
        list_ = first.child_by_field_name("parameters") if first is not None else None
        given = list_.named_children if list_ is not None else []
        if list_ is None or name not in ELEMENT_FIRST or len(given) < 2:
            continue
        pairs = "entries(" in program.text(child(call, "function"))
        if pairs or given[-1].type == "rest_pattern":
            pair = f"{quote(name)} hands over each pair as one value, to be taken apart in brackets"
            inside = program.text(list_)[1:-1]
            yield change(quotable(list_), [replace(list_, f"([{inside}])")], pair)


def wrapped_argument(program: Program) -> Iterator[Change]:
    """Hand over the elements themselves, or the array of them."""
    wrapped = "what is added is an array that holds the element, not the element itself"
    for call, name, arguments in method_calls(program):
        owner, list_ = program.text(child(child(call, "function"), "object")), call.named_children
        only = arguments[0] if len(arguments) == 1 and arguments[0].type == "array" else None
        inside = program.text(only)[1:-1].strip()
        if owner == "Math" and name in ("max", "min") and inside:
            reason = f"{quote(f'Math.{name}')} takes the numbers one by one and not in an array"
            yield change(call, [replace(list_[-1], f"({inside})")], reason)
        elif name in ("push", "unshift", "add") and only and len(only.named_children) == 1:
            if only.named_children[0].type != "spread_element":
                yield change(call, [replace(list_[-1], f"({inside})")], wrapped)
        elif name in ("push", "unshift") and len(arguments) > 1:
            reason = f"{quote(name)} adds the elements one by one, not the array of them"
            parts = program.text(list_[-1])[1:-1]
            yield change(call, [replace(list_[-1], f"([{parts}])")], reason)


def spread(program: Program) -> Iterator[Change]:
    """Spread what alone makes an array, or all remaining arguments."""
    whole = "the array itself stands where its elements are needed"
    rest = {program.text(node.named_children[0]) for node in program.of("rest_pattern")}
    for node in program.of("array"):
        only = node.named_children[0] if len(node.named_children) == 1 else None
        if only is not None and only.type in ("identifier", "call_expression") and is_value(node):
            yield change(quotable(node), [insert(only.start_byte, "...")], whole)
    for node in program.of("arguments"):
        for argument in node.named_children:
            if program.text(argument) in rest:
                yield change(quotable(argument), [insert(argument.start_byte, "...")], whole)


def missing_argument(program: Program) -> Iterator[Change]:
    """Hand over what a call without any argument must have: a variable of that place."""
    names = Names(program)
    wanted = dict(_parameters(program))
    for call in program.of("call_expression"):
        list_, place = child(call, "arguments"), child(call, "function")
        if list_.type != "arguments" or list_.named_children:
            continue
        name = program.text(place.child_by_field_name("property") or place)
        visible = names.visible(call)
        given = ", ".join(wanted.get(name, ()))
        if given and set(wanted[name]) <= set(visible):
            yield _given(call, list_, given)
        elif name in _ADDS and name not in wanted:
            for latest in visible[:-3:-1]:
                yield _given(call, list_, latest)


def _given(call: Node, list_: Node, given: str) -> Change:
    reason = f"the argument {quote(given)} is missing in this call"
    return change(call, [replace(list_, f"({given})")], reason)


def _parameters(program: Program) -> Iterator[tuple[str, list[str]]]:
    """Yield the functions of a program with the names of their parameters."""
    for node in program.of(*FUNCTIONS):
        owner = node if node.child_by_field_name("name") else node.parent
        name = program.text(owner and owner.child_by_field_name("name"))
        list_ = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        given = program.text(list_).strip("()")
        if name and re.fullmatch(r"\w+(, \w+)*", given):
            yield name, given.split(", ")


OPERATORS = (
    called_callback,
    uncalled,
    block_body,
    wrapped_argument,
    callback_parameters,
    missing_argument,
    spread,
)
