"""Wrong values around JavaScript's built-ins: names, conversions, spreading, loops, equality.

Each operator yields changes that read in both directions unless a reason is empty.

    python -c "from selfdebug.mutators.javascript_api_misuse import values; help(values)"
"""

from __future__ import annotations

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
from selfdebug.languages.javascript_edit.places import is_operand, is_value, quotable

if TYPE_CHECKING:
    from tree_sitter import Node

# What Python and others call it.
_FOREIGN = {
    "None": "null",
    "True": "true",
    "False": "false",
    "self": "this",
    "nil": "null",
    "print": "console.log",
    "str": "String",
    "int": "Math.trunc",
    "abs": "Math.abs",
    "max": "Math.max",
    "min": "Math.min",
    "round": "Math.round",
    "floor": "Math.floor",
    "sqrt": "Math.sqrt",
}
_FOREIGN_METHODS = {
    "append": "push",
    "lower": "toLowerCase",
    "upper": "toUpperCase",
    "strip": "trim",
    "contains": "includes",
    "startswith": "startsWith",
    "endswith": "endsWith",
    "foreach": "forEach",
    "indexof": "indexOf",
    "add": "push",
}
_LENGTHS = ("size", "len", "count", "lenght")
_NUMERIC = ("Math.abs", "Math.floor", "Math.ceil", "Math.round", "Math.trunc", "Math.sqrt")
_CONVERSIONS = ("Number", "String", "parseInt", "Boolean", "Array.from")
_NAMESPACES = frozenset({"Math", "Object", "JSON", "Number", "String", "Array"})
_FORGETTABLE = frozenset(
    [
        "sort",
        "reverse",
        "toLowerCase",
        "toUpperCase",
        "trim",
        "join",
        "toString",
        "slice",
        "split",
        "map",
        "filter",
        "fill",
        "flat",
        "replace",
        "replaceAll",
        "concat",
        "charCodeAt",
        "padStart",
        "substring",
        "length",
    ]
)
_NEEDS_NEW = ("Set", "Map", "Date", "RegExp", "Promise")
_VALUES = (
    "identifier",
    "binary_expression",
    "call_expression",
    "subscript_expression",
    "member_expression",
    "array",
    "parenthesized_expression",
)
_STEPS = {
    "number": "Math.abs(%s)|Math.floor(%s)|String(%s)|Math.round(%s)|Math.ceil(%s)|Math.trunc(%s)"
    "|Math.sqrt(%s)|[%s]",
    "array": "%s.length|%s.sort()|%s.sort((a, b) => a - b)|%s.reverse()|%s.join('')|%s.join(' ')"
    "|%s[0]|[...new Set(%s)]|[...%s]|%s.sort((a, b) => b - a)|Math.max(...%s)|Math.min(...%s)"
    "|[%s]|%s.filter(Boolean)|%s.flat()|%s[%s.length - 1]",
    "string": "%s.toLowerCase()|%s.length|%s.toUpperCase()|%s.trim()|%s.split('')|Number(%s)"
    "|%s.split(' ')|%s.split('').reverse().join('')|%s[0]|parseInt(%s)|%s.charCodeAt(0)",
    "boolean": "!%s",
    "object": "%s.size|[...%s]|Object.keys(%s)|%s.length",
    "function": "%s()",
}
_STEPS["sequence"] = f"{_STEPS['array']}|{_STEPS['string']}"
_STEPS[""] = (
    "Math.abs(%s)|Math.floor(%s)|Number(%s)|String(%s)|%s.length|%s.sort()|%s.toLowerCase()"
    "|%s.sort((a, b) => a - b)|%s.reverse()|%s.join('')|Math.round(%s)|%s.toUpperCase()|%s[0]"
)


