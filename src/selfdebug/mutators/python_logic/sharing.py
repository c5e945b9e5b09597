"""Logic errors by sharing: two names for one list, rows that are one row, defaults that last.

python -c "from selfdebug.mutators.python_logic import sharing as s; print(s.OPERATORS)"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.guesses import pairs
from selfdebug.languages.python_edit.program import FUNCTIONS, Edit, Program

_EMPTY = ("[]", "{}", "set()", "list()", "dict()")


def alias(program: Program) -> Iterator[Change]:
    """Share one list where a copy is needed."""
    why = "it is one and the same list twice, so a change of one shows in the other"
    # `rows = list(rows)` is no copy but a conversion: the old name is gone.
    stored = [
        value
        for node in program.of(ast.Assign)
        for target, value in pairs(node)
        if program.text(target) not in program.variables_of(value)
    ]
    for call in program.of(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(attr="append"), args=[value]):
                stored.append(value)
            case _:
                pass
    for value in stored:
        match value:
            case ast.Subscript(value=inner, slice=ast.Slice(lower=None, upper=None, step=None)):
                pass
            case ast.Call(func=ast.Attribute(attr="copy", value=inner), args=[]):
                pass
            case ast.Call(func=ast.Name(id="list" | "dict"), args=[ast.Name() as inner]):
                pass
            case ast.Name(id=name) if name not in program.integers:
                edit = Edit(program.end(value), program.end(value), "[:]")
                yield Change((edit,), program.around(value), why, "", 4)
                continue
            case _:
                continue
        edit = Edit(*program.span(value), program.text(inner))
        yield Change((edit,), program.around(value), "", why)


def shared_rows(program: Program) -> Iterator[Change]:
    """Repeat one inner list instead of making one for each row."""
    why = "all rows are one and the same list"
    for node in program.of(ast.ListComp):
        match node:
            case ast.ListComp(
                elt=ast.BinOp() | ast.List() | ast.ListComp() as row,
                generators=[
                    ast.comprehension(
                        target=ast.Name(id=name),
                        iter=ast.Call(func=ast.Name(id="range"), args=[count]),
                        ifs=[],
                    )
                ],
            ) if name not in program.variables_of(row):
                text = f"[{program.text(row)}] * ({program.text(count)})"
                edit = Edit(*program.span(node), text)
                yield Change((edit,), program.around(node), "", why)
            case _:
                pass
    for node in program.of(ast.BinOp):
        match node:
            case ast.BinOp(
                left=ast.List(elts=[ast.BinOp() | ast.List() as row]), op=ast.Mult(), right=count
            ):
                text = f"[{program.text(row)} for _ in range({program.text(count)})]"
                edit = Edit(*program.span(node), text)
                yield Change((edit,), program.around(node), why, "", 1)
            case _:
                pass


def mutable_default(program: Program) -> Iterator[Change]:
    """Keep a list from one call to the next, in a parameter's default."""
    shared = "the default value is made once, and every call goes on filling the same one"
    for function in program.of(*FUNCTIONS):
        arguments, body = function.args, [s for s in function.body if s in program.parents]
        if arguments.args and not (arguments.vararg or arguments.kwonlyargs or arguments.kwarg):
            last = (arguments.defaults or arguments.args)[-1]
            for node in body[:4]:
                fresh = isinstance(node, ast.Assign) and program.text(node.value) in (
                    "[]",
                    "{}",
                    "set()",
                )
                taken = program.delete(node) if fresh and len(body) > 1 else None
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and taken:
                    added = f", {node.targets[0].id}={program.text(node.value)}"
                    put = Edit(program.end(last), program.end(last), added)
                    why = f"{shared}; make it in the body, `{program.first_line(node)}`"
                    yield Change((put, taken), program.header(function), "", why)
        named = arguments.args[len(arguments.args) - len(arguments.defaults) :]
        for argument, default in zip(named, arguments.defaults, strict=True):
            text = program.text(default)
            if text in _EMPTY and body:
                put = program.insert_before(body[0], f"{argument.arg} = {text}")
                if put is not None:
                    why = f"{shared}; make it in the body, `{argument.arg} = {text}`"
                    yield Change((put,), program.header(function), why, "", 3)


OPERATORS: tuple[Operator, ...] = (shared_rows, mutable_default, alias)
