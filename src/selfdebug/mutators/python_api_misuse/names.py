"""API misuse by name: missing imports and modules, names of other languages, undefined names.

python -c "from selfdebug.mutators.python_api_misuse import names as n; print(n.OPERATORS)"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import get_close_matches

from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.program import FUNCTIONS, Edit, Program

_MODULES = (
    *("math", "re", "collections", "itertools", "functools", "heapq", "bisect", "string", "random"),
    *("sys", "os", "copy", "operator", "datetime", "hashlib", "statistics", "json", "time"),
)
_HOMES = {
    "math": "sqrt ceil floor gcd factorial pi log log2 log10 sin cos tan pow inf comb prod isqrt",
    "collections": "Counter defaultdict deque OrderedDict namedtuple",
    "itertools": "combinations permutations product chain groupby accumulate count zip_longest",
    "functools": "reduce lru_cache partial cmp_to_key cache",
    "heapq": "heappush heappop heapify nlargest nsmallest heappushpop merge",
    "bisect": "bisect_left bisect_right insort",
    "copy": "deepcopy",
    "typing": "List Dict Tuple Optional Set Any Union",
    "operator": "itemgetter attrgetter mul",
    "string": "ascii_lowercase ascii_uppercase ascii_letters digits punctuation",
    "datetime": "timedelta",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
_USUAL = ("sum", "len", "max", "min", "sorted", "set", "list", "int", "str", "abs")
# What other languages call it.
_FOREIGN_METHODS = {
    "append": ("push", "add"),
    "lower": ("toLowerCase",),
    "upper": ("toUpperCase",),
    "strip": ("trim",),
    "startswith": ("startsWith",),
    "endswith": ("endsWith",),
    "find": ("indexOf",),
    "index": ("indexOf",),
    "isdigit": ("isDigit",),
    "isalpha": ("isLetter",),
    "extend": ("addAll", "concat"),
    "items": ("iteritems", "entrySet"),
    "keys": ("keySet",),
    "replace": ("replaceAll",),
    "add": ("push",),
    "join": ("concat",),
    "get": ("getOrDefault",),
    "values": ("itervalues",),
    "pop": ("shift", "removeLast"),
    "split": ("explode",),
    "count": ("countOf",),
    "remove": ("delete",),
    "sort": ("order",),
}
_FOREIGN_NAMES = {
    "True": ("true",),
    "False": ("false",),
    "None": ("null", "nil"),
    "len": ("length", "size", "count"),
    "str": ("toString", "String"),
    "int": ("parseInt", "Integer"),
    "print": ("println", "echo"),
    "range": ("xrange",),
    "max": ("Max", "maximum"),
    "min": ("Min", "minimum"),
    "abs": ("fabs",),
    "isinstance": ("instanceof",),
    "list": ("Array", "vector"),
    "dict": ("HashMap", "Map"),
    "set": ("HashSet", "Set"),
    "self": ("this",),
    "sorted": ("sort",),
    "ord": ("charCodeAt",),
    "chr": ("char", "fromCharCode"),
    "map": ("apply",),
    "sum": ("Sum", "total"),
    "tuple": ("Tuple",),
    "round": ("Round",),
    "zip": ("zipped",),
}


def foreign_name(program: Program) -> Iterator[Change]:
    """Use a name that only another language knows."""
    native = {new: old for old, names in _FOREIGN_NAMES.items() for new in names}
    for node in program.of(ast.Name, ast.Constant):
        old = program.text(node)
        if isinstance(node, ast.Name) and (
            isinstance(node.ctx, ast.Store) or old in program.variables
        ):
            continue
        for new in _FOREIGN_NAMES.get(old, ()):
            if new not in program.known:
                edit = Edit(*program.span(node), new)
                yield Change((edit,), program.around(node), "", f"Python knows no `{new}`")
        if old in native and old not in program.known:
            edit = Edit(*program.span(node), native[old])
            yield Change((edit,), program.around(node), f"Python knows no `{old}`", "", 0)


def foreign_method(program: Program) -> Iterator[Change]:
    """Call a method that only another language has."""
    native: dict[str, list[str]] = {}
    for name, others in _FOREIGN_METHODS.items():
        for other in others:
            native.setdefault(other, []).append(name)
    for node in program.of(ast.Attribute):
        start, end = program.end(node) - len(node.attr), program.end(node)
        for new in _FOREIGN_METHODS.get(node.attr, ()):
            if new not in _FOREIGN_METHODS:
                why = f"there is no method `{new}` in Python"
                yield Change((Edit(start, end, new),), program.around(node), "", why)
        for new in native.get(node.attr, ()):
            why = f"there is no method `{node.attr}` in Python"
            yield Change((Edit(start, end, new),), program.around(node), why, "", 0)
    yield from _length(program)


def _length(program: Program) -> Iterator[Change]:
    """Write `x.length` for `len(x)`."""
    for call in program.of(ast.Call):
        match call:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
                for new in (
                    f"{name}.length",
                    f"{name}.size()",
                    f"{name}.len()",
                    f"{name}.length()",
                ):
                    edit = Edit(*program.span(call), new)
                    why = f"`{new}` is another language's way to ask for a length"
                    yield Change((edit,), program.around(call), "", why)
            case _:
                pass
    for node in program.of(ast.Attribute):
        if node.attr in ("length", "size", "len") and isinstance(node.ctx, ast.Load):
            parent = program.parents[node]
            whole = parent if isinstance(parent, ast.Call) and parent.func is node else node
            edit = Edit(*program.span(whole), f"len({program.text(node.value)})")
            why = f"`{program.text(whole)}` is another language's way to ask for a length"
            yield Change((edit,), program.around(whole), why, "", 0)


def misspelt(program: Program) -> Iterator[Change]:
    """Use a name that nothing defines; as a repair, one that is spelt nearly so."""
    for node in program.of(ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id not in program.known:
            near = get_close_matches(node.id, sorted(program.known), n=4, cutoff=0.5)
            for new in near:
                edit = Edit(*program.span(node), new)
                yield Change((edit,), program.around(node), f"nothing defines `{node.id}`", "", 0)
    for node in program.of(ast.Name):
        if isinstance(node.ctx, ast.Load) and len(node.id) > 3 and node.id in program.variables:
            for new in (node.id[:-1], node.id + "s", node.id[:1] + node.id[2:]):
                if new not in program.known and not new.startswith("_"):
                    edit = Edit(*program.span(node), new)
                    yield Change((edit,), program.around(node), "", f"nothing defines `{new}`")


def undefined_attribute(program: Program) -> Iterator[Change]:
    """Read an attribute of the object that nothing sets; as a repair, one that something does."""
    parts = {n.attr for n in program.of(ast.Attribute) if isinstance(n.ctx, ast.Store)}
    parts |= {f.name for c in program.of(ast.ClassDef) for f in c.body if isinstance(f, FUNCTIONS)}
    for node in program.of(ast.Attribute):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=old) if old not in parts:
                why = f"nothing defines `self.{old}`"
                others = [f"self.{part}" for part in sorted(parts)] + program.names(node)
                for new in others:
                    edit = Edit(*program.span(node), new)
                    yield Change((edit,), program.around(node), why, "", 1)
            case _:
                pass
    for call in program.of(ast.Call):
        match call.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=old) if old not in parts:
                pass
            case ast.Name(id=old) if old not in program.known:
                pass
            case _:
                continue
        given = [program.text(value) for value in call.args]
        known = [f"{name}({value})" for value in given[:1] for name in _USUAL]
        for new in [*given, *known, *program.names(call), "0", "None", "[]", '""']:
            edit = Edit(*program.span(call), new)
            yield Change((edit,), program.around(call), f"nothing defines `{old}`", "", 1)


def parameter_name(program: Program) -> Iterator[Change]:
    """Name a parameter otherwise than the function's body does."""
    unknown = {n.id for n in program.of(ast.Name) if n.id not in program.known}
    for argument in program.of(ast.arg):
        start = program.start(argument)
        at = (start, start + len(argument.arg))
        function = program.parents[program.parents[argument]]
        shown = program.around(argument)
        if isinstance(function, FUNCTIONS):
            shown = program.header(function)
        if argument.arg in program.unread:
            for name in sorted(unknown):
                why = f"the body uses `{name}`, which is no parameter"
                yield Change((Edit(*at, name),), shown, why, "", 0)
        elif isinstance(function, FUNCTIONS) and argument.arg not in ("self", "cls"):
            for name in (argument.arg + "_", "value" if argument.arg != "value" else "values"):
                if name not in program.known:
                    why = f"the body uses `{argument.arg}`, which is no parameter"
                    yield Change((Edit(*at, name),), shown, "", why)


