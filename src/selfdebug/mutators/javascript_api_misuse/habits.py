"""Other languages' habits in JavaScript: what Python, C or Java write and it reads otherwise.

Each operator yields changes that read in both directions unless a reason is empty.

    python -c "from selfdebug.mutators.javascript_api_misuse import habits; help(habits)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfdebug.languages.javascript_edit import Change, Program, change, child, quote, replace
from selfdebug.languages.javascript_edit.names import Names
from selfdebug.languages.javascript_edit.places import (
    grouped,
    is_value,
    method_calls,
    operand,
    quotable,
)

# Names of methods elsewhere, or as they are misspelt: JavaScript's name -> the others.
ELSEWHERE = {
    "push": ("push_back", "addLast"),
    "pop": ("removeLast",),
    "shift": ("popleft", "dequeue"),
    "unshift": ("prepend", "appendleft"),
    "concat": ("extend", "addAll"),
    "slice": ("sublist",),
    "map": ("collect",),
    "filter": ("select", "where"),
    "reduce": ("fold", "inject"),
    "some": ("any",),
    "every": ("all",),
    "indexOf": ("index", "IndexOf"),
    "includes": ("include", "has"),
    "charAt": ("charat",),
    "charCodeAt": ("charcodeAt", "codeAt"),
    "toUpperCase": ("toUppercase",),
    "toLowerCase": ("toLowercase",),
    "substring": ("subString",),
    "replaceAll": ("replace_all",),
    "toString": ("tostring", "str"),
    "padStart": ("padLeft", "rjust"),
    "match": ("matches",),
    "sort": ("sorted",),
    "set": ("put",),
    "has": ("contains", "includes"),
    "delete": ("remove",),
    "add": ("append", "insert"),
    "keys": ("keySet",),
    "entries": ("items",),
}
NAMESPACES = {"Math": "math", "Object": "object", "JSON": "json", "Array": "array"}
_UNFIT = ("number", "unary_expression")  # `2.max(x)` does not parse
LISTED = frozenset({"keys", "values", "entries"})


def foreign_method(program: Program) -> Iterator[Change]:
    """Call a method by the name that it has in another language."""
    for call, name, _ in method_calls(program):
        place = child(child(call, "function"), "property")
        for other in ELSEWHERE.get(name, ()):
            reason = f"there is no method {quote(other)}, it is called {quote(name)}"
            yield change(quotable(place), [replace(place, other)], "", reason)


def namespace(program: Program) -> Iterator[Change]:
    """Write Math and its like in small letters."""
    for node in program.of("member_expression"):
        owner = child(node, "object")
        small = NAMESPACES.get(program.text(owner))
        if small is not None:
            reason = f"JavaScript has no {quote(small)}, and names are told apart by their case"
            yield change(quotable(node), [replace(owner, small)], "", reason)


def negative_index(program: Program) -> Iterator[Change]:
    """Count from the end with a negative index."""
    for node in program.of("subscript_expression"):
        owner, index = program.text(child(node, "object")), child(node, "index")
        text = program.text(index)
        from_end = re.fullmatch(re.escape(owner) + r"\.length\s*-\s*(\w+)", text)
        if from_end:
            new = replace(index, f"-{from_end[1]}")
            yield change(node, [new], "", _negative(f"{owner}[-{from_end[1]}]"))
        elif re.fullmatch(r"-\d+", text):
            new = replace(index, f"{owner}.length - {text[1:]}")
            yield change(node, [new], _negative(program.text(node)))


def _negative(element: str) -> str:
    return f"{quote(element)} does not count from the end, there is no such element"


def power(program: Program) -> Iterator[Change]:
    """Write a power as C-like languages write exclusive or."""
    reason = f"{quote('^')} combines the bits of two numbers and is no power"
    for node in program.of("binary_expression"):
        sign = child(node, "operator")
        if sign.type == "**":
            yield change(node, [replace(sign, "^")], "", reason)
        elif sign.type == "^":
            yield change(node, [replace(sign, "**")], reason)
    for call, name, arguments in method_calls(program):
        if name == "pow" and len(arguments) == 2:
            base, exponent = (operand(program, argument) for argument in arguments)
            yield change(call, [replace(call, grouped(call, f"{base} ^ {exponent}"))], "", reason)


def joined(program: Program) -> Iterator[Change]:
    """Add and multiply arrays and texts as Python does."""
    plus = f"{quote('+')} turns arrays into texts and does not join them"
    times = f"{quote('*')} turns its sides into numbers and repeats nothing"
    for call, name, arguments in method_calls(program):
        owner = child(child(call, "function"), "object")
        if len(arguments) != 1 or arguments[0].type in ("spread_element", "arrow_function"):
            continue
        base, argument = operand(program, owner), operand(program, arguments[0])
        if name == "concat":
            yield change(call, [replace(call, grouped(call, f"{base} + {argument}"))], "", plus)
        elif name == "repeat":
            yield change(call, [replace(call, grouped(call, f"{base} * {argument}"))], "", times)
        elif name == "fill" and re.fullmatch(r"(new )?Array\(\w+\)", program.text(owner)):
            size = program.text(owner).split("(")[1][:-1]
            text = grouped(call, f"[{program.text(arguments[0])}] * {size}")
            yield change(call, [replace(call, text)], "", times)
        elif name == "join" and arguments[0].type == "string":
            text = f"{program.text(arguments[0])}.join({program.text(owner)})"
            reason = f"{quote('join')} is a method of the array and not of the text between"
            yield change(call, [replace(call, text)], "", reason)
    for node in program.of("array"):
        parts = node.named_children
        if len(parts) == 2 and all(part.type == "spread_element" for part in parts):
            one, other = (operand(program, part.named_children[0]) for part in parts)
            yield change(node, [replace(node, grouped(node, f"{one} + {other}"))], "", plus)


def own_function(program: Program) -> Iterator[Change]:
    """Take a method for a function of the value: len(a), x.floor(), o.keys()."""
    for node in program.of("member_expression"):
        if program.text(child(node, "property")) == "length" and is_value(node):
            text = f"len({program.text(child(node, 'object'))})"
            yield change(quotable(node), [replace(node, text)], "", "JavaScript has no `len`")
    for call, name, arguments in method_calls(program):
        owner = program.text(child(child(call, "function"), "object"))
        if owner == "Math" and arguments and arguments[0].type not in _UNFIT:
            first, *rest = arguments
            spread = first.type == "spread_element"
            base = operand(program, first.named_children[0] if spread else first)
            text = f"{base}.{name}({', '.join(map(program.text, rest))})"
            what = "an array" if spread else "a number"
            reason = f"{quote(name)} is a function of {quote('Math')} and no method of {what}"
            yield change(call, [replace(call, text)], "", reason)
        elif owner == "Object" and name in LISTED and len(arguments) == 1:
            text = f"{operand(program, arguments[0])}.{name}()"
            reason = f"{quote('Object.' + name)} lists them, an object has no such method"
            yield change(call, [replace(call, text)], "", reason)


def membership(program: Program) -> Iterator[Change]:
    """Ask for an element with `in`, as Python does, or for a key with a method."""
    for call, name, arguments in method_calls(program):
        owner = child(child(call, "function"), "object")
        if name not in ("includes", "has") or len(arguments) != 1:
            continue
        text = f"{operand(program, arguments[0])} in {operand(program, owner)}"
        edit = replace(call, grouped(call, text))
        yield change(call, [edit], "", f"{quote('in')} asks for a key and not for an element")
    for node in program.of("binary_expression"):
        if child(node, "operator").type == "in":
            key, owner = program.text(child(node, "left")), operand(program, child(node, "right"))
            for name in ("has", "includes"):
                reason = f"an object has no method {quote(name)}, {quote('in')} asks for a key"
                yield change(node, [replace(node, f"{owner}.{name}({key})")], "", reason)


def type_test(program: Program) -> Iterator[Change]:
    """Ask for a type, or for NaN, in a way that never holds."""
    for call in program.of("call_expression"):
        name, given = program.text(child(call, "function")), child(call, "arguments").named_children
        if len(given) != 1:
            continue
        value = operand(program, given[0])
        if name == "Array.isArray":
            text = grouped(call, f"typeof {value} === 'array'")
            reason = f"{quote('typeof')} calls an array an object too"
            yield change(call, [replace(call, text)], "", reason)
        elif name in ("isNaN", "Number.isNaN"):
            text = grouped(call, f"{value} === NaN")
            yield change(call, [replace(call, text)], "", f"nothing is equal to {quote('NaN')}")


def rounded_quotient(program: Program) -> Iterator[Change]:
    """Divide as languages with whole numbers do."""
    reason = "the quotient is rounded down where its fraction counts"
    for node in program.of("binary_expression"):
        around = node.parent.parent if node.parent is not None else None
        rounded = around is not None and program.text(around).startswith(("Math.", "parseInt"))
        if child(node, "operator").type == "/" and not rounded:
            text = f"Math.floor({program.text(node)})"
            yield change(quotable(node), [replace(node, text)], "", reason)


def extreme(program: Program) -> Iterator[Change]:
    """Take the smallest positive number for the most negative one."""
    reason = f"{quote('Number.MIN_VALUE')} is the smallest number above 0, not the most negative"
    for node in program.of("unary_expression", "member_expression"):
        text = program.text(node)
        if text in ("-Infinity", "Number.MIN_SAFE_INTEGER", "Number.NEGATIVE_INFINITY"):
            yield change(quotable(node), [replace(node, "Number.MIN_VALUE")], "", reason)
        elif text == "Number.MIN_VALUE":
            yield change(quotable(node), [replace(node, "-Infinity")], reason)


def element(program: Program) -> Iterator[Change]:
    """Read an element as other languages do: with a dot, in round brackets, by a method."""
    names = Names(program)
    for node in program.of("subscript_expression"):
        owner, index = child(node, "object"), child(node, "index")
        base, key = program.text(owner), program.text(index)
        if index.type == "identifier":
            yield change(quotable(node), [replace(node, f"{base}.{key}")], "", _dotted(key))
        if owner.type == "subscript_expression":
            outer, first = program.text(child(owner, "object")), program.text(child(owner, "index"))
            both = f"{first}, {key}"
            reason = f"of {quote(both)} in one pair of brackets only the last one counts"
            yield change(quotable(node), [replace(node, f"{outer}[{both}]")], "", reason)
        if is_value(node) and names.kind_of(owner) != "string":
            reason = f"only texts have a method {quote('charAt')}"
            edit = replace(node, f"{base}.charAt({key})")
            yield change(quotable(node), [edit], "", reason)
        if is_value(node):
            reason = f"an element is read in square brackets, and {quote(base)} is no function"
            yield change(quotable(node), [replace(node, f"{base}({key})")], "", reason)
            edit = replace(node, f"{base}.get({key})")
            reason = f"only a Map is read with {quote('get')}"
            yield change(quotable(node), [edit], "", reason)
    for node in program.of("member_expression"):
        key = program.text(child(node, "property"))
        called = node.parent is not None and node.parent.type == "call_expression"
        if key in names.visible(node) and not called:
            edit = replace(node, f"{program.text(child(node, 'object'))}[{key}]")
            yield change(quotable(node), [edit], _dotted(key))


def _dotted(key: str) -> str:
    return f"a dot takes {quote(key)} for a property's name and does not look at the variable"


def map_entry(program: Program) -> Iterator[Change]:
    """Read or set an entry of a Map as if it were a property."""
    unread, unset = f"what {quote('get')} reads is no property", "this sets a property and no entry"
    for call, name, arguments in method_calls(program):
        base = program.text(child(child(call, "function"), "object"))
        given = [program.text(argument) for argument in arguments]
        if name == "get" and len(given) == 1:
            yield change(call, [replace(call, f"{base}[{given[0]}]")], "", unread)
        statement = call.parent is not None and call.parent.type == "expression_statement"
        if name == "set" and len(given) == 2 and statement:
            yield change(call, [replace(call, f"{base}[{given[0]}] = {given[1]}")], "", unset)
