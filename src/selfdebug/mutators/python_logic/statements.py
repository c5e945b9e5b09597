"""Logic errors in what runs: lost, doubled, misplaced and unguarded statements.

python -c "from selfdebug.mutators.python_logic import statements as s; print(s.OPERATORS)"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from selfdebug.languages.python_edit.change import Change, Operator, quote
from selfdebug.languages.python_edit.program import (
    FUNCTIONS,
    LOOPS,
    Edit,
    Program,
    edited,
    indented,
    parameters,
    syntax_error,
)

_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Break, ast.Continue, ast.Return)
_YIELDS = (ast.Yield, ast.YieldFrom)
_LISTED = 4  # lines of a statement that are all quoted
_DEFAULTS = ("False", "True", "0", "[]", "None", '""', "-1", "1")


def statement(program: Program) -> Iterator[Change]:
    """Leave out a statement."""
    for node in program.of(*_SIMPLE, ast.If, *LOOPS):
        edit = program.delete(node)
        if edit is None or isinstance(program.parents[node], ast.Module):
            continue
        reasons = "the step should not be there", _missing(node)
        last_word = isinstance(node, ast.Return) and program.neighbour(node, 1) is None
        compound = isinstance(node, ast.If | ast.For | ast.While)
        cost = 4 if last_word or compound else 2 if isinstance(node, ast.Assign) else 1
        if "\n" in program.text(node):  # its first line alone would not tell what to put in
            yield Change((edit,), program.lines(node), reasons[0], "", cost)
            yield Change((edit,), None, "", f"{reasons[1]}; put in {_listed(program, node)}")
        else:
            yield Change((edit,), program.lines(node), *reasons, cost)


def _listed(program: Program, node: ast.stmt) -> str:
    """Quote the lines of a statement, or its first and how many there are."""
    lines = [line.strip() for line in program.text(node).splitlines() if line.strip()]
    if len(lines) > _LISTED:
        return f"{quote(lines[0])} and the {len(lines) - 1} lines that belong to it"
    return f"{', '.join(map(quote, lines[:-1]))} and {quote(lines[-1])}"


def _missing(node: ast.stmt) -> str:
    if isinstance(node, ast.If):
        return "a case is not treated"
    if isinstance(node, ast.Return):
        return "the result is never returned"
    if isinstance(node, ast.Break):
        return "the loop goes on where it has to end"
    if isinstance(node, ast.Continue):
        return "the rest of the round is not skipped"
    return "a step is missing"


def commented_out(program: Program) -> Iterator[Change]:
    """Leave a statement as a comment, or as a text."""
    why = "the code is commented out"
    for node in program.of(*_SIMPLE):
        if program.has_own_lines(node) and len(program.blocks[node]) > 1:
            start, end = program.span(node)
            if "\n" not in program.code[start:end]:
                yield Change((Edit(start, start, "# "),), (start, end), "", why)
    for found in re.finditer(r"^[ \t]*(# ?)(\S.*)$", program.code, re.M):
        if not found[2].isalpha() and syntax_error(f"while 1:\n def f():\n  {found[2]}") is None:
            edit = Edit(*found.span(1), "")
            yield Change((edit,), found.span(), why, "", 3)
    for node in ast.walk(program.tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))) if "\n" in text and "=" in text:
                fixed = edited(program.code, (edit := Edit(*program.span(node), text),))
                if syntax_error(fixed) is None:
                    yield Change((edit,), None, "the code stands between quotes", "", 3)
            case _:
                pass


def two_statements(program: Program) -> Iterator[Change]:
    """Two neighbours that should both not be there."""
    for first in program.of(*_SIMPLE):
        second = program.neighbour(first, 1)
        if not isinstance(second, _SIMPLE) or len(program.blocks[first]) < 3:
            continue
        if program.has_own_lines(first) and program.has_own_lines(second):
            start, end = program.lines(first)[0], program.lines(second)[1]
            lines = f"`{program.first_line(first)}` and `{program.first_line(second)}`"
            yield Change((Edit(start, end + 1, ""),), None, f"{lines} should not be there", "", 4)


def doubled(program: Program) -> Iterator[Change]:
    """Run an update twice."""
    for node in program.of(ast.AugAssign, ast.Expr):
        edit = program.insert_after(node, program.text(node))
        if edit is not None and isinstance(node.value, ast.Call | ast.Constant | ast.Name):
            yield Change((edit,), (edit.start, edit.start), "", "the step is taken twice")


def update(program: Program) -> Iterator[Change]:
    """Put in the update of a counter that a loop needs, or an update seen elsewhere."""
    seen = {
        program.text(node): node
        for node in program.of(ast.AugAssign, ast.Expr)
        if "\n" not in program.text(node)
    }
    for loop in program.of(*LOOPS):
        tested = program.variables_of(loop.test) if isinstance(loop, ast.While) else set[str]()
        counted = sorted(name for name in tested if name in program.integers) or sorted(tested)
        new = [f"{name} {sign}= 1" for name in counted for sign in "+-"]
        last = loop.body[-1]
        changed = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and _is_stored(n)}
        for text in new:
            # A loop that changes nothing of what it tests never ends.
            yield from _inserted(program, last, text, 3 if changed & tested else 0)
        for body_statement in loop.body:
            for text, other in seen.items():
                names = program.variables_of(other)
                if text != program.text(body_statement) and names <= set(program.names(last)):
                    yield from _inserted(program, body_statement, text, 7)


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _inserted(program: Program, after: ast.stmt, text: str, cost: int) -> Iterator[Change]:
    edit = program.insert_after(after, text)
    if edit is not None:
        yield Change((edit,), (edit.start, edit.start), "a step is missing", "", cost)


def guard(program: Program) -> Iterator[Change]:
    """Run something under no condition, or under one that the program or its names suggest."""
    for node in program.of(ast.If):
        inline = not program.has_own_lines(node.body[0])
        if node.orelse or inline or not program.has_own_lines(node) or program.is_elif(node):
            continue
        start, end = program.lines(node.body[0])[0], program.lines(node.body[-1])[1]
        inner = program.indent(node.body[0])
        body = _reindented(program.code[start:end], inner, program.indent(node))
        edit = Edit(program.lines(node)[0], end, body)
        test = " ".join(program.text(node.test).split())
        excess = f"the condition `{test}` is one too many"
        yield Change((edit,), program.lines(node), excess, "", 5)
        first, more = program.first_line(node.body[0]), len(node.body) - 1
        lacks = f"`{first}` lacks a condition; put `if {test}:` before it"
        others = "the statement after it" if more == 1 else f"the {more} statements after it"
        lacks += f" and indent it with {others}" if more else " and indent it"
        yield Change((edit,), None, "", lacks)
    for node in program.of(ast.AugAssign, ast.Expr, ast.Assign):
        if not program.has_own_lines(node) or program.scope(node) is program.tree:
            continue
        names = program.names(node)
        tests = {program.text(c): c for c in program.of(ast.Compare)}
        texts = [t for t, c in tests.items() if program.variables_of(c) <= set(names)]
        texts += [f"{a} == {b}" for a, b in pairwise(names[:3])]
        texts += [f"{a} != {b}" for a, b in pairwise(names[:3])]
        start, end = program.lines(node)
        indent = program.indent(node)
        for text in dict.fromkeys(texts):
            body = indented(program.code[start:end], "\t" if "\t" in indent else "    ")
            new = f"{indent}if {text}:\n{body}"
            why = f"`{program.first_line(node)}` has to wait for the condition `{text}`"
            yield Change((Edit(start, end, new),), None, why, "", 7)


def base_case(program: Program) -> Iterator[Change]:
    """Return early for an empty, zero or one-valued argument."""
    for function in program.of(*FUNCTIONS):
        first = next((s for s in function.body if s in program.parents), None)
        if first is None:
            continue
        for name in parameters(function)[:3]:
            tests = [f"not {name}"]
            tests += [f"{name} <= 1"] if name in program.integers else [f"len({name}) < 2"]
            for test in tests:
                for value in (*_DEFAULTS, name):
                    text = f"if {test}:\n    return {value}"
                    edit = program.insert_before(first, text)
                    if edit is not None:
                        why = f"the case `{test}` has to return `{value}` at once"
                        yield Change((edit,), None, why, "", 7)


def missing_return(program: Program) -> Iterator[Change]:
    """Calculate the result and not return it."""
    for node in program.of(ast.Return):
        if node.value is not None and not isinstance(node.value, ast.Constant):
            edit = Edit(program.start(node), program.start(node.value), "")
            yield Change((edit,), program.span(node), "", "the `return` is missing")
    for function in program.of(*FUNCTIONS):
        last = function.body[-1]
        for node in program.of(ast.Expr):
            if program.scope(node) is function and not isinstance(node.value, _YIELDS):
                likely = node is last or not isinstance(node.value, ast.Call)
                edit = Edit(program.start(node), program.start(node), "return ")
                yield Change(
                    (edit,), program.span(node), "the `return` is missing", "", 5 - 4 * likely
                )
        if not isinstance(last, ast.Return) and last in program.parents:
            for name in program.names(last):
                yield from _inserted(program, last, f"return {name}", 3)


def depth(program: Program) -> Iterator[Change]:
    """Move the last statement of a block out of it, or the one after a block into it."""
    for node in program.of(*_SIMPLE, ast.If):
        if not program.has_own_lines(node) or program.is_elif(node):
            continue
        first = program.first_line(node)
        jumps = any(isinstance(inner, ast.Break | ast.Continue) for inner in ast.walk(node))
        indents = [*_outer_indents(program, node), *_inner_indents(program, node)]
        for indent, word in indents:
            start, end = program.lines(node)
            by = len(indent) - len(program.indent(node))
            if by < 0 and jumps and any(isinstance(a, LOOPS) for a in program.ancestors(node)):
                continue  # a `break` needs its loop
            edit = Edit(
                start, end, _reindented(program.code[start:end], program.indent(node), indent)
            )
            inside = f"`{first}` must not stand inside the {word}; move it out"
            outside = f"`{first}` must stand inside the {word}; move it in"
            reasons = (inside, outside) if by < 0 else (outside, inside)
            loop = word == "loop" and isinstance(node, ast.Return)
            yield Change((edit,), None, *reasons, 2 if loop else 3)


def _reindented(lines: str, old: str, new: str) -> str:
    return "\n".join(new + x.removeprefix(old) if x.strip() else x for x in lines.split("\n"))


def _word(statement: ast.stmt) -> str:
    if isinstance(statement, LOOPS):
        return "loop"
    return "`if`" if isinstance(statement, ast.If) else "block"


def _outer_indents(program: Program, node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the indents of the blocks that a block's last statement can be moved out to."""
    inner: ast.stmt = node
    for parent in program.ancestors(node):
        blocked = isinstance(parent, (*FUNCTIONS, ast.ClassDef, ast.Module, ast.Try))
        if blocked or not isinstance(parent, ast.stmt):
            return
        alone = inner is node and len(program.blocks[node]) == 1
        if alone or program.end(parent) != program.end(node) or program.is_elif(parent):
            return
        yield program.indent(parent), _word(parent)
        inner = parent


