"""Mend values in the wrong form in JavaScript: rows, loops, comparisons, texts and patterns.

Each operator undoes the one of its name in `forms`, and only mends: it puts no bugs in. A form that
may be right as it stands is left alone, so that a search is not flooded.

    python -c "from selfdebug.mutators.javascript_api_misuse import forms_undone as m; help(m)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import (
    Change,
    Edit,
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
    bracketed,
    is_value,
    method_calls,
    method_name,
    operand,
    quotable,
    unbracketed,
)
from selfdebug.mutators.javascript_api_misuse.forms import PLACES, SPECIAL, YES_OR_NO
from selfdebug.mutators.javascript_api_misuse.habits_undone import (
    made_with,
    objects_of,
    own_members,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_KEYED = frozenset({"Map", "Set", "WeakMap"})
_LISTS = frozenset({"map", "filter", "forEach", "sort", "reduce", "some", "every", "find", "join"})
_PARTS = ("keys", "values", "entries")


def loop_form(program: Program) -> Iterator[Change]:
    """Count the positions of an array or a text with a number."""
    objects = objects_of(program)
    for loop in program.of("for_in_statement"):
        left, right = child(loop, "left"), child(loop, "right")
        name, owner, body = program.text(left), program.text(right), child(loop, "body")
        if {left.type, right.type} != {"identifier"} or owner in objects:
            continue
        sign = child(loop, "operator").type
        read = re.search(rf"\b{owner}\s*\[[^\]]*\b{name}\b", program.text(body))
        if sign == "in" or read:
            gives = "positions as texts" if sign == "in" else "elements"
            end = right.end_byte + 1
            edit = Edit(
                loop.start_byte, end, f"for (let {name} = 0; {name} < {owner}.length; {name}++)"
            )
            reason = f"{quote(sign)} gives {gives}, and {quote(name)} has to be a number"
            yield Change((edit,), (loop.start_byte, end), reason, "")


def own_value(program: Program) -> Iterator[Change]:
    """Write `this.` before what the object has and no variable is called."""
    names, own = Names(program), own_members(program)
    own |= {
        program.text(child(node, "property"))
        for node in program.of("member_expression")
        if child(node, "object").type == "this"
    }
    for node in program.of("identifier"):
        name = program.text(node)
        if name in own and name not in names.visible(node) and _in_class(node):
            reason = f"{quote(name)} alone is a variable and not the object's own"
            yield change(quotable(node), [insert(node.start_byte, "this.")], reason)


def _in_class(node: Node) -> bool:
    return any(parent.type == "method_definition" for parent in ancestors(node))


def bare_object(program: Program) -> Iterator[Change]:
    """Go over an object's keys, values or entries and not over the object itself."""
    keyed, objects = made_with(program, _KEYED), objects_of(program)
    for node in program.of("for_in_statement"):
        right = child(node, "right")
        owner = program.text(right)
        if child(node, "operator").type != "of" or right.type == "call_expression":
            continue
        if child(node, "left").type == "array_pattern" and owner not in keyed:
            yield _listed(program, right, "entries")
        elif owner in objects:
            yield from (_listed(program, right, part) for part in _PARTS)
    for call, name, _ in method_calls(program):
        owner = child(child(call, "function"), "object")
        if name in _LISTS and program.text(owner) in objects:
            yield from (_listed(program, owner, part) for part in _PARTS)
    for node in program.of("variable_declarator"):
        name, value = program.text(child(node, "name")), node.child_by_field_name("value")
        if name in _PARTS and value is not None and value.type == "identifier":
            yield _listed(program, value, name)


def _listed(program: Program, node: Node, part: str) -> Change:
    edit = replace(node, f"Object.{part}({program.text(node)})")
    return change(quotable(node), [edit], f"the object itself stands where its {part} are needed")


def pushed(program: Program) -> Iterator[Change]:
    """Make the longer array where push gives its length."""
    reason = f"{quote('push')} gives the new length and not the array"
    for call, name, arguments in method_calls(program):
        around = call.parent.type if call.parent is not None else ""
        loose = around in ("arrow_function", "binary_expression", "ternary_expression")
        if name == "push" and arguments and is_value(call) and not loose:
            added = program.span(arguments[0].start_byte, arguments[-1].end_byte)
            text = f"[...{program.text(child(child(call, 'function'), 'object'))}, {added}]"
            yield change(quotable(call), [replace(call, text)], reason)


