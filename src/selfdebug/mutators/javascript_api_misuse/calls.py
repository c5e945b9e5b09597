"""Wrong calls in JavaScript: method, function, comparator, arguments, what a method gives back.

Each operator yields changes that read in both directions unless a reason is empty.

    python -c "from selfdebug.mutators.javascript_api_misuse import calls; help(calls)"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import (
    Change,
    Edit,
    Program,
    change,
    child,
    insert,
    quote,
    replace,
    swap,
)
from selfdebug.languages.javascript_edit.names import Names
from selfdebug.languages.javascript_edit.places import first_line, method_calls, quotable

if TYPE_CHECKING:
    from tree_sitter import Node

# The members of a row are mistaken for each other.
_METHODS = (
    ("push", "unshift", "concat"),
    ("pop", "shift"),
    ("push", "pop"),
    ("shift", "unshift"),
    ("slice", "splice"),
    ("slice", "substring", "substr"),
    ("map", "forEach", "filter"),
    ("map", "flatMap"),
    ("find", "filter", "findIndex", "some"),
    ("some", "every"),
    ("indexOf", "includes", "lastIndexOf", "search"),
    ("startsWith", "endsWith", "includes"),
    ("toUpperCase", "toLowerCase"),
    ("trim", "trimStart", "trimEnd"),
    ("padStart", "padEnd"),
    ("replace", "replaceAll"),
    ("keys", "values", "entries"),
    ("reduce", "reduceRight"),
    ("charAt", "charCodeAt", "at"),
    ("has", "get"),
    ("set", "add"),
    ("test", "match"),
    ("join", "toString"),
    ("toFixed", "toPrecision", "toString"),
)
_FUNCTIONS = (
    ("Math.floor", "Math.ceil", "Math.round", "Math.trunc"),
    ("Math.max", "Math.min"),
    ("Math.abs", "Math.sign"),
    ("Math.sqrt", "Math.cbrt"),
    ("Math.log", "Math.log2", "Math.log10"),
    ("parseInt", "parseFloat", "Number"),
    ("Object.keys", "Object.values", "Object.entries"),
    ("Number.isInteger", "Number.isNaN", "Number.isFinite"),
    ("isNaN", "isFinite"),
    ("String", "JSON.stringify"),
)
# Arguments that are forgotten: (method, arguments given) -> what may be missing at the end.
_FORGOTTEN = {
    ("parseInt", 1): ("10", "2", "16"),
    ("toString", 0): ("2", "16", "8"),
    ("reduce", 1): ("0", "1", "''", "[]"),
    ("slice", 1): ("-1",),
    ("slice", 0): ("1",),
    ("join", 0): ("''", "' '"),
    ("split", 0): ("''", "' '"),
    ("splice", 1): ("1",),
    ("fill", 0): ("0",),
    ("padStart", 1): ("'0'",),
    ("flat", 0): ("Infinity",),
}
_GIVES_NEW = frozenset(
    [
        "concat",
        "slice",
        "map",
        "filter",
        "replace",
        "replaceAll",
        "trim",
        "toLowerCase",
        "toUpperCase",
        "flat",
        "split",
        "substring",
        "join",
        "padStart",
        "padEnd",
        "toSorted",
        "toReversed",
    ]
)
_GIVES_OTHER = {
    "push": "the new length",
    "unshift": "the new length",
    "pop": "the element that it removes",
    "shift": "the element that it removes",
    "splice": "the elements that it removes",
}
_COMMUTABLE = frozenset({"includes", "concat", "indexOf", "startsWith", "endsWith", "push"})


def method(program: Program) -> Iterator[Change]:
    """Call a method that does something similar."""
    for call, name, _ in method_calls(program):
        place = child(child(call, "function"), "property")
        for other in _others(name, _METHODS):
            yield change(call, [replace(place, other)], *_called(name, other))


def function(program: Program) -> Iterator[Change]:
    """Call a function that does something similar."""
    for call in program.of("call_expression"):
        place = child(call, "function")
        for other in _others(program.text(place), _FUNCTIONS):
            reasons = _called(program.text(place), other)
            yield change(quotable(place), [replace(place, other)], *reasons)


def comparator(program: Program) -> Iterator[Change]:
    """Sort by text instead of by number, or in the wrong direction."""
    for call, name, arguments in method_calls(program):
        list_ = child(call, "arguments")
        if name not in ("sort", "toSorted"):
            continue
        for order in ("(a, b) => a - b", "(a, b) => b - a") if not arguments else ():
            yield change(call, [replace(list_, f"({order})")], _AS_TEXT)
        for argument in arguments:
            if "-" in program.text(argument):
                yield change(call, [replace(list_, "()")], "", _AS_TEXT)
            body = argument.child_by_field_name("body")
            if body is not None and body.type == "binary_expression":
                yield from _compared(program, body)


_AS_TEXT = "without a comparator the elements are sorted as texts"
_BACKWARDS = "the comparator sorts in the opposite direction"
_NO_NUMBER = "the comparator gives true or false where a negative or a positive number is needed"


def _compared(program: Program, body: Node) -> Iterator[Change]:
    pair, sign = (child(body, "left"), child(body, "right")), child(body, "operator")
    yield change(body, swap(program, *pair), _BACKWARDS, _BACKWARDS)
    if sign.type == "-":
        yield change(body, [replace(sign, ">")], "", _NO_NUMBER)
    elif sign.type in ("<", ">"):
        yield change(body, [replace(sign, "-")], _NO_NUMBER)


def callback(program: Program) -> Iterator[Change]:
    """Hand a function that takes a second argument straight to map."""
    for call, name, arguments in method_calls(program):
        if name != "map" or len(arguments) != 1:
            continue
        if program.text(arguments[0]) == "parseInt":
            yield change(call, [replace(arguments[0], "x => parseInt(x, 10)")], _RADIX)
        elif arguments[0].type == "arrow_function":
            parameter = program.text(arguments[0].child_by_field_name("parameter"))
            parameter = parameter or program.text(child(arguments[0], "parameters")).strip("()")
            plain = [f"parseInt({parameter})", f"parseInt({parameter}, 10)", f"Number({parameter})"]
            if program.text(child(arguments[0], "body")) in plain:
                yield change(call, [replace(arguments[0], "parseInt")], "", _RADIX)


def arrow(program: Program) -> Iterator[Change]:
    """Compare where a function has to be handed over: x > 0 for x => 0."""
    names = Names(program)
    for node in program.of("binary_expression"):
        sign, left = child(node, "operator"), child(node, "left")
        if sign.type in (">", ">=") and _is_unknown(program, names, left):
            yield change(quotable(node), [replace(sign, "=>")], _compares(sign.type))
    for call, name, arguments in method_calls(program):
        if name in _TAKES_FUNCTION and arguments and arguments[0].type == "arrow_function":
            sign = next(part for part in arguments[0].children if part.type == "=>")
            yield change(call, [replace(sign, ">")], "", _compares(">"))


def _is_unknown(program: Program, names: Names, left: Node) -> bool:
    """Say whether a side names only what is declared nowhere, as parameters would."""
    if left.type not in ("identifier", "parenthesized_expression"):
        return False
    found = {program.text(node) for node in _identifiers(left)}
    return bool(found) and found.isdisjoint(names.visible(left))


def _identifiers(node: Node) -> Iterator[Node]:
    if node.type == "identifier":
        yield node
    for part in node.named_children:
        yield from _identifiers(part)


def _compares(sign: str) -> str:
    return f"{quote(sign)} compares, and a function is written with {quote('=>')}"


_TAKES_FUNCTION = frozenset({"map", "filter", "some", "every", "find", "forEach", "findIndex"})
_RADIX = (
    f"{quote('map')} gives the index as a second argument, and {quote('parseInt')} takes it "
    "for the radix"
)


def returned(program: Program) -> Iterator[Change]:
    """Drop a method's new value, or keep what a method that works in place gives back."""
    for node in program.of("expression_statement"):
        call = node.named_children[0] if node.named_children else None
        if call is None or call.type != "call_expression":
            continue
        place = child(call, "function")
        owner, name = (place.child_by_field_name(field) for field in ("object", "property"))
        if owner is None or owner.type != "identifier":
            continue
        assigned = insert(node.start_byte, f"{program.text(owner)} = ")
        if program.text(name) in _GIVES_NEW:
            yield change(node, [assigned], _dropped(program.text(name)))
        elif program.text(name) in _GIVES_OTHER:
            yield change(node, [assigned], "", _overwritten(program.text(name)))
    for node in program.of("assignment_expression"):
        value, step = child(node, "right"), node.parent
        place = value.child_by_field_name("function")
        if place is None or step is None or step.type != "expression_statement":
            continue
        owner, name = (place.child_by_field_name(field) for field in ("object", "property"))
        bare = Edit(node.start_byte, value.start_byte, "")
        if program.text(owner) != program.text(child(node, "left")):
            continue
        if program.text(name) in _GIVES_NEW:
            yield change(node, [bare], "", _dropped(program.text(name)))
        elif program.text(name) in _GIVES_OTHER:
            yield change(node, [bare], _overwritten(program.text(name)))