def foreign_name(program: Program) -> Iterator[Change]:
    """Use another language's name, or leave out the namespace."""
    for node in program.of("identifier"):
        text, call = program.text(node), node.parent
        if text in _FOREIGN:
            yield change(quotable(node), [replace(node, _FOREIGN[text])], _unknown(text))
        elif text == "len" and call is not None and call.type == "call_expression":
            inner = program.text(child(call, "arguments"))[1:-1]
            yield change(call, [replace(call, f"{inner}.length")], _unknown(text))
    for node in program.of("property_identifier"):
        text = program.text(node)
        if text in _FOREIGN_METHODS:
            edit = replace(node, _FOREIGN_METHODS[text])
            yield change(quotable(node), [edit], _unknown(text))
        for wrong, right in _FOREIGN_METHODS.items():
            if right == text and wrong != "add":
                yield change(quotable(node), [replace(node, wrong)], "", _unknown(wrong))
    for node in program.of("null", "true", "false"):
        wrong = {"null": "None", "true": "True", "false": "False"}[node.type]
        yield change(quotable(node), [replace(node, wrong)], "", _unknown(wrong))
    for call in program.of("call_expression"):
        place = child(call, "function")
        if program.text(place.child_by_field_name("object")) == "Math":
            wrong = program.text(child(place, "property"))
            yield change(call, [replace(place, wrong)], "", _unknown(wrong))


def _unknown(name: str) -> str:
    return f"JavaScript has no {quote(name)} here"


def property_call(program: Program) -> Iterator[Change]:
    """Call the property length, or name it wrongly."""
    reason = f"{quote('length')} is a property and cannot be called"
    for node in program.of("member_expression"):
        place, call = child(node, "property"), node.parent
        if program.text(place) in _LENGTHS:
            yield change(quotable(node), [replace(place, "length")], _no_property(program, place))
        if program.text(place) != "length" or call is None:
            continue
        if call.type == "call_expression" and child(call, "function") == node:
            yield change(call, [replace(child(call, "arguments"), "")], reason)
        elif is_value(node):
            yield change(quotable(node), [insert(node.end_byte, "()")], "", reason)
            for wrong in _LENGTHS:
                unknown = f"strings and arrays have no {quote(wrong)}"
                yield change(quotable(node), [replace(place, wrong)], "", unknown)


def _no_property(program: Program, place: Node) -> str:
    return f"strings and arrays have no {quote(program.text(place))}"


def spread(program: Program) -> Iterator[Change]:
    """Hand over an array where its elements are asked for, or the reverse."""
    names = Names(program)
    whole, parts = "the array itself stands where its elements are needed", "the array is spread"
    for node in program.of("spread_element"):
        if node.parent is not None and node.parent.type in ("arguments", "array"):
            text = program.text(node.named_children[0])
            yield change(quotable(node), [replace(node, text)], parts, whole)
    for node in program.of("arguments", "array"):
        for argument in node.named_children:
            if names.kind_of(argument) in ("array", "sequence", "object"):
                yield change(quotable(argument), [insert(argument.start_byte, "...")], whole)


def iteration(program: Program) -> Iterator[Change]:
    """Confuse the keys that for...in gives with the values that for...of gives."""
    keys, values = (
        f"{quote('in')} gives the keys, as texts, where the values are needed",
        f"{quote('of')} gives the values where the keys are needed",
    )
    for node in program.of("for_in_statement"):
        sign = child(node, "operator")
        head = (node.start_byte, child(node, "right").end_byte + 1)
        if sign.type == "in":
            yield Change((replace(sign, "of"),), head, keys, values)
        else:
            yield Change((replace(sign, "in"),), head, values, keys)


def keyword(program: Program) -> Iterator[Change]:
    """Forget new or await."""
    unawaited = "the promise is used without waiting for it"
    for node in program.of("new_expression"):
        made = child(node, "constructor")
        if program.text(made) in _NEEDS_NEW:
            edit = Edit(node.start_byte, made.start_byte, "")
            yield change(quotable(node), [edit], "", _needs_new(program.text(made)))
    for node in program.of("call_expression"):
        made = program.text(child(node, "function"))
        if made in _NEEDS_NEW:
            yield change(quotable(node), [insert(node.start_byte, "new ")], _needs_new(made))
        if is_value(node) and any(program.text(f).startswith("async ") for f in ancestors(node)):
            yield change(quotable(node), [insert(node.start_byte, "await ")], unawaited)
    for node in program.of("await_expression"):
        edit = Edit(node.start_byte, node.named_children[0].start_byte, "")
        yield change(quotable(node), [edit], "", unawaited)


