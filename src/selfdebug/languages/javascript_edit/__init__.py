"""JavaScript programs as editable text: parse with tree-sitter, change spans, explain the change.

The JavaScript mutators share this file. An operator is a function from a `Program` to `Change`s;
`mutations` and `repairs` read the same operators in the two directions. Nothing is reprinted: an
edit replaces a span of bytes, so a program's formatting stays as it was. It knows nothing about
which changes make sense, and it runs no code.

    python -c "from selfdebug.languages.javascript_edit import Program; print(Program('f(').parses)"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from random import Random
from typing import TYPE_CHECKING

from selfdebug.types import Kind, Mutation

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    }
)
LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
_SHOWN = 72  # characters of code that an explanation quotes at most
_NEAR = 28  # bytes of the line that are quoted around an edit where a line is longer


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes [start, end) of a program by a text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A one-place change of a program, with a reason for each direction.

    shown: the span that an explanation quotes, before and after the edits.
    if_wrong: why the program as it stands is wrong; "" when the change is no way to mend one.
    if_right: why the changed program is wrong; "" when the change is no way to break one.
    advice: what to do in either case, where quoting before and after would not tell.
    """

    edits: tuple[Edit, ...]
    shown: tuple[int, int]
    if_wrong: str
    if_right: str
    advice: tuple[str, str] = ("", "")


Operator = Callable[["Program"], Iterator[Change]]


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_javascript

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))


class Program:
    """A JavaScript text with its syntax tree. Offsets are bytes of its UTF-8 form."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.data = code.encode("utf-8", "surrogatepass")
        self.tree = _parser().parse(self.data)
        self.root = self.tree.root_node

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node in the order of the text, a parent before its parts."""
        return tuple(_walk(self.root))

    @property
    def has_lone_returns(self) -> bool:
        """True when a line ends in a carriage return alone: nobody else counts such lines."""
        return re.search(rb"\r(?!\n)", self.data) is not None

    @property
    def parses(self) -> bool:
        """True when the text has no syntax error that tree-sitter sees."""
        return not self.root.has_error

    def of(self, *types: str) -> Iterator[Node]:
        """Yield the nodes of these types in the order of the text."""
        return (node for node in self.nodes if node.type in types)

    def text(self, node: Node | None) -> str:
        """Return a node's source, "" for None."""
        return "" if node is None else self.span(node.start_byte, node.end_byte)

    def span(self, start: int, end: int) -> str:
        """Return the source between two offsets."""
        return self.data[start:end].decode("utf-8", "surrogatepass")

    def line(self, offset: int) -> int:
        """Return the 1-based line of an offset."""
        return self.data.count(b"\n", 0, offset) + 1

    def indent(self, offset: int) -> str:
        """Return the white space that begins the line of an offset."""
        start = self.data.rfind(b"\n", 0, offset) + 1
        line = self.data[start:].split(b"\n", 1)[0]
        return line[: len(line) - len(line.lstrip())].decode()

    def edited(self, edits: Sequence[Edit], start: int = 0, end: int | None = None) -> str:
        """Return the text of [start, end) with the edits applied; they must lie in it."""
        end = len(self.data) if end is None else end
        pieces: list[bytes] = []
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
            pieces += [self.data[start : edit.start], edit.text.encode("utf-8", "surrogatepass")]
            start = edit.end
        return b"".join([*pieces, self.data[start:end]]).decode("utf-8", "surrogatepass")


