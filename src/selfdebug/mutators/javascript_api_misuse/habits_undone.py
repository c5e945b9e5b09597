"""Mend what other languages' habits did to a JavaScript program, where the form gives it away.

Each operator undoes the one of its name in `habits`, and only mends: it puts no bugs in. A form
that may be right as it stands is left alone, so that a search is not flooded.

    python -c "from selfdebug.mutators.javascript_api_misuse import habits_undone as m; help(m)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import Change, Program, change, child, quote, replace
from selfdebug.languages.javascript_edit.names import Names
from selfdebug.languages.javascript_edit.places import (
    bracketed,
    is_operand,
    is_value,
    method_calls,
    operand,
    quotable,
    unbracketed,
)
from selfdebug.mutators.javascript_api_misuse.habits import ELSEWHERE, LISTED, NAMESPACES

if TYPE_CHECKING:
    from tree_sitter import Node

_REAL = frozenset({"has", "includes"})  # methods of JavaScript's own too
_HERE = {
    other: name for name, others in ELSEWHERE.items() for other in others if other not in _REAL
}
_CAPITALS = {small: name for name, small in NAMESPACES.items()}
_MATH = frozenset(
    {"abs", "floor", "ceil", "round", "sqrt", "pow", "max", "min", "trunc", "sign", "cbrt", "hypot"}
)
_MAPS = frozenset({"Map", "WeakMap"})
_KEYED = _MAPS | {"Set", "WeakSet"}


def foreign_method(program: Program) -> Iterator[Change]:
    """Call a method by JavaScript's name, unless the program has one of the other name."""
    own = own_members(program)
    for call, name, _ in method_calls(program):
        if name in _HERE and name not in own:
            place = child(child(call, "function"), "property")
            reason = f"there is no method {quote(name)}, it is called {quote(_HERE[name])}"
            yield change(quotable(place), [replace(place, _HERE[name])], reason)


def namespace(program: Program) -> Iterator[Change]:
    """Write Math and its like with a capital, unless a variable is meant."""
    names = Names(program)
    for node in program.of("member_expression"):
        owner = child(node, "object")
        small = program.text(owner)
        if small in _CAPITALS and small not in names.visible(node):
            reason = f"JavaScript has no {quote(small)}, and names are told apart by their case"
            yield change(quotable(node), [replace(owner, _CAPITALS[small])], reason)


def joined(program: Program) -> Iterator[Change]:
    """Join, repeat and fill with the methods for it."""
    names = Names(program)
    times = f"{quote('*')} turns its sides into numbers and repeats nothing"
    plus = f"{quote('+')} turns arrays into texts and does not join them"
    for call, name, arguments in method_calls(program):
        owner = child(child(call, "function"), "object")
        if name == "join" and owner.type == "string" and len(arguments) == 1:
            text = f"{operand(program, arguments[0])}.join({program.text(owner)})"
            reason = f"{quote('join')} is a method of the array and not of the text between"
            yield change(call, [replace(call, text)], reason)
    for node in program.of("binary_expression"):
        sign, left, right = (child(node, field) for field in ("operator", "left", "right"))
        whole, one, other = bracketed(node), program.text(left), program.text(right)
        if sign.type == "+" and names.kind_of(left) == names.kind_of(right) == "array":
            base = operand(program, left)
            for text in (f"{base}.concat({other})", f"[...{one}, ...{other}]"):
                yield change(node, [replace(whole, text)], plus)
        elif sign.type == "*" and names.kind_of(left) == "string":
            yield change(node, [replace(whole, f"{operand(program, left)}.repeat({other})")], times)
        elif sign.type == "*" and left.type == "array" and len(left.named_children) == 1:
            text = f"Array({other}).fill({program.text(left.named_children[0])})"
            for maker in ("new ", ""):
                yield change(node, [replace(whole, maker + text)], times)


