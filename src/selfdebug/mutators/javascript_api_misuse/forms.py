"""Functions, callbacks and patterns handed over in the wrong form in JavaScript.

Each operator yields changes that read in both directions unless a reason is empty.

    python -c "from selfdebug.mutators.javascript_api_misuse import forms; help(forms)"
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
    swap,
)
from selfdebug.languages.javascript_edit.names import Names
from selfdebug.languages.javascript_edit.places import (
    conditions,
    function_of,
    grouped,
    is_value,
    method_calls,
    method_name,
    quotable,
)

if TYPE_CHECKING:
    from tree_sitter import Node

ELEMENT_FIRST = frozenset({"map", "filter", "forEach", "some", "every", "find", "findIndex"})
CALLBACKS = ELEMENT_FIRST | {"reduce", "reduceRight", "flatMap"}
BUILT_IN = frozenset({"Number", "String", "Boolean", "parseInt", "parseFloat"})
PLACES = frozenset({"indexOf", "lastIndexOf", "search", "findIndex"})
YES_OR_NO = frozenset(
    {"includes", "has", "some", "every", "startsWith", "endsWith", "test", "isArray", "isInteger"}
)
SPECIAL = re.compile(r"[\\\[\](){}.*+?^$|]")


def uncalled(program: Program) -> Iterator[Change]:
    """Name a function or a method without calling it."""
    for call in program.of("call_expression"):
        place, list_ = child(call, "function"), child(call, "arguments")
        if list_.type == "arguments" and not list_.named_children:
            name = program.text(place.child_by_field_name("property") or place)
            if re.fullmatch(r"\w+", name):
                reason = f"{quote(name)} is only named and not called"
                yield change(quotable(call), [replace(list_, "")], "", reason)


def called_callback(program: Program) -> Iterator[Change]:
    """Call a function that has to be handed over."""
    names = Names(program)
    for call, name, arguments in method_calls(program):
        if name not in CALLBACKS or not arguments or arguments[0].type != "identifier":
            continue
        function = program.text(arguments[0])
        if function in BUILT_IN or names.kind(function) == "function":
            reason = f"{quote(function)} is called at once and not handed over to {quote(name)}"
            edit = insert(arguments[0].end_byte, "()")
            yield change(call, [edit], "", reason)


def printed(program: Program) -> Iterator[Change]:
    """Print a result instead of returning it."""
    reason = "the result is printed and not returned"
    for node in program.of("return_statement"):
        value = node.named_children[0] if node.named_children else None
        if value is not None and "\n" not in program.text(node):
            text = f"console.log({program.text(value)});"
            yield change(node, [replace(node, text)], "", reason)
    for node in program.of("expression_statement"):
        call = node.named_children[0] if node.named_children else None
        if call is not None and function_of(node) is not None:
            given = call.child_by_field_name("arguments")
            if program.text(call).startswith("console.log(") and given is not None:
                text = f"return {program.text(given)[1:-1]};"
                if len(given.named_children) == 1:
                    yield change(node, [replace(node, text)], reason)


def block_body(program: Program) -> Iterator[Change]:
    """Put the value of an arrow function in braces, and so return nothing."""
    reason = "an arrow function with braces gives nothing back by itself"
    for node in program.of("arrow_function"):
        body = child(node, "body")
        if body.type == "statement_block" or "\n" in program.text(node):
            continue
        literal = (
            body.type == "parenthesized_expression" and body.named_children[0].type == "object"
        )
        inner = program.text(body)[1:-1] if literal else f"{{ {program.text(body)}; }}"
        yield change(node, [replace(body, inner)], "", reason)


def callback_parameters(program: Program) -> Iterator[Change]:
    """Take a callback's parameters in the wrong order, or a pair for two parameters."""
    for _, name, arguments in method_calls(program):
        first = arguments[0] if arguments else None
        list_ = first.child_by_field_name("parameters") if first is not None else None
        if name not in CALLBACKS or list_ is None:
            continue
        given = list_.named_children
        gives = "the element first, the index second"
        if name.startswith("reduce"):
            gives = "the result so far first, the element second"
        if len(given) == 2:
            reason = f"{quote(name)} hands over {gives}"
            yield change(list_, swap(program, given[0], given[1]), reason, reason)
        if len(given) == 1 and given[0].type == "array_pattern":
            names = program.text(given[0])[1:-1].strip()
            pair = f"{quote(name)} hands over each pair as one value, to be taken apart in brackets"
            if "," in names.strip(","):
                yield change(quotable(list_), [replace(given[0], names)], "", pair)