def _inner_indents(program: Program, node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the indents of the blocks before a statement that it can be moved into."""
    before = program.neighbour(node, -1)
    while isinstance(before, ast.For | ast.While | ast.If):
        block = before.orelse or before.body
        if not program.has_own_lines(block[-1]) and not isinstance(block[-1], ast.If):
            return
        if not (isinstance(block[-1], ast.If) and program.is_elif(block[-1])):
            yield program.indent(block[-1]), _word(before)
        before = block[-1]


def branches(program: Program) -> Iterator[Change]:
    """Exchange what happens in two branches of an `if`."""
    for node in program.of(ast.If):
        other = node.orelse
        if len(other) == 1 and isinstance(other[0], ast.If) and program.is_elif(other[0]):
            other = other[0].body
        if other and program.indent(other[0]) == program.indent(node.body[0]):
            spans = [(program.start(b[0]), program.end(b[-1])) for b in (node.body, other)]
            texts = [program.code[slice(*span)] for span in reversed(spans)]
            edits = tuple(Edit(*span, text) for span, text in zip(spans, texts, strict=True))
            what = f"the branches of `{program.first_line(node)}`"
            why = f"{what} are the wrong way round; exchange them"
            yield Change(edits, None, why, why, 2)


def order(program: Program) -> Iterator[Change]:
    """Exchange two neighbouring statements that use the same variables."""
    for first in program.of(ast.Assign, ast.AugAssign, ast.Expr, ast.If):
        second = program.neighbour(first, 1)
        if second is None or not (program.has_own_lines(first) and program.has_own_lines(second)):
            continue
        if isinstance(second, ast.Return | ast.For | ast.While | ast.FunctionDef | ast.ClassDef):
            continue
        shared = program.variables_of(first) & program.variables_of(second)
        if shared and program.scope(first) is not program.tree and "\n" not in program.text(second):
            spans = program.lines(first), program.lines(second)
            a, b = (program.code[slice(*span)] for span in spans)
            lines = f"`{program.first_line(first)}` and `{program.first_line(second)}`"
            why = f"{lines} run in the wrong order; exchange them"
            yield Change((Edit(*spans[0], b), Edit(*spans[1], a)), None, why, why, 4)


def reset(program: Program) -> Iterator[Change]:
    """Give a variable its first value in every round of a loop, or only before the loop."""
    for loop in program.of(*LOOPS):
        before, first = program.neighbour(loop, -1), loop.body[0]
        if not program.has_own_lines(first):
            continue
        if isinstance(before, ast.Assign) and program.has_own_lines(before):
            text = program.text(before)
            taken, put = program.delete(before), program.insert_before(first, text)
            if taken and put and "\n" not in text:
                why = f"`{text}` must stand before the loop, not in it"
                yield Change((taken, put), None, "", why)
        if isinstance(first, ast.Assign) and len(loop.body) > 1:
            text = program.text(first)
            taken, put = program.delete(first), program.insert_before(loop, text)
            if taken and put and "\n" not in text:
                why = f"`{text}` must stand before the loop, not in it"
                yield Change((taken, put), None, why, "", 3)


def jump(program: Program) -> Iterator[Change]:
    """Leave a loop instead of going on with it, or the other way round, or neither."""
    for node in program.of(ast.Break, ast.Continue, ast.Pass):
        for new in ("break", "continue", "pass"):
            old = program.text(node)
            inside = any(isinstance(parent, LOOPS) for parent in program.ancestors(node))
            if new != old and inside:
                reasons = f"`{old}` is the wrong way to go on", f"`{new}` is the wrong way to go on"
                yield Change((Edit(*program.span(node), new),), program.span(node), *reasons)
    for node in program.of(ast.If):
        last = node.body[-1]
        inside = any(isinstance(parent, LOOPS) for parent in program.ancestors(node))
        if inside and not isinstance(last, ast.Break | ast.Continue | ast.Return | ast.Raise):
            for new in ("break", "continue"):
                edit = program.insert_after(last, new)
                if edit is not None:
                    reasons = f"the loop needs a `{new}` here", f"the `{new}` must not be there"
                    yield Change((edit,), (edit.start, edit.start), *reasons, 4)


def repetition(program: Program) -> Iterator[Change]:
    """Do once what has to be repeated, or the other way round."""
    once, often = "it happens once and has to be repeated", "it is repeated and has to happen once"
    for node in program.of(ast.If, ast.While):
        jumps = any(isinstance(inner, ast.Break | ast.Continue) for inner in ast.walk(node))
        if not node.orelse and not jumps and not program.is_elif(node):
            old, new = ("if", "while") if isinstance(node, ast.If) else ("while", "if")
            reasons = (once, often) if old == "if" else (often, once)
            start = program.start(node)
            yield Change((Edit(start, start + len(old), new),), program.header(node), *reasons, 3)


def chain(program: Program) -> Iterator[Change]:
    """Test on after a condition that held, or stop testing."""
    on, off = "the branches are not alternatives", "the branches are alternatives"
    for node in program.of(ast.If):
        before = program.neighbour(node, -1)
        start = program.start(node)
        if program.is_elif(node):
            edit = Edit(start, start + 2, "")
            yield Change((edit,), program.header(node), on, off)
        elif isinstance(before, ast.If) and program.has_own_lines(node):
            if before.orelse and not isinstance(before.orelse[0], ast.If):
                continue
            edit = Edit(start, start, "el")
            yield Change((edit,), program.header(node), off, on, 3)


OPERATORS: tuple[Operator, ...] = (
    statement,
    commented_out,
    depth,
    branches,
    missing_return,
    jump,
    reset,
    chain,
    repetition,
    order,
    guard,
    update,
    two_statements,
    base_case,
    doubled,
)
