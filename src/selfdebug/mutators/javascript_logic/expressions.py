"""JavaScript logic errors inside expressions: operators, conditions, names, constants, operands.

Each operator yields changes that read in both directions unless a reason is empty.

    python -c "from selfdebug.mutators.javascript_logic import expressions; help(expressions)"
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
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
from selfdebug.languages.javascript_edit.names import Names, agree
from selfdebug.languages.javascript_edit.places import (
    conditions,
    first_line,
    function_of,
    is_operand,
    is_value,
    quotable,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_CONFUSED = {
    "<": "> >= == !=",
    "<=": ">= > == !=",
    ">": "< <= == !=",
    ">=": "<= < == !=",
    "==": "!= < > <= >=",
    "===": "!== < > <= >=",
    "!=": "== < > <= >=",
    "!==": "=== < > <= >=",
    "+": "- * / %",
    "-": "+ / * %",
    "*": "+ / ** - %",
    "/": "* % - +",
    "%": "/ - * +",
    "**": "* /",
    "&&": "||",
    "||": "&&",
    "&": "| ^",
    "|": "& ^",
    "^": "| &",
    "<<": ">>",
    ">>": "<<",
    "??": "&& ||",
}
_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "===", "!=", "!=="})
_ASSIGNED = {"=": "+= -= *=", "+=": "= -= *=", "-=": "+= =", "*=": "+= = /=", "/=": "*= -= ="}
_NUMBERS = ("0", "1", "2", "-1", "10", "3", "100", "26")
# The ends of A-Z, a-z and 0-9, as each comparison needs them.
_CHARACTER_CODES = {
    "<": ("91", "123", "58"),
    "<=": ("90", "122", "57"),
    ">": ("64", "96", "47"),
    ">=": ("65", "97", "48"),
}
_PARTNERS = dict(zip("()[]{}<>+-", ")(][}{><-+", strict=True))
_COMMUTATIVE = frozenset({"*", "==", "===", "!=", "!==", "&&", "||", "&", "|", "^"})


def operator(program: Program) -> Iterator[Change]:
    """Confuse one operator with another."""
    for node in program.of("binary_expression"):
        sign = child(node, "operator")
        for other in _CONFUSED.get(sign.type, "").split():
            yield change(node, [replace(sign, other)], *_instead(sign.type, other))


def connective(program: Program) -> Iterator[Change]:
    """Confuse and with or in every part of a condition."""
    for node in program.of("binary_expression"):
        sign, parent = _operator(node), node.parent
        joins = {"&&": "||", "||": "&&"}
        inner = parent is not None and parent.type == "binary_expression"
        if sign not in joins or (inner and parent is not None and _operator(parent) == sign):
            continue
        signs = list(_chain(node, sign))
        if len(signs) > 1:
            edits = [replace(part, joins[sign]) for part in signs]
            yield change(node, edits, *_instead(sign, joins[sign]))


def _chain(node: Node, sign: str) -> Iterator[Node]:
    """Yield the operators of a && b && c."""
    if node.type == "binary_expression" and _operator(node) == sign:
        yield from _chain(child(node, "left"), sign)
        yield child(node, "operator")
        yield from _chain(child(node, "right"), sign)


def assignment(program: Program) -> Iterator[Change]:
    """Overwrite a value that has to be updated, or update it the wrong way."""
    for node in program.of("assignment_expression", "augmented_assignment_expression"):
        sign = next(part for part in node.children[1:] if not part.is_named)
        for other in _ASSIGNED.get(sign.type, "").split():
            reasons = _instead(sign.type, other)
            yield change(node, [replace(sign, other)], *reasons)
    for node in program.of("update_expression"):
        sign = child(node, "operator")
        other = "--" if sign.type == "++" else "++"
        yield change(node, [replace(sign, other)], *_instead(sign.type, other))


def negation(program: Program) -> Iterator[Change]:
    """Ask for the opposite of a condition."""
    asked = [*conditions(program), *_answers(program)]
    operands = [node for node in program.of("binary_expression") if _operator(node) in ("&&", "||")]
    asked += [part for node in operands for part in (child(node, "left"), child(node, "right"))]
    for node in asked:
        if node.type == "unary_expression" and child(node, "operator").type == "!":
            inner = child(node, "argument")
            yield change(quotable(node), [replace(node, program.text(inner))], *_OPPOSITE)
        elif node.type == "binary_expression" and _operator(node) in _COMPARISONS:
            continue  # the opposite comparison is an operator of its own
        elif node.type in ("binary_expression", "ternary_expression"):
            text = f"!({program.text(node)})"
            yield change(node, [replace(node, text)], *_OPPOSITE)
        elif node.type not in ("number", "string", "true", "false", "parenthesized_expression"):
            yield change(quotable(node), [replace(node, f"!{program.text(node)}")], *_OPPOSITE)
        elif node.type == "parenthesized_expression":
            yield change(node, [replace(node, f"!{program.text(node)}")], *_OPPOSITE)


_OPPOSITE = ("the condition asks for the opposite", "the condition asks for the opposite")


def boolean(program: Program) -> Iterator[Change]:
    """Exchange true and false."""
    for node in program.of("true", "false"):
        other = "false" if node.type == "true" else "true"
        yield change(quotable(node), [replace(node, other)], *_instead(node.type, other))


def initial(program: Program) -> Iterator[Change]:
    """Start a variable with the wrong value."""
    names = Names(program)
    for node in program.of("variable_declarator"):
        value, name = node.child_by_field_name("value"), child(node, "name")
        if value is None or name.type != "identifier":
            continue
        reason = f"the first value of {quote(program.text(name))} is wrong"
        for other in _first_values(program, names, value):
            yield change(node, [replace(value, other)], reason, reason)


def _first_values(program: Program, names: Names, value: Node) -> list[str]:
    kind, text = names.kind_of(value), program.text(value)
    known = [name for name in names.visible(value) if names.kind(name) in ("sequence", "array")]
    if kind == "number" and (text.lstrip("-").isdecimal() or "Infinity" in text):
        first = [f"{name}[0]" for name in known[:2]]
        values = [*_NUMBERS[:4], "Infinity", "-Infinity", *first]
    else:
        values = {"string": ["''", "' '"], "array": ["[]", "[0]", "[1]", "['']"]}.get(kind, [])
    return [other for other in values if other != text and not _neighbours(other, text)]


def number(program: Program) -> Iterator[Change]:
    """Use another number of the program, or a common one."""
    written = [program.text(node) for node in program.of("number")]
    for node in program.of("number"):
        text, parent = program.text(node), node.parent
        compared = parent is not None and parent.type == "binary_expression"
        sign = _operator(parent) if parent is not None and compared else ""
        codes = _CHARACTER_CODES.get(sign, ()) if "harCode" in program.code else ()
        for other in dict.fromkeys([*written, *_NUMBERS, *codes]):
            # `x - -1` is the wrong operator, not the wrong number.
            minus = parent is not None and (
                parent.type in ("unary_expression", "augmented_assignment_expression")
                or (sign in ("+", "-") and node == parent.child_by_field_name("right"))
            )
            if other != text and not _neighbours(text, other) and not (minus and other[0] == "-"):
                yield change(quotable(node), [replace(node, other)], *_instead(text, other))


def string(program: Program) -> Iterator[Change]:
    """Use another string of the program, or a look-alike."""
    written = dict.fromkeys(program.text(node) for node in program.of("string"))
    for node in program.of("string"):
        text = program.text(node)
        mark, inner = text[0], text[1:-1]
        likes = ["", " ", *_alike(inner)] if len(inner) <= 12 else _alike(inner)
        others = [mark + like + mark for like in likes]
        for other in dict.fromkeys([*others, *written]):
            if other[1:-1] != inner and not (len(inner) > 3 and other in others[:2]):
                yield change(quotable(node), [replace(node, other)], *_instead(text, other))


def _alike(text: str) -> list[str]:
    """Return look-alikes of a short text: the other bracket, other case, a character less."""
    likes = ["".join(_PARTNERS.get(c, c) for c in text), text.swapcase(), text.lower()]
    likes += list("()[]{}<>") if text in "()[]{}<>" and text else []
    likes += [text.upper(), text.capitalize(), text.strip()]
    if 1 < len(text) <= 12:
        likes += [text[1:], text[:-1]]
    if text and len(text) <= 3 and "\\" not in text:
        likes += [text + text[0], f" {text}", f"{text} "]
    return list(dict.fromkeys(likes))


def name(program: Program) -> Iterator[Change]:
    """Use another variable that is visible there."""
    names = Names(program)
    uses = [node for node in program.of("identifier") if _is_use(node)]
    for sure in (True, False):
        for node in uses:
            text = program.text(node)
            for other in names.visible(node):
                kinds = names.kind(text), names.kind(other)
                certain = kinds[0] == kinds[1] != ""
                if other == text or certain != sure or not agree(*kinds):
                    continue
                yield change(quotable(node), [replace(node, other)], *_instead(text, other))


def misfit(program: Program) -> Iterator[Change]:
    """Use a variable of another kind: what a name holds is guessed from uses that may be wrong."""
    names = Names(program)
    for node in (node for node in program.of("identifier") if _is_use(node)):
        text = program.text(node)
        for other in names.visible(node):
            if other != text and not agree(names.kind(text), names.kind(other)):
                edits = [replace(node, other)]
                yield change(quotable(node), edits, _instead(text, other)[0])


def _is_use(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "call_expression":
        return node != parent.child_by_field_name("function")
    if parent.type == "for_in_statement" and parent.child_by_field_name("kind"):
        return node != parent.child_by_field_name("left")
    declared = parent.child_by_field_name("name") or parent.child_by_field_name("parameter")
    return declared != node and not parent.type.endswith(("parameters", "pattern"))


def operand(program: Program) -> Iterator[Change]:
    """Leave out a part of a condition or of a calculation."""
    for node in program.of("binary_expression"):
        left, right, sign = child(node, "left"), child(node, "right"), _operator(node)
        if sign in ("<", ">", "<=", ">=", "instanceof", "in"):
            continue
        what = "condition" if sign in ("&&", "||") else "part"
        for keep, drop in ((left, right), (right, left)):
            dropped = _short(program.text(drop))
            part = quote(f"{sign} {dropped}" if drop is right else f"{dropped} {sign}")
            reasons = f"the {what} {part} does not belong here", f"the {what} {part} is left out"
            yield change(node, [replace(node, program.text(keep))], *reasons)


def sign(program: Program) -> Iterator[Change]:
    """Forget a minus, or write one too many."""
    names = Names(program)
    for node in program.of("unary_expression"):
        if child(node, "operator").type == "-":
            text = program.text(child(node, "argument"))
            yield change(quotable(node), [replace(node, text)], _SIGN[0], _SIGN[1])
    for node in program.of("identifier", "subscript_expression", "call_expression"):
        if is_value(node) and not is_operand(node) and agree(names.kind_of(node), "number"):
            edit = replace(node, "-" + program.text(node))
            yield change(quotable(node), [edit], _SIGN[1], _SIGN[0])


_SIGN = ("the value is negated and must not be", "the value has to be negated")


def order(program: Program) -> Iterator[Change]:
    """Swap operands, arguments, elements, or the two values of a choice."""
    for node in program.of("ternary_expression"):
        pair = child(node, "consequence"), child(node, "alternative")
        yield from _swapped(program, node, *pair, "the two values of the choice are swapped")
    for node in program.of("arguments", "array"):
        what = "arguments" if node.type == "arguments" else "elements"
        shown = node.parent if node.type == "arguments" and node.parent is not None else node
        if len(node.named_children) <= 6:
            for pair in pairwise(node.named_children):
                yield from _swapped(program, shown, *pair, f"two {what} are swapped")
    for node in program.of("binary_expression"):
        if _operator(node) not in _COMMUTATIVE and _operator(node)[0] not in "<>":
            pair = child(node, "left"), child(node, "right")
            yield from _swapped(program, node, *pair, "the operands are swapped")


def results(program: Program) -> Iterator[Change]:
    """Swap the values of two returns of a function."""
    reason = "the results of two returns are swapped"
    returns = [node for node in program.of("return_statement") if node.named_children]
    for one, other in combinations(returns, 2):
        pair = one.named_children[0], other.named_children[0]
        here, there = (quote(first_line(program, value)) for value in pair)
        if here == there or function_of(one) != function_of(other):
            continue
        far = f"{program.line(other.start_byte) - program.line(one.start_byte)} lines below"
        advice = (
            f"Return {there} here and {here} {far}",
            f"Return {here} here and {there} {far}",
        )
        yield change(one, swap(program, *pair), reason, reason, advice)


def bracketing(program: Program) -> Iterator[Change]:
    """Calculate in the wrong order for lack of brackets, or because of them."""
    for node in program.of("parenthesized_expression"):
        inner = node.named_children[0] if node.named_children else None
        around = node.parent
        if inner is None or around is None or not is_operand(node):
            continue
        if inner.type == "binary_expression" and _operator(inner) not in _COMMUTATIVE:
            yield change(around, [replace(node, program.text(inner))], *_GROUPED)
    for node in program.of("binary_expression"):  # a op (b op c) written as a op b op c
        left, right = child(node, "left"), child(node, "right")
        for inner, outer in ((left, right), (right, left)):
            if inner.type == "binary_expression":
                if _operator(inner) == _operator(node) and _operator(node) in _COMMUTATIVE:
                    continue
                near = child(inner, "right" if inner == left else "left")
                start, end = sorted((near, outer), key=lambda part: part.start_byte)
                group = f"({program.span(start.start_byte, end.end_byte)})"
                edit = Edit(start.start_byte, end.end_byte, group)
                yield change(node, [edit], _GROUPED[1])


_GROUPED = ("the brackets group the wrong parts", "brackets are missing")


def expression(program: Program) -> Iterator[Change]:
    """Use another short expression of the program."""
    names = Names(program)
    pool: dict[str, Node] = {}
    for node in program.of(*_SHORT_FORMS, "identifier", "string", "call_expression"):
        called = node.parent is not None and node == node.parent.child_by_field_name("function")
        usable = node.type in _SHORT_FORMS or is_value(node)
        if usable and not called and node.end_byte - node.start_byte <= 24:
            pool.setdefault(program.text(node), node)
    for node in program.of(*_SHORT_FORMS, "identifier", "call_expression", "number"):
        if not is_value(node) or node.end_byte - node.start_byte > 40:
            continue
        text, visible = program.text(node), set(names.visible(node))
        for other, source in pool.items():
            both_names = node.type == source.type == "identifier"
            kinds = names.kind_of(node), names.kind_of(source)
            used = {program.text(part) for part in _identifiers(source)}
            if other == text or both_names or not agree(*kinds) or not used <= visible:
                continue
            yield change(quotable(node), [replace(node, other)], *_instead(text, other))


_SHORT_FORMS = ("member_expression", "subscript_expression")


def exchange(program: Program) -> Iterator[Change]:
    """Swap two literals wherever they stand."""
    indices = [child(node, "index") for node in program.of("subscript_expression")]
    literals = [list(program.of(*types)) for types in (("true", "false"), ("number",), ("string",))]
    for group in ([node for node in indices if node.type == "number"], *literals):
        places: dict[str, list[Node]] = {}
        for node in group:
            places.setdefault(program.text(node), []).append(node)
        for one, other in combinations(places, 2):
            if len(places[one]) + len(places[other]) > 2:
                edits = [replace(node, other) for node in places[one]]
                edits += [replace(node, one) for node in places[other]]
                reason = f"{quote(one)} and {quote(other)} are exchanged everywhere"
                advice = ("Exchange them", "Exchange them")
                yield change(places[one][0], edits, reason, "", advice)


def extra_operand(program: Program) -> Iterator[Change]:
    """Add a part to a condition or to a calculation."""
    names = Names(program)
    asked = dict.fromkeys(
        program.text(node)
        for node in program.of("binary_expression", "call_expression")
        if names.kind_of(node) == "boolean" and node.end_byte - node.start_byte <= 40
    )
    for node in conditions(program):
        for other in asked:
            if other not in program.text(node):
                for sign in ("&&", "||"):
                    text = f"{_grouped(program, node, sign)} {sign} {other}"
                    reason = f"the condition {quote(other)} is left out"
                    yield change(node, [replace(node, text)], reason)
    for node in program.of("binary_expression"):
        if _operator(node) in ("&&", "||"):
            yield from _likewise(program, node)
    for node in program.of("identifier", "subscript_expression", "call_expression", "number"):
        if not is_value(node) or not agree(names.kind_of(node), "number") or is_operand(node):
            continue
        for other in names.visible(node):
            if names.kind(other) == "number" and other != program.text(node):
                for sign in ("+", "-", "*", "/", "%"):
                    text = f"{program.text(node)} {sign} {other}"
                    reason = f"the part {quote(f'{sign} {other}')} is left out"
                    yield change(quotable(node), [replace(node, text)], reason)


def _likewise(program: Program, node: Node) -> Iterator[Change]:
    """Join a condition with one of its parts once more, two of the part's names swapped."""
    for part in (child(node, "left"), child(node, "right")):
        places: dict[str, list[Node]] = {}
        for use in _identifiers(part):
            places.setdefault(program.text(use), []).append(use)
        for one, other in combinations(places, 2):
            edits = [replace(use, other) for use in places[one]]
            edits += [replace(use, one) for use in places[other]]
            text = program.edited(edits, part.start_byte, part.end_byte)
            joined = f" {_operator(node)} {text}"
            reason = f"the condition {quote(text)} is left out"
            yield change(node, [insert(part.end_byte, joined)], reason)