def loop_form(program: Program) -> Iterator[Change]:
    """Go over an array's positions or elements where a counter is needed."""
    for loop in program.of("for_statement"):
        head = program.span(loop.start_byte, child(loop, "body").start_byte)
        form = (
            r"for\s*\((let|var|const)\s+(\w+)\s*=\s*0;\s*\2\s*<\s*(\w+)\.length;\s*\2\+\+\s*\)\s*"
        )
        found = re.fullmatch(form, head)
        if found is None:
            continue
        keyword, name, owner = found.groups()
        end = loop.start_byte + len(head.rstrip().encode())
        for sign, gives in (("in", "positions as texts"), ("of", "elements")):
            edit = Edit(loop.start_byte, end, f"for ({keyword} {name} {sign} {owner})")
            reason = f"{quote(sign)} gives {gives}, and {quote(name)} has to be a number"
            yield Change((edit,), (loop.start_byte, end), "", reason)


def own_value(program: Program) -> Iterator[Change]:
    """Forget `this.` before what belongs to the object."""
    for node in program.of("member_expression"):
        if child(node, "object").type == "this":
            name = program.text(child(node, "property"))
            reason = f"{quote(name)} alone is a variable and not the object's own"
            yield change(quotable(node), [replace(node, name)], "", reason)


def wrapped_argument(program: Program) -> Iterator[Change]:
    """Hand over an array where its elements are asked for one by one, or the reverse."""
    for call, name, arguments in method_calls(program):
        owner, list_ = (
            program.text(child(child(call, "function"), "object")),
            child(call, "arguments"),
        )
        inside = program.text(list_)[1:-1]
        spread = any(argument.type == "spread_element" for argument in arguments)
        if owner == "Math" and name in ("max", "min") and len(arguments) > 1 and not spread:
            reason = f"{quote(f'Math.{name}')} takes the numbers one by one and not in an array"
            yield change(call, [replace(list_, f"([{inside}])")], "", reason)
        elif name in ("push", "unshift", "add") and len(arguments) == 1:
            wrapped = "what is added is an array that holds the element, not the element itself"
            if arguments[0].type != "array":
                yield change(call, [replace(list_, f"([{inside}])")], "", wrapped)
            elif len(arguments[0].named_children) > 1 and name != "add":
                reason = f"{quote(name)} adds the elements one by one, not the array of them"
                parts = program.text(arguments[0])[1:-1].strip()
                yield change(call, [replace(list_, f"({parts})")], "", reason)
    for node in program.of("new_expression"):
        list_ = node.child_by_field_name("arguments")
        if program.text(child(node, "constructor")) == "Set" and list_ and list_.named_children:
            reason = "the whole sequence becomes the one element of the set"
            text = f"([{program.text(list_)[1:-1]}])"
            if list_.named_children[0].type != "array":
                yield change(quotable(node), [replace(list_, text)], "", reason)


def bare_object(program: Program) -> Iterator[Change]:
    """Use an object where a list of its keys, values or entries is needed."""
    for call, name, arguments in method_calls(program):
        owner = program.text(child(child(call, "function"), "object"))
        if owner == "Object" and name in ("keys", "values", "entries") and len(arguments) == 1:
            reason = f"the object itself stands where its {name} are needed"
            yield change(quotable(call), [replace(call, program.text(arguments[0]))], "", reason)


def pushed(program: Program) -> Iterator[Change]:
    """Use what push gives as if it were the longer array."""
    reason = f"{quote('push')} gives the new length and not the array"
    for node in program.of("array"):
        first, *rest = node.named_children or [node]
        if first.type == "spread_element" and rest and rest[0].type != "spread_element":
            added = program.span(rest[0].start_byte, rest[-1].end_byte)
            owner = first.named_children[0]
            if owner.type == "identifier":
                text = f"{program.text(owner)}.push({added})"
                yield change(quotable(node), [replace(node, text)], "", reason)


def shared_rows(program: Program) -> Iterator[Change]:
    """Fill every row of a table with one and the same array."""
    form = r"Array\.from\(\{\s*length: ([^{}]+?)\s*\}, \(\) => (.+)\)"
    for call in program.of("call_expression"):
        found = re.fullmatch(form, program.text(call))
        if found is not None and found[2].startswith(("[", "Array(", "new Array(", "Array.from(")):
            text = f"Array({found[1]}).fill({found[2]})"
            reason = f"{quote('fill')} puts one and the same array into every row"
            yield change(call, [replace(call, text)], "", reason)


