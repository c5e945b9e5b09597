"""Split a `check(candidate)` function into independent tests, one for each assert.

Several results a task are what feedback and fault localisation live on. A body holds the set-up
that stood before its assert, so it means the same on its own; loops stay whole. It runs nothing.

    python -m pytest tests/test_formats.py -k python
"""

from __future__ import annotations

import ast
import builtins
import doctest
import re
import textwrap
import warnings


def parse(source: str) -> ast.Module:
    """Parse a data set's program; its old escape sequences ("\\w") are no news to anyone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


_SET_UP = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef)


def split_check(source: str, entry_point: str, reference: str) -> list[str]:
    """Return one program for each assert (or loop of asserts) of `source`'s check function.

    The check's parameter becomes the entry point's own name. A check that already uses that name
    compares the candidate with itself (HumanEval/33 does): there it becomes a private copy of the
    reference. Asserts that do not call the candidate cannot fail, and are dropped.
    """
    set_up: list[str] = []
    parameter = _check(source).args.args[0].arg
    if parameter != entry_point and entry_point in _names(_check(source)):
        private = f"expected_{entry_point}"
        source = _rename(source, entry_point, private)
        set_up.append(re.sub(rf"\b{entry_point}\b", private, reference).strip())
    source = _rename(source, parameter, entry_point)
    bodies: list[str] = []
    for node in _check(source).body:
        text = _text(source, node)
        if isinstance(node, _SET_UP):
            set_up.append(text)
        elif entry_point in _names(node):
            bodies.append("\n".join([*set_up, text]) + "\n")
    return bodies


def _check(source: str) -> ast.FunctionDef:
    functions = [node for node in parse(source).body if isinstance(node, ast.FunctionDef)]
    return next(node for node in functions if node.name == "check")


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _rename(source: str, old: str, new: str) -> str:
    """Rename a variable inside the check function, leaving every other byte as it is."""
    lines = source.encode().splitlines(keepends=True)
    found = [n for n in ast.walk(_check(source)) if isinstance(n, ast.Name) and n.id == old]
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        line = lines[node.lineno - 1]
        end = node.col_offset + len(old.encode())
        lines[node.lineno - 1] = line[: node.col_offset] + new.encode() + line[end:]
    return b"".join(lines).decode()


def _text(source: str, node: ast.stmt) -> str:
    lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
    if isinstance(node, ast.Assert | ast.Assign):  # may span lines whose indent is the author's
        return ast.get_source_segment(source, node) or ""
    return textwrap.dedent("\n".join(lines))


def prelude(prompt: str, entry_point: str) -> str:
    """Return what a prompt promises beside the function itself: its imports and helpers."""
    return "".join(
        f"{_text(prompt, node)}\n"
        for node in parse(prompt).body
        if not (isinstance(node, ast.FunctionDef) and node.name == entry_point)
    )


def split_examples(prompt: str, entry_point: str) -> list[str]:
    """Return one assert for each example in a docstring: doctests, and lines like `f(1) ==> 2`.

    Examples whose value is no literal ("1 + n / 2, if n is even") are left out.
    """
    functions = [n for n in parse(prompt).body if isinstance(n, ast.FunctionDef)]
    body = next(node.body for node in functions if node.name == entry_point)
    # As it is written: a "\\n" inside an example is no end of line yet.
    text = (ast.get_source_segment(prompt, body[0]) or "")[3:-3]
    line = re.compile(rf"({entry_point}\(.*\))\s*{_ARROW}\s*(.+)")
    asserts: list[str] = []
    for call, want in [
        *((e.source, e.want) for e in doctest.DocTestParser().get_examples(text)),
        *(match.groups() for match in map(line.search, text.splitlines()) if match),
    ]:
        value = _literal(want.strip())
        if value and _is_closed(call.strip(), entry_point):
            asserts.append(f"assert {call.strip()} == {value}\n")
    return asserts


_ARROW = r"(?:#\s*)?(?:==>|=>|➞|->|==|=|should return|returns?)"
_SPELLINGS = {"true": "True", "false": "False"}


def _literal(text: str) -> str:
    """Return the literal that `text` is, without a full stop or a remark after it; "" if none."""
    for cut in (text, text.rstrip("."), text.partition(" (")[0], text.partition(" #")[0]):
        value = _SPELLINGS.get(cut, cut)
        try:
            ast.literal_eval(value)
        except (ValueError, SyntaxError):
            continue
        return value
    return ""


def _is_closed(text: str, entry_point: str) -> bool:
    """Say whether `text` is an expression of literals, built-ins and the entry point alone."""
    try:
        program = parse(text)
    except SyntaxError:
        return False
    is_expression = [type(node) for node in program.body] == [ast.Expr]
    return is_expression and _names(program) <= {entry_point, *dir(builtins)}


def called(program: str, asserts: list[str]) -> str:
    """Return the function of `program` that the asserts are about; functions before classes."""
    mentioned = set[str]().union(*(_names(parse(text)) for text in asserts))
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = [n for kind in kinds for n in parse(program).body if isinstance(n, kind)]
    return next(node.name for node in found if node.name in mentioned)


def imports_for(program: str, asserts: list[str]) -> str:
    """Return the imports of `program` that the asserts lean on (MBPP/596 wants its `sys`)."""
    mentioned = set[str]().union(*(_names(parse(text)) for text in asserts))
    return "".join(
        f"{ast.unparse(node)}\n"
        for node in parse(program).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any((alias.asname or alias.name) in mentioned for alias in node.names)
    )