def _grouped(program: Program, node: Node, sign: str) -> str:
    """Return a condition's text, in brackets where another operator would join it differently."""
    text = program.text(node)
    loose = node.type == "ternary_expression" or (
        node.type == "binary_expression" and {sign, _operator(node)} == {"&&", "||"}
    )
    return f"({text})" if loose else text


def _identifiers(node: Node) -> Iterator[Node]:
    if node.type == "identifier":
        yield node
    for part in node.named_children:
        yield from _identifiers(part)


def _answers(program: Program) -> Iterator[Node]:
    """Yield returned comparisons and the bodies of predicates given to filter and the like."""
    names = Names(program)
    for node in program.of("return_statement"):
        yield from (part for part in node.named_children if names.kind_of(part) == "boolean")
    for node in program.of("arrow_function"):
        body = child(node, "body")
        if body.type != "statement_block" and _asks(program, node):
            yield body


def _asks(program: Program, node: Node) -> bool:
    call = node.parent.parent if node.parent is not None else None
    if call is None or call.type != "call_expression":
        return False
    called = child(call, "function").child_by_field_name("property")
    return program.text(called) in ("filter", "some", "every", "find", "findIndex")


def _swapped(
    program: Program, shown: Node, left: Node, right: Node, reason: str
) -> Iterator[Change]:
    if program.text(left) != program.text(right):
        yield change(shown, swap(program, left, right), reason, reason)


def _instead(one: str, other: str) -> tuple[str, str]:
    one, other = quote(_short(one)), quote(_short(other))
    return f"{one} is used where {other} is needed", f"{other} is used where {one} is needed"


def _short(text: str) -> str:
    """Return the first line of a piece of code, cut where it is long."""
    return text.splitlines()[0][:60].rstrip()


def _operator(node: Node) -> str:
    return child(node, "operator").type


def _neighbours(one: str, other: str) -> bool:
    """Say whether two numbers differ by one: an off-by-one error."""
    whole = one.lstrip("-").isdecimal() and other.lstrip("-").isdecimal()
    return whole and abs(int(one) - int(other)) == 1
