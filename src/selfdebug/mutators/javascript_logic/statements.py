"""JavaScript logic errors of whole steps: missing, superfluous, misplaced, unguarded, swapped.

Each operator yields changes that read in both directions unless a reason is empty.

    python -c "from selfdebug.mutators.javascript_logic import statements; help(statements)"
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import (
    FUNCTIONS,
    LOOPS,
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
from selfdebug.languages.javascript_edit.places import BLOCKS, first_line, loop_of

if TYPE_CHECKING:
    from tree_sitter import Node

_REMOVABLE = frozenset(
    {
        "expression_statement",
        "if_statement",
        "return_statement",
        "break_statement",
        "continue_statement",
        "for_statement",
        "for_in_statement",
        "while_statement",
    }
)
_QUOTED = 60  # characters of a statement that an explanation quotes
_LISTED = 5  # lines of a statement that are all quoted
_SHORT = 40  # characters of a step that may be repeated elsewhere
_COMMON_STEPS = {
    "number": ("{}++;", "{}--;", "{} = 0;", "{} = 1;"),
    "boolean": ("{} = true;", "{} = false;"),
    "array": ("{} = [];", "{}.sort();", "{}.reverse();"),
    "string": ("{} = '';",),
}
_NEAREST = 5  # names that a new condition compares: those declared last
_SIGNS = ("==", "!=", "<", ">", "<=", ">=")
_RESULTS = ("true", "false", "null", "0", "-1", "1", "''", "[]", "undefined")


def deletion(program: Program) -> Iterator[Change]:
    """Leave out a step, or an else branch."""
    for node in program.of(*_REMOVABLE):
        if node.parent is None or (not _listed(node) and node.parent.type != "else_clause"):
            continue
        step = quote(_head(program, node))
        reasons = f"the step {step} does not belong here", f"the step {step} is missing"
        if node.parent.type == "else_clause":
            clause = node.parent
            edit = Edit(_trimmed(program, clause.start_byte), clause.end_byte, "")
            yield change(clause, [edit], *reasons)
        elif not _only(node):
            advice = ("", _put_in(program, node))
            yield change(node, [Edit(*_whole_lines(program, node), "")], *reasons, advice)
    for node in program.of("else_clause"):
        if node.named_children and node.named_children[0].type == "statement_block":
            edit = Edit(_trimmed(program, node.start_byte), node.end_byte, "")
            reasons = "the else branch does not belong here", "the else branch is missing"
            yield change(node, [edit], *reasons)


def _put_in(program: Program, node: Node) -> str:
    """Quote the lines of a statement that has several, or say how many; "" when it has one."""
    lines = [line.strip() for line in program.text(node).splitlines() if line.strip()]
    if len(lines) > _LISTED:
        return f"Put in {quote(lines[0])} and the {len(lines) - 1} lines that belong to it"
    listed = f"{', '.join(map(quote, lines[:-1]))} and {quote(lines[-1])}"
    return f"Put in {listed}" if len(lines) > 1 else ""


def missing_return(program: Program) -> Iterator[Change]:
    """Compute a result and forget to return it."""
    reason = "the value is computed and not returned"
    for node in program.of("return_statement"):
        if node.named_children:
            edit = Edit(node.start_byte, node.named_children[0].start_byte, "")
            yield change(node, [edit], "", reason)
    for node in program.of("expression_statement"):
        if node.named_children and node.named_children[0].type != "assignment_expression":
            yield change(node, [insert(node.start_byte, "return ")], reason)


def branches(program: Program) -> Iterator[Change]:
    """Swap the two branches of an if."""
    for node in program.of("if_statement"):
        clause = node.child_by_field_name("alternative")
        if clause is None or not clause.named_children:
            continue
        then, other = child(node, "consequence"), clause.named_children[0]
        if other.type == "if_statement":  # the first two arms of an if / else if
            other = child(other, "consequence")
        if other.type == then.type:
            reason = f"the two branches of {quote(_condition(program, node))} are swapped"
            advice = ("Swap the branches", "Swap the branches")
            yield change(then, swap(program, then, other), reason, reason, advice)


def _condition(program: Program, node: Node) -> str:
    """Return the head of an if, to be quoted."""
    end = child(node, "condition").end_byte
    return program.span(node.start_byte, end).splitlines()[0][:_QUOTED]


def unguarded(program: Program) -> Iterator[Change]:
    """Do a step without the condition it needs, or under one that it does not."""
    for node in program.of("if_statement"):
        if node.child_by_field_name("alternative") is not None:
            continue
        condition, body = child(node, "condition"), child(node, "consequence")
        test = quote(first_line(program, condition))
        reasons = (
            f"the step must not depend on the condition {test}",
            f"the step has to depend on the condition {test}",
        )
        head = quote(_condition(program, node))
        advice = (f"Remove {head}", f"Put {head} before it")
        yield change(node, [replace(node, _inner(program, body))], *reasons, advice)


def jump(program: Program) -> Iterator[Change]:
    """Confuse break and continue, or forget to leave the loop."""
    ends, goes_on = "the loop ends too early", "the loop goes on where it has to end"
    for node in program.of("break_statement"):
        yield change(node, [replace(node, "continue;")], ends, goes_on)
    for node in program.of("continue_statement"):
        yield change(node, [replace(node, "break;")], goes_on, ends)
    for node in program.of("if_statement"):
        steps = _steps(child(node, "consequence"))
        if loop_of(node) is None or not steps or steps[-1].type != "expression_statement":
            continue
        for leave in ("break;", "continue;"):
            text = f"{_semicolon(program, steps[-1])} {leave}"
            reason = f"the step {quote(leave)} is missing"
            yield change(steps[-1], [insert(steps[-1].end_byte, text)], reason)


def placement(program: Program) -> Iterator[Change]:
    """Put a step inside a loop that belongs beside it, or the reverse; swap two steps."""
    for loop in program.of(*LOOPS):
        body = child(loop, "body")
        if body.type == "statement_block" and _listed(loop):
            yield from _moved_out(program, loop, body)
            yield from _moved_in(program, loop, body)
    reason = "the two steps are in the wrong order"
    for block in program.of(*BLOCKS):
        for one, other in pairwise(_steps(block)):
            if one.type in ("expression_statement", "if_statement") and other.type in (
                "expression_statement",
                "if_statement",
            ):
                step, next_ = quote(_head(program, one)), quote(_head(program, other))
                advice = (f"Put {next_} before {step}", f"Put {step} before {next_}")
                yield change(one, swap(program, one, other), reason, reason, advice)


_EVERY_PASS = "the step runs on every pass of the loop and has to run once"
_ONCE = "the step runs once and has to run on every pass of the loop"


def _moved(program: Program, node: Node, inside: bool) -> tuple[str, str]:
    """Say where to move a step that stands inside a loop, or outside, in either direction."""
    step = quote(_head(program, node))
    out, back = f"Move {step} out of the loop", f"Move {step} into the loop"
    return (out, back) if inside else (back, out)


def _moved_out(program: Program, loop: Node, body: Node) -> Iterator[Change]:
    steps = _steps(body)
    if len(steps) < 2:
        return
    first, last = steps[0], steps[-1]
    gap = "\n" + program.indent(loop.start_byte)
    if last.type in ("expression_statement", "return_statement", "if_statement"):
        edits = [
            Edit(*_whole_lines(program, last), ""),
            insert(loop.end_byte, gap + program.text(last)),
        ]
        yield change(last, edits, _EVERY_PASS, _ONCE, _moved(program, last, True))
    if first.type.endswith("declaration") or first.type == "expression_statement":
        edits = [
            insert(loop.start_byte, program.text(first) + gap),
            Edit(*_whole_lines(program, first), ""),
        ]
        yield change(first, edits, _EVERY_PASS, _ONCE, _moved(program, first, True))
    if last.type == "if_statement":  # if (c) return a; else return b; at the end of a loop
        clause = last.child_by_field_name("alternative")
        if clause is not None and clause.named_children:
            text = _inner(program, clause.named_children[0])
            edits = [
                Edit(_trimmed(program, clause.start_byte), clause.end_byte, ""),
                insert(loop.end_byte, gap + text),
            ]
            advice = "Move the else branch behind the loop"
            yield change(clause, edits, _EVERY_PASS, "", (advice, advice))


def _moved_in(program: Program, loop: Node, body: Node) -> Iterator[Change]:
    block, steps = loop.parent, _steps(body)
    if block is None or not steps:
        return
    around = _steps(block)
    at = around.index(loop)
    gap = "\n" + program.indent(steps[0].start_byte)
    for before in around[max(0, at - 3) : at]:
        if before.type.endswith("declaration") or before.type == "expression_statement":
            edits = [
                Edit(*_whole_lines(program, before), ""),
                insert(steps[0].start_byte, program.text(before) + gap),
            ]
            yield change(before, edits, _ONCE, _EVERY_PASS, _moved(program, before, False))
    for after in around[at + 1 : at + 2]:
        if after.type in ("expression_statement", "return_statement", "if_statement"):
            edits = [
                insert(steps[-1].end_byte, gap + program.text(after)),
                Edit(*_whole_lines(program, after), ""),
            ]
            yield change(after, edits, _ONCE, _EVERY_PASS, _moved(program, after, False))


def shadowing(program: Program) -> Iterator[Change]:
    """Declare a new variable where the one outside has to be set."""
    names = Names(program)
    for node in program.of("variable_declarator"):
        declaration, name = node.parent, program.text(child(node, "name"))
        if declaration is None or len(declaration.named_children) != 1 or not _listed(declaration):
            continue
        if name in names.visible(declaration):
            edit = Edit(declaration.start_byte, node.start_byte, "")
            yield change(declaration, [edit], *_shadows(name))
    for node in program.of("assignment_expression"):
        step, left = node.parent, child(node, "left")
        if step is None or step.type != "expression_statement" or left.type != "identifier":
            continue
        block = step.parent
        around = block.parent if block is not None and block.type == "statement_block" else None
        if around is not None and around.type not in FUNCTIONS:
            edit = insert(step.start_byte, "let ")
            yield change(step, [edit], "", _shadows(program.text(left))[0])


def _shadows(name: str) -> tuple[str, str]:
    declared = f"a new variable {quote(name)} is declared and the one outside keeps its value"
    return declared, f"{quote(name)} of the surrounding block is overwritten"


def aliasing(program: Program) -> Iterator[Change]:
    """Give a second name to an array where a copy is needed."""
    shared = "both names mean the same array, so a change of one changes the other"
    names = Names(program)
    for node in program.of("variable_declarator", "assignment_expression"):
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        if value is None:
            continue
        text = program.text(value)
        if value.type == "identifier" and names.kind(text) in ("array", "sequence"):
            yield change(node, [replace(value, f"[...{text}]")], shared)
        copied = text.removesuffix(".slice()") if text.endswith(".slice()") else ""
        if text.startswith("[...") and text.endswith("]") and len(value.named_children) == 1:
            copied = text[4:-1]
        if copied.isidentifier():
            yield change(node, [replace(value, copied)], "", shared)


def result(program: Program) -> Iterator[Change]:
    """Return another constant."""
    names = Names(program)
    returns = [node for node in program.of("return_statement") if node.named_children]
    written = dict.fromkeys(program.text(node.named_children[0]) for node in returns)
    for node in returns:
        value = node.named_children[0]
        text, visible = program.text(value), set(names.visible(node))
        for other in dict.fromkeys([*written, *_RESULTS]):
            if other != text and (not other.isidentifier() or other in visible | set(_RESULTS)):
                reason = f"{quote(other[:_QUOTED])} has to be returned"
                if "\n" not in other:
                    yield change(node, [replace(value, other)], reason)


def insertion(program: Program) -> Iterator[Change]:
    """Leave out a step that counts, sets or repeats something."""
    names = Names(program)
    written = dict.fromkeys(
        program.text(node).rstrip(";") + ";"
        for node in program.of("expression_statement")
        if node.end_byte - node.start_byte <= _SHORT
    )
    for block in program.of("statement_block"):
        for node in reversed(_steps(block)):
            gap = "\n" + program.indent(node.start_byte)
            for step in dict.fromkeys([*written, *_steps_on(names, node)]):
                reason = f"the step {quote(step)} is missing"
                if node.type not in ("return_statement", "break_statement", "continue_statement"):
                    edit = insert(node.end_byte, _semicolon(program, node) + gap + step)
                    yield change(node, [edit], reason)
                yield change(node, [insert(node.start_byte, step + gap)], reason)


def _steps_on(names: Names, node: Node) -> Iterator[str]:
    """Yield common steps on the names that are visible at a statement."""
    for name in names.visible(node):
        kind = names.kind(name)
        for step in _COMMON_STEPS.get(kind or "number", ()):
            yield step.format(name)


def guard(program: Program) -> Iterator[Change]:
    """Do a step always that has to be done under a condition only."""
    names = Names(program)
    written = dict.fromkeys(
        program.text(child(node, "condition")) for node in program.of("if_statement")
    )
    for node in program.of("expression_statement", "return_statement", "if_statement"):
        if not _listed(node) and (node.parent is None or node.parent.type not in LOOPS):
            continue
        tests = [test for test in written if test not in program.text(node)]
        for test in dict.fromkeys([*tests, *_tests_on(names, node)]):
            reason = f"the step has to depend on the condition {quote(test)}"
            yield change(node, [insert(node.start_byte, f"if {test} ")], reason)


def _tests_on(names: Names, node: Node) -> Iterator[str]:
    """Yield common conditions on the names that are visible at a statement."""
    visible = [name for name in names.visible(node) if names.kind(name) != "function"]
    for one, other in combinations(visible[-_NEAREST:], 2):
        if agree(names.kind(one), names.kind(other)):
            yield from (f"({one} {sign} {other})" for sign in _SIGNS)
    for name in visible:
        if agree(names.kind(name), "number"):
            yield from (f"({name} {sign} 0)" for sign in (">", "==", "!=", "<"))
        elif names.kind(name) == "boolean":
            yield from (f"({name})", f"(!{name})")


def _steps(block: Node) -> list[Node]:
    return [node for node in block.named_children if node.type != "comment"]


def _listed(node: Node) -> bool:
    return node.parent is not None and node.parent.type in BLOCKS


def _only(node: Node) -> bool:
    """Say whether a step is all that a function or a program does."""
    block = node.parent
    return (
        block is not None
        and len(_steps(block)) == 1
        and (block.parent is None or block.parent.type in FUNCTIONS)
    )


def _inner(program: Program, body: Node) -> str:
    """Return the text of a block without its braces, or of a single statement."""
    if body.type != "statement_block":
        return program.text(body)
    return program.text(body)[1:-1].strip()


def _head(program: Program, node: Node) -> str:
    """Return the first line of a statement, without an opening brace at its end."""
    return program.text(node).splitlines()[0].rstrip(" {")[:_QUOTED]


def _semicolon(program: Program, node: Node) -> str:
    """Return the semicolon that a statement needs before another one follows it."""
    ended = program.text(node).endswith((";", "}"))
    return "" if ended else ";"


def _trimmed(program: Program, offset: int) -> int:
    """Return an offset moved back over the white space before it."""
    return len(program.data[:offset].rstrip())


def _whole_lines(program: Program, node: Node) -> tuple[int, int]:
    """Return a statement's span, with its lines where it has them to itself."""
    start = program.data.rfind(b"\n", 0, node.start_byte) + 1
    end = program.data.find(b"\n", node.end_byte)
    end = len(program.data) if end < 0 else end + 1
    alone = not (program.data[start : node.start_byte] + program.data[node.end_byte : end]).strip()
    return (start, end) if alone else (node.start_byte, node.end_byte)