def _dropped(name: str) -> str:
    return (
        f"{quote(name)} gives a new value and leaves the old one as it is, and the new one is lost"
    )


def _overwritten(name: str) -> str:
    return f"{quote(name)} gives {_GIVES_OTHER[name]}, which overwrites the array"


def receiver(program: Program) -> Iterator[Change]:
    """Swap the object of a method call and its argument."""
    reason = "the object and the argument of the call are swapped"
    for call, name, arguments in method_calls(program):
        if len(arguments) == 1 and name in _COMMUTABLE:
            owner = child(child(call, "function"), "object")
            if arguments[0].type in ("identifier", "member_expression", "subscript_expression"):
                yield change(call, swap(program, owner, arguments[0]), reason, reason)


def missing_argument(program: Program) -> Iterator[Change]:
    """Forget an argument; the other way round, remove one that does not belong."""
    for call in program.of("call_expression", "new_expression"):
        list_ = call.child_by_field_name("arguments")
        arguments = list_.named_children if list_ is not None and list_.type == "arguments" else []
        for at, argument in enumerate(arguments):
            if argument.type in ("arrow_function", "function_expression", "spread_element"):
                continue
            start = arguments[at - 1].end_byte if at else argument.start_byte
            end = argument.end_byte if at or len(arguments) == 1 else arguments[1].start_byte
            piece = quote(first_line(program, argument))
            reasons = (
                f"the argument {piece} does not belong in this call",
                f"the argument {piece} is missing in this call",
            )
            yield change(call, [Edit(start, end, "")], *reasons)


def extra_argument(program: Program) -> Iterator[Change]:
    """Hand over an argument that a call is better without; the other way round, add it."""
    for call in program.of("call_expression"):
        list_, name = child(call, "arguments"), program.text(child(call, "function"))
        given = list_.named_children if list_.type == "arguments" else []
        for extra in _FORGOTTEN.get((name.rsplit(".", 1)[-1], len(given)), ()):
            edit = insert(list_.end_byte - 1, f", {extra}" if given else extra)
            yield change(call, [edit], f"the argument {quote(extra)} is missing in this call")


def _others(name: str, rows: tuple[tuple[str, ...], ...]) -> dict[str, None]:
    """Return the names that are mistaken for this one."""
    return dict.fromkeys(other for row in rows if name in row for other in row if other != name)


def _called(name: str, other: str) -> tuple[str, str]:
    return (
        f"{quote(name)} is called where {quote(other)} is needed",
        f"{quote(other)} is called where {quote(name)} is needed",
    )