def _walk(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(node.children)


def ancestors(node: Node) -> Iterator[Node]:
    """Yield a node's parents, nearest first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def child(node: Node, name: str) -> Node:
    """Return a field that the grammar promises; a tree with errors may lack it."""
    found = node.child_by_field_name(name)
    if found is None:
        raise LookupError(f"{node.type} has no {name}")
    return found


def replace(node: Node, text: str) -> Edit:
    """Return the edit that puts a text in a node's place."""
    return Edit(node.start_byte, node.end_byte, text)


def insert(offset: int, text: str) -> Edit:
    """Return the edit that puts a text at an offset."""
    return Edit(offset, offset, text)


def swap(program: Program, left: Node, right: Node) -> tuple[Edit, Edit]:
    """Return the edits that exchange two nodes."""
    return replace(left, program.text(right)), replace(right, program.text(left))


def change(
    shown: Node,
    edits: Sequence[Edit],
    if_wrong: str,
    if_right: str = "",
    advice: tuple[str, str] = ("", ""),
) -> Change:
    """Return a Change that quotes a node, widened to what is edited."""
    start = min(shown.start_byte, *(edit.start for edit in edits))
    end = max(shown.end_byte, *(edit.end for edit in edits))
    return Change(tuple(edits), (start, end), if_wrong, if_right, advice)


def line_change(program: Program, edits: Sequence[Edit], if_right: str) -> Change:
    """Return a Change that quotes the whole line of its first edit, for breaking a program."""
    first, last = min(edit.start for edit in edits), max(edit.end for edit in edits)
    start = program.data.rfind(b"\n", 0, first) + 1
    end = program.data.find(b"\n", last)
    return Change(tuple(edits), (start, len(program.data) if end < 0 else end), "", if_right)


def quote(code: str) -> str:
    """Return code between back-quotes, doubled where the code has one itself."""
    return f"`` {code} ``" if "`" in code else f"`{code}`"


def _quoted(program: Program, change: Change) -> tuple[str, str]:
    """Return the code to quote before and after: the shown span, or as much as can be read."""
    before, after = program.span(*change.shown), program.edited(change.edits, *change.shown)
    if _readable(before) and _readable(after):
        return before.strip(), after.strip()
    first = min(change.edits, key=lambda edit: edit.start)
    start, end = _around(program, first)
    before, after = program.span(start, end), program.edited([first], start, end)
    if len(change.edits) == 1 and before.strip() and _readable(before) and _readable(after):
        return before.strip(), after.strip()
    return _first_line(program.span(first.start, first.end)), _first_line(first.text)


def _readable(code: str) -> bool:
    return len(code.strip()) <= _SHOWN and "\n" not in code.strip()


def _around(program: Program, edit: Edit) -> tuple[int, int]:
    """Return the span of an edit with a few words before and after it on its line."""
    start = program.data.rfind(b"\n", 0, edit.start) + 1
    end = program.data.find(b"\n", edit.end)
    end = len(program.data) if end < 0 else end
    words = [start + found.start() for found in re.finditer(rb"(?<!\S)\S", program.data[start:end])]
    near = [word for word in words if edit.start - _NEAR <= word <= edit.start]
    far = [word for word in words if edit.end < word <= edit.end + _NEAR]
    whole = end - edit.end <= _NEAR
    return min(near, default=edit.start), end if whole else max(far, default=edit.end)


def _first_line(code: str) -> str:
    lines = [line.strip() for line in code.strip().splitlines() if line.strip(" \t{}();")]
    return lines[0][:_SHOWN].rstrip() if lines else code.strip()[:_SHOWN]


_REPLACED = (
    "Line {line}: {why}. {wrong} should be {right}.",
    "{Why} on line {line}: {wrong} has to be {right}.",
    "The bug is on line {line}: {why}. Write {right} instead of {wrong}.",
    "On line {line}, {wrong} is wrong: {why}. Change it to {right}.",
    "Line {line} has {wrong} where it needs {right}: {why}.",
)
_MISSING = (
    "Line {line}: {why}. Add {right}.",
    "{Why} at line {line}: {right} has to be added.",
    "The bug is at line {line}: {why}. What it needs is {right}.",
)
_EXCESS = (
    "Line {line}: {why}. Remove {wrong}.",
    "{Why} on line {line}: {wrong} has to go.",
    "The bug is on line {line}: {why}. Take out {wrong}.",
)
_ADVISED = (
    "Line {line}: {why}. {advice}.",
    "{Why} on line {line}. {advice}.",
    "The bug is on line {line}: {why}. {advice}.",
)


def explain(line: int, wrong: str, right: str, why: str, rng: Random, *, advice: str = "") -> str:
    """Say what is wrong on a line and how to mend it; the code is quoted word for word."""
    frames = _REPLACED if wrong and right else _MISSING if right else _EXCESS
    return rng.choice(_ADVISED if advice else frames).format(
        line=line,
        wrong=quote(wrong),
        right=quote(right),
        why=why,
        Why=why[0].upper() + why[1:],
        advice=advice,
    )


def _first_different_line(program: Program, changed: str) -> int:
    """Return the line where the two programs part: it has the same number in both."""
    pairs = zip(program.code, changed, strict=False)
    same = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
    length = min(len(program.code), len(changed)) if same is None else same
    return program.code.count("\n", 0, length) + 1


def mutations(
    code: str, operators: Sequence[Operator], kind: Kind, name: str, rng: Random
) -> Iterator[Mutation]:
    """Break a program: operators take turns, so that none drowns the others."""
    program = Program(code)
    if not program.parses or program.has_lone_returns:
        return
    queues = {operator: _offered(operator, program, rng) for operator in operators}
    turns = rng.sample(operators, len(operators))
    seen = {code}
    while turns:
        for operator in tuple(turns):
            change = next(queues[operator], None)
            if change is None:
                turns.remove(operator)
                continue
            broken = program.edited(change.edits)
            if broken in seen or Program(broken).parses == (kind == "syntax"):
                continue
            seen.add(broken)
            right, wrong = _quoted(program, change)
            line = _first_different_line(program, broken)
            text = explain(line, wrong, right, change.if_right, rng, advice=change.advice[1])
            yield Mutation(broken, code, kind, line, text, f"{name}.{operator.__name__}")


def _offered(operator: Operator, program: Program, rng: Random) -> Iterator[Change]:
    """Yield an operator's bugs in random order; it is not run before the first is asked for."""
    changes = [change for change in operator(program) if change.if_right]
    yield from rng.sample(changes, len(changes))


def repairs(code: str, operators: Sequence[Operator], kind: Kind, name: str) -> Iterator[Mutation]:
    """Offer mended programs, in the order of the operators: the most plausible first."""
    program = Program(code)
    rng = Random(0)
    seen = {code}
    for operator in operators if program.parses and not program.has_lone_returns else ():
        for change in operator(program):
            fixed = program.edited(change.edits)
            if not change.if_wrong or fixed in seen or not Program(fixed).parses:
                continue
            seen.add(fixed)
            wrong, right = _quoted(program, change)
            line = _first_different_line(program, fixed)
            text = explain(line, wrong, right, change.if_wrong, rng, advice=change.advice[0])
            yield Mutation(code, fixed, kind, line, text, f"{name}.{operator.__name__}")