def _needs_new(made: str) -> str:
    return f"{quote(made)} has to be called with {quote('new')}"


def quoted_name(program: Program) -> Iterator[Change]:
    """Write a variable's name as a text."""
    names = Names(program)
    for node in program.of("string"):
        text = program.text(node)
        if text[1:-1] in names.visible(node):
            reason = f"the text {quote(text)} stands where the variable is meant"
            yield change(quotable(node), [replace(node, text[1:-1])], reason)
    for node in program.of("identifier"):
        text = f"'{program.text(node)}'"
        if node.parent is not None and node.parent.type == "arguments":
            reason = f"the text {quote(text)} stands where the variable is meant"
            yield change(quotable(node), [replace(node, text)], "", reason)


def step(program: Program) -> Iterator[Change]:
    """Forget a conversion, a rounding or a last method; the other way round, remove it."""
    for node in program.of("call_expression"):
        place, arguments = child(node, "function"), child(node, "arguments").named_children
        name = program.text(place)
        if name in (*_NUMERIC, *_CONVERSIONS) and arguments:
            text = program.text(arguments[0])
            inner = f"({text})" if is_operand(node) and _operation(arguments[0]) else text
            yield change(quotable(node), [replace(node, inner)], *_forgotten(name))
        elif place.type == "member_expression" and len(arguments) <= 1:
            owner, method = child(place, "object"), program.text(child(place, "property"))
            tail = program.span(owner.end_byte, node.end_byte).strip()
            if program.text(owner) in _NAMESPACES or "\n" in tail or len(tail) > 40:
                continue
            extra, missing = _forgotten(tail)
            edit = Edit(owner.end_byte, node.end_byte, "")
            missing = missing if method in _FORGETTABLE and is_value(node) else ""
            yield change(quotable(node), [edit], extra, missing)
    for node in program.of("member_expression"):
        if program.text(child(node, "property")) == "length" and is_value(node):
            edit = Edit(child(node, "object").end_byte, node.end_byte, "")
            yield change(quotable(node), [edit], *_forgotten(".length"))


def _forgotten(step: str) -> tuple[str, str]:
    return f"{quote(step)} does not belong here", f"{quote(step)} is missing here"


def missing_function(program: Program) -> Iterator[Change]:
    """Apply a conversion or a rounding that is missing: f(x) for x."""
    return _wrapped(program, around=True)


def missing_method(program: Program) -> Iterator[Change]:
    """Apply a last method that is missing: x.f() for x."""
    return _wrapped(program, around=False)


def _wrapped(program: Program, *, around: bool) -> Iterator[Change]:
    names = Names(program)
    for node in program.of(*_VALUES):
        text = program.text(node)
        if not is_value(node) or "\n" in text:
            continue
        for step in _STEPS[names.kind_of(node)].split("|"):
            if step.startswith("%s") == around:
                continue
            attached = f"({text})" if _operation(node) and not step.endswith("(%s)") else text
            new = step.replace("%s", attached)
            yield change(quotable(node), [replace(node, new)], f"the value has to be {quote(new)}")


def _operation(node: Node) -> bool:
    """Say whether an expression needs brackets before something is attached to it."""
    return node.type in ("binary_expression", "ternary_expression", "unary_expression")


def equality(program: Program) -> Iterator[Change]:
    """Compare with conversion where the types have to agree, or the reverse."""
    loose = "the comparison converts types, so values of two types can be equal"
    strict = "the comparison is strict, so values of two types are never equal"
    for node in program.of("binary_expression"):
        sign, right = child(node, "operator"), program.text(child(node, "right"))
        # Only beside values that others convert to is the difference ever seen.
        telling = right in ("0", "1", "''", '""', "null", "undefined", "false", "true")
        if sign.type in ("==", "!="):
            yield change(node, [replace(sign, sign.type + "=")], loose, strict if telling else "")
        elif sign.type in ("===", "!=="):
            yield change(node, [replace(sign, sign.type[:-1])], strict, loose if telling else "")