def shared_rows(program: Program) -> Iterator[Change]:
    """Make every row of a table an array of its own."""
    reason = f"{quote('fill')} puts one and the same array into every row"
    for call, name, arguments in method_calls(program):
        owner = program.text(child(child(call, "function"), "object"))
        made = re.fullmatch(r"(?:new )?Array\((.+)\)", owner)
        row = program.text(arguments[0]) if arguments else ""
        if name == "fill" and made and row.startswith(("[", "{", "Array(", "new ", "Array.from(")):
            row = f"({row})" if row.startswith("{") else row
            text = f"Array.from({{ length: {made[1]} }}, () => {row})"
            yield change(call, [replace(call, text)], reason)


def found(program: Program) -> Iterator[Change]:
    """Compare a place with -1, and a yes or no with nothing."""
    for node in program.of("binary_expression"):
        call, sign = unbracketed(child(node, "left")), child(node, "operator").type
        name, text = method_name(program, call), program.text(call)
        limit = program.text(child(node, "right"))
        if name in YES_OR_NO and limit == "-1":
            reason = f"{quote(name)} gives true or false and never -1"
            right = text if sign in ("!==", "!=", ">") else f"!{text}"
            yield change(node, [replace(bracketed(node), right)], reason)
        elif name in PLACES and (sign, limit) == (">", "0"):
            reason = "0 is the first place, where something can be found too"
            yield change(node, [replace(node, f"{text} !== -1")], reason)
        elif name in PLACES and limit in ("null", "undefined"):
            reason = "the place of what is not there is -1 and never null"
            yield change(node, [replace(child(node, "right"), "-1")], reason)
    for node in program.of("unary_expression"):
        call = child(node, "argument")
        if program.text(node).startswith("!") and method_name(program, call) in PLACES:
            reason = "0, the first place, counts as false, and -1, which means none, as true"
            yield change(node, [replace(node, f"{program.text(call)} === -1")], reason)


def same_array(program: Program) -> Iterator[Change]:
    """Compare the lengths or the texts of arrays and not the arrays themselves."""
    names = Names(program)
    reason = "two arrays are equal only if they are one and the same"
    for node in program.of("binary_expression"):
        sign, left, right = (child(node, field) for field in ("operator", "left", "right"))
        if sign.type not in ("===", "!==", "==", "!="):
            continue
        if program.text(right) == "[]":
            text = f"{operand(program, left)}.length {sign.type} 0"
            yield change(node, [replace(node, text)], reason)
        elif names.kind_of(left) == names.kind_of(right) == "array":
            one, other = (f"JSON.stringify({program.text(side)})" for side in (left, right))
            yield change(node, [replace(node, f"{one} {sign.type} {other}")], reason)


def template(program: Program) -> Iterator[Change]:
    """Write a text with places to fill in between back-quotes."""
    reason = "a text in quotes is taken as it is, and nothing is filled in"
    for node in program.of("string"):
        text = program.text(node)
        if re.search(r"\$\{[^}]+\}", text) and "`" not in text:
            yield change(node, [replace(node, f"`{text[1:-1]}`")], reason)


def pattern(program: Program) -> Iterator[Change]:
    """Give a pattern the flag that it lacks, and write one that stands in quotes as a pattern."""
    small = "without the flag i small letters and capitals differ"
    for node in program.of("regex"):
        flags = program.text(node.child_by_field_name("flags"))
        lacks = re.search(r"[a-z]-z|[A-Z]-Z", program.text(node)) and "i" not in flags
        one_case = not re.search(r"a-zA-Z|A-Za-z", program.text(node))
        if lacks and one_case:
            yield change(quotable(node), [insert(node.end_byte, "i")], small)
    for _, name, arguments in method_calls(program):
        first = arguments[0] if arguments else None
        if (
            first is None
            or first.type != "string"
            or name not in ("replace", "replaceAll", "split")
        ):
            continue
        inner = program.text(first)[1:-1]
        if re.search(r"\\[dswDSWb]|\[.+\]", inner) and SPECIAL.search(inner):
            whole = "a text in quotes is searched for as it stands and is no pattern"
            for flags in ("",) if name == "split" else ("g", "gi"):
                yield change(quotable(first), [replace(first, f"/{inner}/{flags}")], whole)


OPERATORS = (
    own_value,
    shared_rows,
    template,
    same_array,
    found,
    pushed,
    bare_object,
    loop_form,
    pattern,
)