def found(program: Program) -> Iterator[Change]:
    """Ask whether something was found as if its place were a yes or no, or the reverse."""
    zero = "0, the first place, counts as false, and -1, which means none, as true"
    for node in program.of("binary_expression"):
        call, sign = child(node, "left"), child(node, "operator").type
        limit = program.text(child(node, "right"))
        if call.type != "call_expression" or method_name(program, call) not in PLACES:
            continue
        if (sign, limit) in {("!==", "-1"), ("!=", "-1"), (">", "-1"), (">=", "0")}:
            yield change(node, [replace(node, program.text(call))], "", zero)
            yield change(node, [replace(node, f"{program.text(call)} > 0")], "", _FIRST)
        elif (sign, limit) in {("===", "-1"), ("==", "-1"), ("<", "0")}:
            yield change(node, [replace(node, grouped(node, f"!{program.text(call)}"))], "", zero)
            yield change(node, [replace(node, f"{program.text(call)} === null")], "", _NEVER_NULL)
    for node in conditions(program):
        name = method_name(program, node)
        if name in YES_OR_NO:
            reason = f"{quote(name)} gives true or false and never -1"
            yield change(node, [insert(node.end_byte, " !== -1")], "", reason)
        elif name in PLACES:
            yield change(node, [insert(node.end_byte, " !== -1")], zero)


_FIRST = "0 is the first place, where something can be found too"
_NEVER_NULL = "the place of what is not there is -1 and never null"


def same_array(program: Program) -> Iterator[Change]:
    """Compare arrays themselves where their lengths or their texts have to be compared."""
    reason = "two arrays are equal only if they are one and the same"
    for node in program.of("binary_expression"):
        sign, sides = child(node, "operator").type, (child(node, "left"), child(node, "right"))
        if sign not in ("===", "!==", "==", "!="):
            continue
        left, right = map(program.text, sides)
        if left.endswith(".length") and right == "0":
            text = f"{left.removesuffix('.length')} {sign} []"
            yield change(node, [replace(node, text)], "", reason)
        inner = [_as_text(program, side) for side in sides]
        if all(inner):
            yield change(node, [replace(node, f"{inner[0]} {sign} {inner[1]}")], "", reason)


def _as_text(program: Program, node: Node) -> str:
    """Return what an expression turns into a text to compare it, or ""."""
    found = re.fullmatch(
        r"JSON\.stringify\((.+)\)|(.+)\.(?:toString\(\)|join\([^()]*\))", program.text(node)
    )
    return (found[1] or found[2]) if found else ""


def nothing(program: Program) -> Iterator[Change]:
    """Confuse null and undefined in a strict comparison."""
    for node in program.of("binary_expression"):
        right = child(node, "right")
        other = {"null": "undefined", "undefined": "null"}.get(program.text(right))
        if other and child(node, "operator").type in ("===", "!=="):
            reason = f"{quote('null')} and {quote('undefined')} are not the same to a strict test"
            yield change(node, [replace(right, other)], reason, reason)


def template(program: Program) -> Iterator[Change]:
    """Write a template in quotes, where nothing is filled in."""
    reason = "a text in quotes is taken as it is, and nothing is filled in"
    for node in program.of("template_string"):
        text = program.text(node)
        mark = "'" if "'" not in text else '"'
        if "${" in text and mark not in text and "\n" not in text and len(text) < 60:
            yield change(node, [replace(node, mark + text[1:-1] + mark)], "", reason)


def pattern(program: Program) -> Iterator[Change]:
    """Write a pattern as a text, or forget one of its flags."""
    for node in program.of("regex"):
        inner, flags = program.text(child(node, "pattern")), node.child_by_field_name("flags")
        marks, call = program.text(flags), next(ancestors(node)).parent
        name = method_name(program, call) if call is not None else ""
        for flag, reason in _FLAGS.items():
            if flag in marks:
                edit = replace(node, f"/{inner}/{marks.replace(flag, '')}")
                yield change(quotable(node), [edit], "", reason)
        if "g" not in marks and name == "replace":
            edit = replace(node, f"/{inner}/{marks}g")
            yield change(quotable(node), [edit], _FLAGS["g"], _EVERYWHERE)
        if is_value(node) and "'" not in inner and name in ("replace", "replaceAll", "split"):
            whole = "a text in quotes is searched for as it stands and is no pattern"
            if SPECIAL.search(inner):
                yield change(quotable(node), [replace(node, f"'{inner}'")], "", whole)
            elif name == "replace" and marks == "g":
                yield change(quotable(node), [replace(node, f"'{inner}'")], "", _ONCE)


_FLAGS = {
    "g": "without the flag g only the first match counts",
    "i": "without the flag i small letters and capitals differ",
}
_EVERYWHERE = "with the flag g every match is replaced and not the first alone"
_ONCE = "a text is replaced only where it stands first"