def own_function(program: Program) -> Iterator[Change]:
    """Hand a value to the function of Math or Object that is no method of it."""
    names, own, keyed = Names(program), own_members(program), made_with(program, _KEYED)
    for call, name, arguments in method_calls(program):
        owner = child(child(call, "function"), "object")
        base, rest = program.text(unbracketed(owner)), [program.text(part) for part in arguments]
        if name in own or base == "Math":
            continue
        if name in _MATH:
            spread = not rest and name in ("max", "min")
            text = f"Math.{name}({', '.join([f'...{base}' if spread else base, *rest])})"
            what = "an array" if spread else "a number"
            reason = f"{quote(name)} is a function of {quote('Math')} and no method of {what}"
            yield change(call, [replace(call, text)], reason)
        elif name in LISTED and not rest and base not in keyed | {"Object"}:
            reason = f"{quote('Object.' + name)} lists them, an object has no such method"
            if names.kind_of(owner) in ("", "object"):
                yield change(call, [replace(call, f"Object.{name}({base})")], reason)


def membership(program: Program) -> Iterator[Change]:
    """Ask for an element with a method, and for a key of an object with `in`."""
    names = Names(program)
    keyed, objects = made_with(program, _KEYED), objects_of(program)
    for node in program.of("binary_expression"):
        owner = child(node, "right")
        base = program.text(owner)
        if child(node, "operator").type != "in" or base in objects:
            continue
        key = program.text(unbracketed(child(node, "left")))
        kind = "keyed" if base in keyed else names.kind_of(owner)
        listed = kind in ("array", "string", "sequence")
        for method in ("has",) if kind == "keyed" else ("includes",) if listed else _BOTH:
            text = f"{operand(program, owner)}.{method}({key})"
            reason = f"{quote('in')} asks for a key and not for an element"
            yield change(node, [replace(bracketed(node), text)], reason)
    for call, name, arguments in method_calls(program):
        owner = child(child(call, "function"), "object")
        known = program.text(owner) in keyed or owner.type == "this"
        if name == "has" and len(arguments) == 1 and not known and _closed(call):
            text = f"{program.text(arguments[0])} in {program.text(owner)}"
            reason = f"an object has no method {quote(name)}, {quote('in')} asks for a key"
            yield change(call, [replace(call, text)], reason)


_BOTH = ("includes", "has")


def _closed(node: Node) -> bool:
    """Say whether an operation may stand in an expression's place without brackets."""
    return not is_operand(node) and (
        is_value(node)
        or (node.parent is not None and node.parent.type == "parenthesized_expression")
    )


def type_test(program: Program) -> Iterator[Change]:
    """Ask for an array, or for NaN, with the function for it."""
    for node in program.of("binary_expression"):
        sign, left, right = (child(node, field) for field in ("operator", "left", "right"))
        if sign.type not in ("===", "==", "!==", "!="):
            continue
        not_, whole = "!" if sign.type.startswith("!") else "", bracketed(node)
        asked = program.text(unbracketed(left))
        if asked.startswith("typeof ") and program.text(right)[1:-1] == "array":
            value = asked.removeprefix("typeof ").strip()
            reason = f"{quote('typeof')} calls an array an object too"
            yield change(node, [replace(whole, f"{not_}Array.isArray({value})")], reason)
        elif program.text(right) == "NaN":
            for test in ("isNaN", "Number.isNaN"):
                reason = f"nothing is equal to {quote('NaN')}"
                yield change(node, [replace(whole, f"{not_}{test}({asked})")], reason)


def rounded_quotient(program: Program) -> Iterator[Change]:
    """Keep a term's fraction."""
    reason = "the quotient is rounded down where its fraction counts"
    for call, name, arguments in method_calls(program):
        around = call.parent
        term = around is not None and around.type == "binary_expression"
        if name == "floor" and term and [part.type for part in arguments] == ["binary_expression"]:
            quotient = child(arguments[0], "operator").type == "/"
            if quotient and around is not None and child(around, "operator").type in ("+", "-"):
                yield change(quotable(call), [replace(call, program.text(arguments[0]))], reason)


