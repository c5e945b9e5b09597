"""API misuse in a call: another function or method, its arguments, in place or returned.

python -c "from selfdebug.mutators.python_api_misuse import calls as c; print(c.OPERATORS)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.guesses import words
from selfdebug.languages.python_edit.program import FUNCTIONS, Edit, Program


def _groups(*groups: str) -> dict[str, list[str]]:
    """Return for each name those it is confused with, the likeliest first."""
    confused: dict[str, list[str]] = {}
    for group in groups:
        for name in group.split():
            others = [other for other in group.split() if other != name]
            confused.setdefault(name, []).extend(others)
    return confused


_FUNCTIONS = _groups(
    "max min", "any all", "sum len max", "sorted reversed", "set list tuple", "int float round str",
    "zip enumerate", "ord chr int", "bin hex oct", "str repr list", "filter map", "abs round int",
    "ceil floor round trunc", "sqrt pow exp", "log log2 log10", "sin cos tan", "degrees radians",
    "gcd lcm", "factorial gamma", "combinations permutations combinations_with_replacement product",
    "bisect bisect_left bisect_right insort", "nlargest nsmallest", "heappush heappop heappushpop",
    "match search fullmatch findall", "findall finditer", "sub split", "accumulate reduce",
    "Counter defaultdict dict", "deque list", "groupby Counter", "mean median mode",
    "itemgetter attrgetter", "add sub mul truediv", "starmap map", "sum prod", "divmod pow",
)  # fmt: skip
_METHODS = _groups(
    "append extend insert add", "add update append", "find index rfind count", "lower upper title",
    "islower isupper isalpha", "isdigit isnumeric isalpha isalnum", "strip lstrip rstrip",
    "startswith endswith", "keys values items", "remove discard pop", "pop popleft popitem",
    "appendleft append", "union intersection difference symmetric_difference",
    "issubset issuperset isdisjoint", "split rsplit splitlines", "capitalize title upper",
    "sort reverse", "get setdefault pop", "ljust rjust center zfill", "group groups start",
    "format replace", "strftime isoformat", "most_common elements items", "clear pop",
    "partition rpartition split", "swapcase upper lower", "count find", "isspace isalnum isupper",
)  # fmt: skip
# Arguments that may be given and change what happens.
_OPTIONAL = {
    **{"sorted": ("reverse=True", "key=len"), "sort": ("reverse=True", "key=len")},
    **{"max": ("key=len", "default=0"), "min": ("key=len", "default=0"), "pop": ("0",)},
    **{"round": ("2", "1"), "int": ("2",), "split": ("' '", "','"), "replace": ("1",)},
    **{"enumerate": (), "zip": (), "sum": (), "strip": ()},
}
_IN_PLACE = frozenset(
    ["sort", "append", "extend", "insert", "remove", "reverse", "add", "update", "clear", "discard"]
)
_PURE = frozenset(
    words(
        """lower upper strip lstrip rstrip replace title capitalize swapcase zfill union
    intersection difference join format copy"""
    )
)


def callee(program: Program, call: ast.Call) -> tuple[str, ast.expr, int]:
    """Return the last name of what is called, its node, and where that name begins."""
    end = program.end(call.func)
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name, call.func, end - len(name)
        case _:
            return "", call.func, end


def function(program: Program) -> Iterator[Change]:
    """Call another function of the same family."""
    for call in program.of(ast.Call):
        name, node, start = callee(program, call)
        owner = node.value if isinstance(node, ast.Attribute) else None
        in_module = isinstance(owner, ast.Name) and owner.id not in program.variables
        if isinstance(node, ast.Name) or in_module:
            for new in _FUNCTIONS.get(name, ()):
                yield _renamed(program, call, start, name, new)


def method(program: Program) -> Iterator[Change]:
    """Call another method of the same object."""
    for call in program.of(ast.Call):
        name, node, start = callee(program, call)
        if isinstance(node, ast.Attribute):
            for new in dict.fromkeys(_METHODS.get(name, ())):
                yield _renamed(program, call, start, name, new)


def _renamed(program: Program, call: ast.Call, start: int, old: str, new: str) -> Change:
    rank = [*_FUNCTIONS.get(old, ()), *_METHODS.get(old, ())].index(new)
    reasons = f"`{old}` is used where `{new}` is needed", f"`{new}` is used where `{old}` is needed"
    edit = Edit(start, start + len(old), new)
    return Change((edit,), program.around(call), *reasons, 1 + (rank > 1))


def passed_function(program: Program) -> Iterator[Change]:
    """Hand over another function, as in `map(int, ...)` or `key=max`."""
    for call in program.of(ast.Call):
        for value in (*call.args, *(keyword.value for keyword in call.keywords)):
            if isinstance(value, ast.Name) and value.id not in program.variables:
                for new in _FUNCTIONS.get(value.id, ()):
                    yield _renamed(program, call, program.start(value), value.id, new)


def argument_order(program: Program) -> Iterator[Change]:
    """Pass two arguments in the wrong order."""
    for call in program.of(ast.Call):
        name = callee(program, call)[0]
        why = f"the arguments of `{name}` are in the wrong order"
        same = {program.text(argument) for argument in call.args}
        if len(same) > 1 and name not in ("max", "min", "zip"):
            for left, right in pairwise(call.args):
                first, second = program.span(left), program.span(right)
                texts = program.text(right), program.text(left)
                edits = Edit(*first, texts[0]), Edit(*second, texts[1])
                yield Change(edits, program.span(call), why, why, 2)


def argument_missing(program: Program) -> Iterator[Change]:
    """Leave an argument out, or put one in."""
    for call in program.of(ast.Call):
        name = callee(program, call)[0]
        spans = [program.outer(value) for value in call.args]
        spans += [program.span(keyword) for keyword in call.keywords]
        spans.sort()
        for at, span in enumerate(spans):
            piece = program.code[slice(*span)]
            if len(spans) > 1:
                edit = Edit(*((spans[at - 1][1], span[1]) if at else (span[0], spans[1][0])), "")
            elif program.code[span[1] : program.end(call)].strip() == ")" and name in _OPTIONAL:
                edit = Edit(*span, "")
            else:
                continue
            reasons = f"the argument `{piece}` is too much", f"the argument `{piece}` is missing"
            yield Change((edit,), program.span(call), *reasons, 2)
        for new in _OPTIONAL.get(name, ()):
            at = program.end(call) - 1
            given = {keyword.arg for keyword in call.keywords}
            generator = call.args and isinstance(call.args[0], ast.GeneratorExp)
            if new.split("=")[0] in given or generator or program.code[:at].rstrip().endswith(","):
                continue
            text = f", {new}" if spans else new
            reasons = f"the argument `{new}` is missing", f"the argument `{new}` is too much"
            taken = 2 if name == "replace" else 1 if name in ("round", "int") else 0
            if "=" not in new and (call.keywords or len(spans) > taken):
                continue
            yield Change((Edit(at, at, text),), program.span(call), *reasons, 3)


def missing_parentheses(program: Program) -> Iterator[Change]:
    """Name a method instead of calling it."""
    for call in program.of(ast.Call):
        if isinstance(call.func, ast.Attribute) and not call.args and not call.keywords:
            edit = Edit(program.end(call.func), program.end(call), "")
            why = f"`{call.func.attr}` is named and never called"
            yield Change((edit,), program.around(call), "", why)
    for node in program.of(ast.Attribute):
        parent = program.parents[node]
        called = isinstance(parent, ast.Call) and parent.func is node
        if (
            isinstance(node.ctx, ast.Load)
            and not called
            and (node.attr in _METHODS or node.attr in _PURE | _IN_PLACE)
        ):
            edit = Edit(program.end(node), program.end(node), "()")
            why = f"`{node.attr}` is named and never called"
            yield Change((edit,), program.around(node), why, "", 1)


def brackets(program: Program) -> Iterator[Change]:
    """Call what should be indexed."""
    why = "an element is taken with square brackets, not by a call"
    for node in program.of(ast.Subscript):
        if isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice):
            ends = program.end(node.value), program.end(node)
            edits = Edit(ends[0], ends[0] + 1, "("), Edit(ends[1] - 1, ends[1], ")")
            if program.code[ends[0]] == "[":
                yield Change(edits, program.around(node), "", why)
    for call in program.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in program.variables:
            ends = program.end(call.func), program.end(call)
            if len(call.args) == 1 and program.code[ends[0]] == "(":
                edits = Edit(ends[0], ends[0] + 1, "["), Edit(ends[1] - 1, ends[1], "]")
                yield Change(edits, program.around(call), why, "", 2)


def in_place(program: Program) -> Iterator[Change]:
    """Use what a method that changes its object returns, or drop what another one returns."""
    for node in program.of(ast.Expr):
        call = node.value
        if not isinstance(call, ast.Call):
            continue
        name, what, _ = callee(program, call)
        start = program.start(node)
        if isinstance(what, ast.Attribute) and isinstance(what.value, ast.Name):
            text = f"{what.value.id} = "
            edit, shown = Edit(start, start, text), program.span(node)
            if name in _IN_PLACE:
                why = f"`{name}` changes the object and returns None"
                yield Change((edit,), shown, "", why)
            elif name in _PURE:
                yield Change(
                    (edit,), shown, f"`{name}` returns a new value, which gets lost", "", 0
                )
        if (
            isinstance(what, ast.Name)
            and name in ("sorted", "reversed", "set", "list")
            and call.args
            and isinstance(call.args[0], ast.Name)
        ):
            edit = Edit(start, start, f"{call.args[0].id} = ")
            yield Change(
                (edit,), program.span(node), f"`{name}` returns a new value, which gets lost"
            )
    for node in program.of(ast.Assign):
        if not isinstance(node.value, ast.Call) or len(node.targets) != 1:
            continue
        name, what, _ = callee(program, node.value)
        target = program.text(node.targets[0])
        edit = Edit(program.start(node), program.start(node.value), "")
        if isinstance(what, ast.Attribute) and name in _IN_PLACE:
            why = f"`{name}` changes the object and returns None"
            yield Change((edit,), program.span(node), why, "", 0)
        if isinstance(what, ast.Attribute) and name in _PURE and target == program.text(what.value):
            why = f"`{name}` returns a new value, which gets lost"
            yield Change((edit,), program.span(node), "", why)
        if name == "sorted" and node.value.args and program.text(node.value.args[0]) == target:
            yield Change(
                (edit,), program.span(node), "", "`sorted` returns a new list, which gets lost"
            )
    yield from _sorted_or_sort(program)


def _sorted_or_sort(program: Program) -> Iterator[Change]:
    """Return or pass on what `sort` returns, which is None."""
    why = "`sort` sorts in place and returns None"
    for call in program.of(ast.Call):
        parent = program.parents[call]
        match call:
            case ast.Call(func=ast.Name(id="sorted"), args=[ast.Name(id=name)]):
                rest = program.code[program.end(call.args[0]) : program.end(call)].lstrip(", ")
                edit = Edit(*program.span(call), f"{name}.sort({rest}")
                yield Change((edit,), program.around(call), "", why)
            case ast.Call(func=ast.Attribute(attr="sort", value=value)):
                if not isinstance(parent, ast.Expr):
                    inside = program.code[program.end(call.func) + 1 : program.end(call)]
                    comma = "" if inside.strip() == ")" else ", "
                    text = f"sorted({program.text(value)}{comma}{inside}"
                    edit = Edit(*program.span(call), text)
                    yield Change((edit,), program.around(call), why, "", 0)
            case _:
                pass


def joined(program: Program) -> Iterator[Change]:
    """Ask the list to join, and not the string between the items."""
    why = "`join` is a method of the text that goes between the items"
    for call in program.of(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(attr="join", value=value), args=[items]):
                if isinstance(items, ast.Name | ast.List | ast.Call | ast.ListComp):
                    text = f"{program.text(items)}.join({program.text(value)})"
                    edit = Edit(*program.span(call), text)
                    wrong_way = isinstance(items, ast.Constant) or isinstance(value, ast.List)
                    yield Change((edit,), program.around(call), why if wrong_way else "", why, 2)
            case _:
                pass
        match call:
            case ast.Call(
                func=ast.Attribute(attr="join", value=items), args=[ast.Constant() as text]
            ):
                edit = Edit(
                    *program.span(call), f"{program.text(text)}.join({program.text(items)})"
                )
                yield Change((edit,), program.around(call), why, "", 0)
            case _:
                pass


def lookup(program: Program) -> Iterator[Change]:
    """Look up a key that may be missing, with or without a default."""
    for call in program.of(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(attr="get", value=value), args=[key, *_]):
                text = f"{program.text(value)}[{program.text(key)}]"
                why = "a missing key raises KeyError"
                yield Change((Edit(*program.span(call), text),), program.around(call), "", why)
            case _:
                pass
    for node in program.of(ast.Subscript):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Name() as key, ctx=ast.Load()):
                if name in program.maps:
                    edit = Edit(*program.span(node), f"{name}.get({program.text(key)}, 0)")
                    why = "a missing key raises KeyError"
                    yield Change((edit,), program.around(node), why, "", 3)
            case _:
                pass


def printed(program: Program) -> Iterator[Change]:
    """Print a result instead of returning it."""
    why = "the result is printed and not returned, so the caller gets None"
    for node in program.of(ast.Return):
        if node.value is not None and isinstance(program.scope(node), FUNCTIONS):
            start, end = program.outer(node.value)
            inner = program.code[start:end]
            inner = inner if inner.startswith("(") and inner.endswith(")") else f"({inner})"
            edit = Edit(program.start(node), end, f"print{inner}")
            yield Change((edit,), program.span(node), "", why)
    for node in program.of(ast.Expr):
        match node.value:
            case ast.Call(func=ast.Name(id="print"), args=[value]) if not isinstance(
                value, ast.Starred
            ):
                edit = Edit(*program.span(node), f"return {program.text(value)}")
                yield Change((edit,), program.span(node), why, "", 2)
            case _:
                pass


OPERATORS: tuple[Operator, ...] = (
    function,
    method,
    passed_function,
    in_place,
    joined,
    argument_order,
    argument_missing,
    missing_parentheses,
    brackets,
    lookup,
    printed,
)
