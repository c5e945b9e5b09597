"""What a JavaScript program's names are and what they probably hold, read from its text.

A guess that only orders and prunes edits: `kind_of` returns "" when the text does not tell, and
"" agrees with everything. No flow, no types; the sandbox judges in the end.

    python -c "from selfdebug.languages.javascript_edit.names import Names; help(Names)"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import FUNCTIONS, Program, ancestors

if TYPE_CHECKING:
    from tree_sitter import Node

ARITHMETIC = frozenset({"-", "*", "/", "%", "**"})
RELATIONAL = frozenset({"<", "<=", ">", ">="})
EQUALITY = frozenset({"==", "===", "!=", "!=="})
_LITERALS = {
    "number": "number",
    "update_expression": "number",
    "string": "string",
    "template_string": "string",
    "array": "array",
    "true": "boolean",
    "false": "boolean",
    "object": "object",
    "arrow_function": "function",
    "function_expression": "function",
}
_RESULTS = {
    "number": "indexOf lastIndexOf findIndex charCodeAt codePointAt search localeCompare parseInt "
    "parseFloat Number getTime",
    "string": "join toString toLowerCase toUpperCase trim trimStart trimEnd charAt substring "
    "substr repeat padStart padEnd replace replaceAll toFixed String fromCharCode stringify",
    "array": "map filter split keys values entries from sort reverse splice flat flatMap fill "
    "match Array toSorted toReversed",
    "boolean": "includes some every startsWith endsWith has test isInteger isNaN isArray isFinite "
    "Boolean",
}
_METHODS = {
    "array": "push pop shift unshift map filter forEach reduce sort reverse splice join some "
    "every find findIndex fill flat",
    "string": "split charCodeAt charAt toLowerCase toUpperCase trim replace replaceAll substring "
    "substr match startsWith endsWith padStart",
    "number": "toFixed",
    "object": "add has set get",
}
_SEQUENCE = frozenset({"array", "string", "sequence"})


def _table(kinds: dict[str, str]) -> dict[str, str]:
    return {name: kind for kind, names in kinds.items() for name in names.split()}


_RESULT_OF = _table(_RESULTS)
_OWNER_OF = _table(_METHODS)


def agree(one: str, other: str) -> bool:
    """Say whether two guessed kinds may be the same."""
    return (
        one == other
        or not one
        or not other
        or ("sequence" in (one, other) and {one, other} <= _SEQUENCE)
    )


class Names:
    """The declared names of a program: where each is visible and what it probably holds."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._scopes: dict[str, list[tuple[int, int, int]]] = {}  # name: scope's span, visible from
        self._kinds: dict[str, set[str]] = {}
        for node in program.nodes:
            self._declare(node)
        for _ in range(2):  # once more, for names that hold other names
            for node in program.nodes:
                self._observe(node)

    def visible(self, node: Node) -> list[str]:
        """Return the names that may be used where `node` stands, in the order of declaration."""
        at = node.start_byte
        return [
            name
            for name, scopes in self._scopes.items()
            if any(start <= at < end and since <= at for start, end, since in scopes)
        ]

    def kind(self, name: str) -> str:
        """Return what a name holds: number, string, array, ..., or "" when that is not clear."""
        kinds = self._kinds.get(name, set())
        if len(kinds) > 1:
            kinds = kinds - {"sequence"}
        return next(iter(kinds)) if len(kinds) == 1 else ""

    def kind_of(self, node: Node) -> str:  # noqa: PLR0911 - a table with a line for each form
        """Return what an expression gives, or "" when that is not clear."""
        if node.type in _LITERALS:
            return _LITERALS[node.type]
        text = self.program.text
        match node.type:
            case "identifier":
                return self.kind(text(node))
            case "parenthesized_expression":
                return self.kind_of(node.named_children[0]) if node.named_children else ""
            case "unary_expression":
                return {"!": "boolean", "typeof": "string"}.get(node.children[0].type, "number")
            case "binary_expression":
                return self._binary(node)
            case "ternary_expression":
                return self._shared(
                    node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
                )
            case "member_expression":
                name = text(node.child_by_field_name("property"))
                return "number" if name in ("length", "size") else ""
            case "subscript_expression":
                owner = node.child_by_field_name("object")
                return "string" if owner and self.kind_of(owner) == "string" else ""
            case "call_expression":
                return self._called(node)
            case "new_expression":
                made = text(node.child_by_field_name("constructor"))
                return "array" if made == "Array" else "object"
            case _:
                return ""

    def _binary(self, node: Node) -> str:
        operator = node.children[1].type
        if operator in ARITHMETIC:
            return "number"
        if operator in RELATIONAL | EQUALITY or operator in ("in", "instanceof"):
            return "boolean"
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if operator == "+" and left and right:
            kinds = {self.kind_of(left), self.kind_of(right)}
            return "string" if "string" in kinds else "number" if kinds == {"number"} else ""
        return self._shared(left, right) if operator in ("&&", "||", "??") else "number"

    def _called(self, node: Node) -> str:
        function = node.child_by_field_name("function")
        if function is None:
            return ""
        if function.type != "member_expression":
            return _RESULT_OF.get(self.program.text(function), "")
        owner = function.child_by_field_name("object")
        name = self.program.text(function.child_by_field_name("property"))
        if self.program.text(owner) == "Math":
            return "number"
        if name in ("slice", "concat") and owner:
            return self.kind_of(owner)
        return _RESULT_OF.get(name, "")

    def _shared(self, one: Node | None, other: Node | None) -> str:
        kinds = {self.kind_of(node) for node in (one, other) if node}
        return kinds.pop() if len(kinds) == 1 else ""

    def _declare(self, node: Node) -> None:
        if node.type in ("function_declaration", "generator_function_declaration"):
            scope = next(_scopes_of(node))
            self._add(node.child_by_field_name("name"), scope, scope.start_byte)
            self._note(node.child_by_field_name("name"), "function")
        if node.type in FUNCTIONS:
            parameters = node.child_by_field_name("parameters")
            for name in _bound(parameters or node.child_by_field_name("parameter")):
                self._add(name, node, node.start_byte)
        elif node.type == "variable_declarator":
            var = node.parent is not None and node.parent.type == "variable_declaration"
            scope = next(_scopes_of(node, functions_only=var))
            value = node.child_by_field_name("value")
            lambda_ = value is not None and value.type in FUNCTIONS
            since = scope.start_byte if lambda_ else node.end_byte
            for name in _bound(node.child_by_field_name("name")):
                self._add(name, scope, since)
        elif node.type == "for_in_statement" and node.child_by_field_name("kind"):
            for name in _bound(node.child_by_field_name("left")):
                self._add(name, node, node.start_byte)

    def _add(self, name: Node | None, scope: Node, since: int) -> None:
        if name is not None:
            span = (scope.start_byte, scope.end_byte, since)
            self._scopes.setdefault(self.program.text(name), []).append(span)

    def _note(self, node: Node | None, kind: str) -> None:
        if node is not None and node.type == "identifier" and kind:
            self._kinds.setdefault(self.program.text(node), set()).add(kind)

    def _observe(self, node: Node) -> None:  # one line a rule
        field = node.child_by_field_name
        match node.type:
            case "variable_declarator" | "assignment_expression":
                value = field("value") or field("right")
                self._note(field("name") or field("left"), self.kind_of(value) if value else "")
            case "augmented_assignment_expression" if node.children[1].type != "+=":
                self._note(field("left"), "number")
            case "update_expression":
                self._note(field("argument"), "number")
            case "subscript_expression":
                self._note(field("object"), "sequence")
            case "for_in_statement" if node.child_by_field_name("operator"):
                of = self.program.text(field("operator")) == "of"
                self._note(field("right"), "sequence" if of else "")
            case "binary_expression" if node.children[1].type in ARITHMETIC:
                self._note(field("left"), "number")
                self._note(field("right"), "number")
            case "member_expression":
                name = self.program.text(field("property"))
                self._note(field("object"), "sequence" if name == "length" else "")
                called = node.parent is not None and node.parent.type == "call_expression"
                self._note(field("object"), _OWNER_OF.get(name, "") if called else "")
            case "call_expression":
                self._note(field("function"), "function")
            case _:
                pass


def _scopes_of(node: Node, functions_only: bool = False) -> Iterator[Node]:
    """Yield the scopes around a declaration, nearest first; the program is the last."""
    for parent in ancestors(node):
        block = parent.type in ("statement_block", "for_statement") and not functions_only
        if block or parent.type in FUNCTIONS or parent.type == "program":
            yield parent


def _bound(pattern: Node | None) -> Iterator[Node]:
    """Yield the identifiers that a pattern or a parameter list binds."""
    if pattern is None:
        return
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        yield from _bound(pattern.child_by_field_name("left"))
    elif pattern.type == "pair_pattern":
        yield from _bound(pattern.child_by_field_name("value"))
    else:
        for part in pattern.named_children:
            yield from _bound(part)