def annotation(program: Program) -> Iterator[Change]:
    """Annotate with a type that nothing defines."""
    types = [*_HOMES["typing"].split(), "int", "str", "float", "bool", "list", "dict", "None"]
    for node in ast.walk(program.tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            for name in ast.walk(part) if isinstance(part, ast.AST) else ():
                if isinstance(name, ast.Name) and name.id not in {*types, *program.known}:
                    for new in get_close_matches(name.id, types, n=2, cutoff=0.4) or ["object"]:
                        edit = Edit(*program.span(name), new)
                        why = f"nothing defines the type `{name.id}`"
                        yield Change((edit,), program.span(name), why, "", 0)


def quoted(program: Program) -> Iterator[Change]:
    """Write a variable or a number as a text, or a text without its quotes."""
    for node in program.of(ast.Constant):
        source = program.text(node)
        if isinstance(node.value, str) and node.value in program.variables:
            for new in (node.value, f"{node.value}.encode()"):
                edit = Edit(*program.span(node), new)
                why = f"{source} is a text, not the variable"
                yield Change((edit,), program.around(node), why, "", 1)
        if isinstance(node.value, str) and node.value.isdecimal() and len(source) < 6:
            yield from _retyped(program, node, str(int(node.value)))
        if isinstance(node.value, int) and source.isdecimal():
            yield from _retyped(program, node, f"'{source}'")
    for node in program.of(ast.Name):
        called = isinstance(program.parents[node], ast.Call | ast.Return | ast.BinOp)
        if called and node.id in program.names(node) and isinstance(node.ctx, ast.Load):
            edit = Edit(*program.span(node), f"'{node.id}'")
            why = f"'{node.id}' is a text, not the variable"
            yield Change((edit,), program.around(node), "", why)


def _retyped(program: Program, node: ast.Constant, new: str) -> Iterator[Change]:
    def why(wrong: str) -> str:
        return f"`{wrong}` is a {'number' if wrong.isdecimal() else 'text'} and has the wrong type"

    edit = Edit(*program.span(node), new)
    yield Change((edit,), program.around(node), why(program.text(node)), why(new), 3)


def own_object(program: Program) -> Iterator[Change]:
    """Forget `self.`, or write it before what is no part of the object."""
    methods = {f.name for c in program.of(ast.ClassDef) for f in c.body if isinstance(f, FUNCTIONS)}
    for node in program.of(ast.Name):
        if (
            node.id in methods
            and node.id not in program.variables
            and isinstance(node.ctx, ast.Load)
        ):
            edit = Edit(program.start(node), program.start(node), "self.")
            yield Change(
                (edit,), program.around(node), f"`{node.id}` is a method of the object", "", 0
            )
    for node in program.of(ast.Attribute):
        if not isinstance(node.value, ast.Name):
            continue
        edit = Edit(program.start(node), program.end(node) - len(node.attr), "")
        if node.value.id == "self":
            own = node.attr in methods
            reasons = f"the object has no `{node.attr}`", f"`{node.attr}` is a part of the object"
            reasons = ("", reasons[1]) if own else (reasons[0], "")
            yield Change((edit,), program.around(node), *reasons, 0)
        elif node.value.id not in program.known:
            yield Change((edit,), program.around(node), f"nothing defines `{node.value.id}`", "", 0)


def module(program: Program) -> Iterator[Change]:
    """Forget a module's name before its function, or take the wrong module."""
    imported = {
        alias.asname or alias.name for node in program.of(ast.Import) for alias in node.names
    }
    for node in program.of(ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id in imported:
            if node.attr not in program.known:
                edit = Edit(program.start(node), program.end(node) - len(node.attr), "")
                why = f"`{node.attr}` is in the module `{node.value.id}`"
                yield Change((edit,), program.around(node), "", why)
            for other in sorted(imported - {node.value.id}):
                edit = Edit(*program.span(node.value), other)
                reasons = [f"`{name}` is the wrong module" for name in (node.value.id, other)]
                yield Change((edit,), program.around(node), reasons[0], reasons[1], 3)
    for node in program.of(ast.Name):
        home = _HOME.get(node.id)
        if home is not None and node.id not in program.known and home in imported:
            edit = Edit(program.start(node), program.start(node), f"{home}.")
            why = f"`{node.id}` is in the module `{home}`"
            yield Change((edit,), program.around(node), why, "", 0)


def missing_import(program: Program) -> Iterator[Change]:
    """Use a module or one of its names without importing it."""
    for node in program.of(ast.Import, ast.ImportFrom):
        edit = program.delete(node)
        if edit is not None:
            why = "what the program uses is not imported"
            yield Change((edit,), program.lines(node), "", why)
        if isinstance(node, ast.ImportFrom) and len(node.names) == 1 and node.names[0].name != "*":
            text = f"import {node.module}"
            edit = Edit(*program.span(node), text)
            why = f"`{node.names[0].name}` is used without its module's name"
            yield Change((edit,), program.span(node), "", why)
    unknown = {n.id for n in program.of(ast.Name)} - program.known
    unknown |= set(re.findall(r"\b[A-Z]\w+(?=\[)", program.code)) - program.known  # in annotations
    for name in sorted(unknown):
        text = ""
        if name in _MODULES:
            text = f"import {name}"
        elif name in _HOME:
            text = f"from {_HOME[name]} import {name}"
        if text:
            edit = Edit(0, 0, text + "\n")
            yield Change((edit,), (0, 0), f"`{name}` is never imported", "", 0)


OPERATORS: tuple[Operator, ...] = (
    foreign_name,
    foreign_method,
    missing_import,
    module,
    own_object,
    misspelt,
    undefined_attribute,
    parameter_name,
    annotation,
    quoted,
)