def element(program: Program) -> Iterator[Change]:
    """Read an element in square brackets."""
    names, own, keyed = Names(program), own_members(program), made_with(program, _KEYED)
    indexed = {program.text(child(node, "object")) for node in program.of("subscript_expression")}
    for call in program.of("call_expression"):
        place, arguments = child(call, "function"), child(call, "arguments").named_children
        if len(arguments) != 1 or arguments[0].type in ("spread_element", "arrow_function"):
            continue
        key = program.text(arguments[0])
        if place.type == "member_expression":
            owner, name = child(place, "object"), program.text(child(place, "property"))
            base = program.text(owner)
            if name == "charAt" and names.kind_of(owner) not in ("string", "number"):
                reason = f"only texts have a method {quote('charAt')}"
            elif name == "get" and name not in own and base not in keyed:
                reason = f"only a Map is read with {quote('get')}"
            else:
                continue
            yield change(quotable(call), [replace(call, f"{base}[{key}]")], reason)
        elif _is_list(program, names, place, indexed):
            base = program.text(place)
            reason = f"an element is read in square brackets, and {quote(base)} is no function"
            yield change(quotable(call), [replace(call, f"{base}[{key}]")], reason)
    for node in program.of("subscript_expression"):
        index = child(node, "index")
        if index.type == "sequence_expression" and len(index.named_children) == 2:
            first, second = map(program.text, index.named_children)
            reason = f"of {quote(program.text(index))} in one pair of brackets only the last counts"
            text = f"{program.text(child(node, 'object'))}[{first}][{second}]"
            yield change(quotable(node), [replace(node, text)], reason)


def _is_list(program: Program, names: Names, place: Node, indexed: set[str]) -> bool:
    """Say whether what is called can be no function: it is read or measured as a list elsewhere."""
    text = program.text(place)
    if place.type != "identifier" or text not in names.visible(place):
        return False
    measured = re.search(rf"\b{re.escape(text)}\.(length|push|sort|slice)\b", program.code)
    return text in indexed or measured is not None


def map_entry(program: Program) -> Iterator[Change]:
    """Read and set the entries of a Map with its methods."""
    maps = made_with(program, _MAPS)
    for node in program.of("subscript_expression"):
        base, key = program.text(child(node, "object")), program.text(child(node, "index"))
        around = node.parent
        if base not in maps or around is None:
            continue
        if around.type == "assignment_expression" and child(around, "left") == node:
            text = f"{base}.set({key}, {program.text(child(around, 'right'))})"
            yield change(around, [replace(around, text)], "this sets a property and no entry")
        elif around.type not in ("augmented_assignment_expression", "update_expression"):
            reason = f"what {quote('get')} reads is no property"
            yield change(quotable(node), [replace(node, f"{base}.get({key})")], reason)


def made_with(program: Program, makers: frozenset[str]) -> set[str]:
    """Return what is set to a new object of one of these classes somewhere: names, `this.x`."""
    return {
        program.text(place)
        for place, value in _set(program)
        if value.type == "new_expression" and program.text(child(value, "constructor")) in makers
    }


def objects_of(program: Program) -> set[str]:
    """Return what is set to an object literal somewhere."""
    return {program.text(place) for place, value in _set(program) if value.type == "object"}


def _set(program: Program) -> Iterator[tuple[Node, Node]]:
    for node in program.of("variable_declarator", "assignment_expression", "assignment_pattern"):
        place = node.child_by_field_name("name") or node.child_by_field_name("left")
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        if place is not None and value is not None:
            yield place, value


def own_members(program: Program) -> set[str]:
    """Return the names of the methods and fields that a program writes itself."""
    return {
        program.text(node)
        for node in program.of("property_identifier")
        if node.parent is not None
        and node.parent.type in ("method_definition", "pair", "field_definition")
    }


OPERATORS = (
    namespace,
    foreign_method,
    own_function,
    joined,
    element,
    map_entry,
    membership,
    type_test,
    rounded_quotient,
)
