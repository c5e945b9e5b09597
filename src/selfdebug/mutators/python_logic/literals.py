"""Logic errors in what is written out: numbers, truth values, strings, start and default values.

Numbers off by one are `python_off_by_one`'s.

    python -c "from selfdebug.mutators.python_logic import literals as l; print(l.OPERATORS)"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from selfdebug.languages.python_edit.binding import ATOM, UNARY
from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.guesses import number, pairs
from selfdebug.languages.python_edit.program import FUNCTIONS, Edit, Program

_INFINITE = ("float('inf')", "float('-inf')")
# A first value and what is taken for it.
_FIRST_VALUES = {
    "0": ("1", "-1", *_INFINITE, "None", "[]", "''"),
    "1": ("0", "-1", "2", "[]"),
    "-1": ("0", "1", "None", *_INFINITE),
    "0.0": ("1.0",),
    "1.0": ("0.0",),
    "[]": ("''", "0", "set()", "{}", "None"),
    "{}": ("[]", "set()"),
    "''": ("' '", "[]", "0", "None"),
    '""': ('" "', "[]", "0", "None"),
    "set()": ("[]", "{}"),
    "None": ("0", "-1", "[]", *_INFINITE),
    "float('inf')": ("float('-inf')", "0", "-1"),
    "float('-inf')": ("float('inf')", "0", "-1"),
    'float("inf")': ('float("-inf")', "0", "-1"),
    'float("-inf")': ('float("inf")', "0", "-1"),
}
_RESULTS = ("None", "0", "-1", "1", "[]", "''", "True", "False", "()", "{}")
_PAIRED = ("()", "[]", "{}", "<>", "+-", "*/", "01", ",.", "-_", "([", "[{", "yY", "aA", " -")


def constant(program: Program) -> Iterator[Change]:
    """Use another number: zero, one, its negative, ten times it, or one found near by."""
    numbers = [node for node in program.of(ast.Constant, ast.UnaryOp) if _is_number(program, node)]
    found = list(dict.fromkeys(program.text(node) for node in numbers))
    for node in numbers:
        old = program.text(node)
        value = ast.literal_eval(node)
        negative = [_negative(old)] if value else []
        whole = isinstance(value, int)
        scaled = [value * 2, value / 2, value * 10, value / 10] if value else []
        near = [str(int(v) if whole else v) for v in scaled if not whole or v == int(v)]
        usual = ["0", "1", "2", "-1", "10"] if whole else ["0.0", "1.0", "0.5", "2.0"]
        for rank, new in enumerate(dict.fromkeys([*usual, *found, *negative, *near])):
            if new == old or (whole and new.isdecimal() and abs(int(new) - value) == 1):
                continue
            if new.startswith("-") and _is_added(program, node):
                continue  # `x - -1` is the wrong operator, not the wrong number
            level = UNARY if new.startswith("-") else ATOM
            reasons = _belongs(old, new), _belongs(new, old)
            edit = program.put(node, new, level)
            yield Change((edit,), program.around(node), *reasons, 2 + (rank > 4))


def _is_number(program: Program, node: ast.Constant | ast.UnaryOp) -> bool:
    """Return whether a node is a whole number literal, with its sign if it has one."""
    if isinstance(program.parents[node], ast.UnaryOp):
        return False
    return number(node) is not None or isinstance(getattr(node, "value", None), float)


def _is_added(program: Program, node: ast.AST) -> bool:
    """Return whether a node is what a sum adds or takes away."""
    parent = program.parents[node]
    if isinstance(parent, ast.AugAssign):
        return isinstance(parent.op, ast.Add | ast.Sub)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub):
        return node is parent.right
    return False


def _negative(source: str) -> str:
    return source[1:] if source.startswith("-") else f"-{source}"


def _belongs(wrong: str, right: str) -> str:
    return f"`{wrong}` is the wrong value, `{right}` belongs there"


def truth_value(program: Program) -> Iterator[Change]:
    """Use True for False, or the other way round."""
    for node in program.of(ast.Constant):
        if isinstance(node.value, bool):
            old, new = str(node.value), str(not node.value)
            edit = Edit(*program.span(node), new)
            yield Change((edit,), program.around(node), _belongs(old, new), _belongs(new, old), 1)


def swapped_results(program: Program) -> Iterator[Change]:
    """Exchange True and False in every return of a function."""
    why = (
        "True and False are returned the wrong way round, here and in the function's other returns"
    )
    for function in program.of(*FUNCTIONS):
        found = [
            node.value
            for node in program.of(ast.Return)
            if isinstance(node.value, ast.Constant)
            if isinstance(node.value.value, bool) and program.scope(node) is function
        ]
        if len({value.value for value in found}) == 2:
            edits = tuple(Edit(*program.span(v), str(not v.value)) for v in found)
            yield Change(edits, program.span(program.parents[found[0]]), why, why, 2)


def first_value(program: Program) -> Iterator[Change]:
    """Start a variable with another value."""
    for node in program.of(ast.Assign):
        for target, value in pairs(node):
            old = program.text(value)
            for rank, new in enumerate(_FIRST_VALUES.get(old, ())):
                what = f"`{program.text(target)}` must not start as"
                reasons = f"{what} `{old}`", f"{what} `{new}`" if rank < 2 else ""
                edit = Edit(*program.span(value), new)
                yield Change((edit,), program.span(node), *reasons, 1 + (rank > 0) + (rank > 2))


def default_result(program: Program) -> Iterator[Change]:
    """Return, or append, another constant; as a repair, a constant instead of a variable."""
    results = [node.value for node in program.of(ast.Return) if node.value is not None]
    for node in program.of(ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "append" and node.args:
            results.append(node.args[0])
    for value in results:
        old = program.text(value)
        constant = isinstance(value, ast.Constant) or old in _RESULTS
        for new in _RESULTS if constant or isinstance(value, ast.Name) else ():
            if new != old:
                why = f"`{old}` is not the right result", f"`{new}` is not the right result"
                edit = Edit(*program.span(value), new)
                reasons = (why[0], why[1] if constant else "")
                yield Change((edit,), program.around(value), *reasons, 4 + 2 * (not constant))


def string(program: Program) -> Iterator[Change]:
    """Use another text: the other case, other spaces, a letter less, or one found near by."""
    for node in _strings(program):
        for new, cost in _other_texts(program, str(node.value)):
            yield _rewritten(program, [node], new, cost)


def string_everywhere(program: Program) -> Iterator[Change]:
    """Use another text in every place where the same one stands."""
    places: dict[str, list[ast.Constant]] = {}
    for node in _strings(program):
        places.setdefault(str(node.value), []).append(node)
    for old, nodes in places.items():
        for new, cost in _other_texts(program, old) if len(nodes) > 1 else ():
            yield _rewritten(program, nodes, new, cost + 1)


def _strings(program: Program) -> Iterator[ast.Constant]:
    for node in program.of(ast.Constant):
        if isinstance(node.value, str) and re.match(
            r"""(['"])(?!\1\1).*\1$|''$|""$""", program.text(node)
        ):
            yield node


def _rewritten(program: Program, nodes: list[ast.Constant], new: str, cost: int) -> Change:
    mark = program.text(nodes[0])[0]
    plain = not set(new) & {mark, "\\", "\n"} and new.isprintable()
    source, old = (mark + new + mark if plain else repr(new)), program.text(nodes[0])
    edits = tuple(Edit(*program.span(node), source) for node in nodes)
    where = "" if len(nodes) == 1 else " here and where it stands again"
    wrong = "the text {} is not the right one" + where
    reasons = wrong.format(old), wrong.format(source)
    return Change(edits, program.around(nodes[0]), *reasons, cost)


def _other_texts(program: Program, old: str) -> list[tuple[str, int]]:
    """Return what a text is likely to be mistaken for, with costs."""
    found: dict[str, int] = {}

    def add(cost: int, *texts: str) -> None:
        for text in texts:
            found.setdefault(text, cost)

    if not old or old.isspace():
        add(1, "", " ")
    for pair in _PAIRED:
        if len(old) == 1 and old in pair:
            add(1, pair[1 - pair.index(old)])
    for node in _strings(program):
        other = str(node.value)
        add(2 if (len(other) < 2) == (len(old) < 2) else 4, other)
    half = len(old) // 2
    if half and old[:half] * 2 == old:
        add(2, old[:half])
    words = set(re.findall(r"[A-Za-z]{3,}", program.prose))
    add(
        2, *sorted(w for w in words if len(old) > 3 and SequenceMatcher(None, w, old).ratio() > 0.7)
    )
    quoted = re.findall(r"""(['"`])([^'"`\n]{1,20})\1""", program.prose)
    add(3, *dict.fromkeys(text for _, text in quoted))
    add(2, old.strip())
    if len(old) < 30:
        add(3, old.lower(), old.upper(), old.capitalize(), old[:-1], old[1:], old + " ", " " + old)
    if len(old) <= 16:
        letters = dict.fromkeys(old.lower())
        add(4, *("".join(c for c in old if c.lower() != letter) for letter in letters))
    found.pop(old, None)
    return list(found.items())


def element(program: Program) -> Iterator[Change]:
    """Leave out an element of a list, tuple, set or of a call's arguments."""
    for node in program.of(ast.List, ast.Tuple, ast.Set):
        whole = program.span(node)
        # Two elements at least, and three where no bracket would be left to make it a tuple.
        if isinstance(getattr(node, "ctx", None), ast.Store) or len(node.elts) < 2:
            continue
        if len(node.elts) == 2 and whole[1] == program.end(node.elts[-1]):
            continue
        for at, value in enumerate(node.elts):
            if at:
                start, end = program.outer(node.elts[at - 1])[1], program.outer(value)[1]
            else:
                start, end = program.outer(value)[0], program.outer(node.elts[1])[0]
            piece = program.text(value)
            reasons = f"`{piece}` is one element too many", f"`{piece}` is missing"
            yield Change((Edit(start, end, ""),), whole, *reasons, 2)


OPERATORS: tuple[Operator, ...] = (
    first_value,
    truth_value,
    constant,
    string,
    swapped_results,
    element,
    default_result,
    string_everywhere,
)
