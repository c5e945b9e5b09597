"""A JavaScript program's syntax subtrees and data flow, read from tree-sitter's tree.

python -c "from selfdebug.rewards.codebleu import javascript_code
print(javascript_code.structure('let x = y'))"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import FUNCTIONS, Program
from selfdebug.rewards.codebleu.flow import Assign, Branch, Event, Items, Loop, Scope, Use, edges

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMES = {
    "identifier",
    "shorthand_property_identifier",
    "shorthand_property_identifier_pattern",
}


def structure(code: str) -> tuple[Items, Items]:
    """Return the subtrees and the data flow; a program that does not parse has none."""
    program = Program(code)
    if not program.parses:
        return Counter(), Counter()
    subtrees: Items = Counter()
    try:
        _shape(program.root, subtrees)
        return subtrees, edges(_Reader(program).block([program.root]))
    except RecursionError:  # nobody writes so deep a program in good faith
        return Counter(), Counter()


def _shape(node: Node, subtrees: Items) -> str:
    """Return a node's kind with everything below it; count it where there is something below."""
    parts = [_shape(c, subtrees) for c in node.named_children if c.type != "comment"]
    if not parts:
        return node.type
    shape = f"({node.type} {' '.join(parts)})"
    subtrees[shape] += 1
    return shape


class _Reader:
    """Reads statements and expressions in the order in which they happen."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._uses = 0
        self._events: list[Event] = []

    def block(
        self, nodes: Iterable[Node | None], before: Sequence[Event] = ()
    ) -> tuple[Event, ...]:
        """Return what happens in some nodes, each by itself; None is nothing."""
        outer, self._events = self._events, list(before)
        for node in nodes:
            self._keep((), self._reads(node) if node is not None else [])
        inner, self._events = self._events, outer
        return tuple(inner)

    def _keep(self, targets: Sequence[Use], sources: Sequence[Use]) -> None:
        if targets or sources:
            self._events.append(Assign(tuple(targets), tuple(sources)))

    def _reads(  # noqa: PLR0911, PLR0912 - each kind of node that assigns or chooses
        self, node: Node
    ) -> list[Use]:
        """Return the variables that a node reads; what happens in it is added on the way."""
        part = node.child_by_field_name
        if node.type in FUNCTIONS:
            names = self._names(part("parameters") or part("parameter"), [])
            self._events.append(Scope(self.block([part("body")], [Assign(tuple(names), ())])))
            return []
        match node.type:
            case name if name in _NAMES:
                return [self._use(node)]
            case "variable_declarator":
                return self._assigned(part("name"), [part("value")])
            case "assignment_expression":
                return self._assigned(part("left"), [part("right")])
            case "augmented_assignment_expression":
                return self._assigned(part("left"), [part("left"), part("right")])
            case "update_expression":
                return self._assigned(part("argument"), [part("argument")])
            case "if_statement":
                self._events += self.block([part("condition")])
                arms = self.block([part("consequence")]), self.block([part("alternative")])
                self._events.append(Branch(arms))
            case "for_statement":
                self._events += self.block([part("initializer")])
                parts = [part("condition"), part("body"), part("increment")]
                self._events.append(Loop(self.block(parts)))
            case "for_in_statement":
                sources = self._all([part("right")])
                targets = self._names(part("left"), sources)
                first = [Assign(tuple(targets), tuple(sources))]
                self._events.append(Loop(self.block([part("body")], first)))
            case "while_statement" | "do_statement":
                self._events.append(Loop(self.block(node.named_children)))
            case "switch_case" | "switch_default" | "catch_clause":
                self._events.append(Branch((self.block(node.named_children), ())))
            case "class_declaration" | "class":
                self._events.append(Scope(self.block([part("body")])))
            case kind if kind.endswith(("_statement", "_declaration")) or kind in (
                "program",
                "statement_block",
                "class_body",
            ):
                self._events += self.block(node.named_children)
            case _:
                return self._all(node.named_children)
        return []

    def _assigned(self, target: Node | None, values: Sequence[Node | None]) -> list[Use]:
        """Add an assignment; return what its value is computed from, for what it is part of."""
        sources = self._all(values)
        self._keep(self._names(target, sources), sources)
        return []

    def _all(self, nodes: Iterable[Node | None]) -> list[Use]:
        return [use for node in nodes if node is not None for use in self._reads(node)]

    def _names(self, target: Node | None, sources: list[Use]) -> list[Use]:
        """Return what a target assigns; `xs[i] = y` assigns xs, and reads xs and i besides."""
        if target is None:
            return []
        if target.type in _NAMES:
            return [self._use(target)]
        if target.type in ("member_expression", "subscript_expression"):
            sources += self._all(target.named_children)
            return self._names(target.child_by_field_name("object"), [])
        if target.type == "assignment_pattern":  # a default value
            sources += self._all([target.child_by_field_name("right")])
            return self._names(target.child_by_field_name("left"), sources)
        if target.type == "pair_pattern":
            return self._names(target.child_by_field_name("value"), sources)
        return [use for child in target.named_children for use in self._names(child, sources)]

    def _use(self, node: Node) -> Use:
        self._uses += 1
        return self._uses, self._program.text(node)
