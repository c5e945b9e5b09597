"""A JavaScript script of asserts as tests that are judged by values, in the engine that is quick.

That works where the file needs no other module and the script none but the file and `assert`.
In such a test `require` of any relative path gives the candidate's exports. Whether the script
kept its meaning is checked by running it both ways (see interfaces/fix.py).

    selfdebug fix calc.js --tests check.js
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import Program
from selfdebug.types import Test
from selfdebug.usertests import groups, javascript_tests
from selfdebug.usertests.groups import Role, Statement, Unsuited

if TYPE_CHECKING:
    from tree_sitter import Node

Split = tuple[Test, tuple[str, ...]]

_BUILT_IN = {"assert", "assert/strict", "util", "events"}
_DECLARATIONS = ("lexical_declaration", "variable_declaration")
_DEFINITIONS = ("function_declaration", "generator_function_declaration", "class_declaration")
_LITERALS = ("number", "string", "true", "false", "null", "undefined", "regex")


def split(script: str, file: str, script_path: Path, file_path: Path) -> list[Split]:
    """Return the tests of a script, each with the ids of the asserts that it stands for."""
    _, ids = javascript_tests.instrumented(script, script_path.name)
    if not ids:
        raise Unsuited("its asserts come late, or not at the top level")
    program = Program(script)
    if any(source not in _BUILT_IN for source in _sources(Program(file))):
        raise Unsuited("the file needs other modules")
    for source in _sources(program):
        found = (script_path.parent / source).resolve() if source.startswith(".") else None
        if source not in _BUILT_IN and found not in (file_path, file_path.with_suffix("")):
            raise Unsuited(f"it needs {source}")
    nodes = [node for node in program.root.named_children if node.type != "comment"]
    checks = {node.start_byte for node in javascript_tests.checks(program)}
    roles: list[Role] = [_role(program, node, node.start_byte in checks) for node in nodes]
    changing = {
        name
        for node, role in zip(nodes, roles, strict=True)
        if role not in ("keep", "drop")
        for name in _declared(node, program)
    }
    statements = [
        Statement(
            role,
            program.line(node.start_byte),
            program.line(node.end_byte),
            frozenset(_names(node, program) & changing),
        )
        for node, role in zip(nodes, roles, strict=True)
    ]
    tests: list[Split] = []
    for group in groups.group(statements):
        kept = [program.text(n) for n, role in zip(nodes, roles, strict=True) if role == "keep"]
        own = [program.text(nodes[i]) for i in group if roles[i] != "keep"]
        lines = [statements[i].first for i in group if roles[i] == "check"]
        names = tuple(f"{script_path.name}:{line}" for line in lines)
        tests.append((Test(names[0], "program", "\n".join([*kept, *own]) + "\n"), names))
    return tests


def _sources(program: Program) -> list[str]:
    """Return what a program requires and imports, without node's prefix."""
    found: list[str] = []
    for node in program.of("import_statement", "export_statement"):
        source = node.child_by_field_name("source")
        if source is not None:
            found.append(program.text(source)[1:-1])
    for node in program.of("call_expression"):
        function = program.text(node.child_by_field_name("function"))
        if function in ("require", "import"):
            argument = program.text(node.child_by_field_name("arguments"))
            literal = re.fullmatch(r"""\(\s*(['"])(.*)\1\s*\)""", argument, re.S)
            found.append(literal[2] if literal else argument)
    return [source.removeprefix("node:") for source in found]


def _role(program: Program, node: Node, check: bool) -> Role:
    if check:
        return "check"
    if node.type in _DEFINITIONS or node.type == "import_statement":
        return "keep"
    if node.type in _DECLARATIONS:
        return "keep" if _is_constant(program, node) else "make"
    if node.type != "expression_statement":
        return "make"
    text = program.text(node)
    return "talk" if text.startswith(("console.", "'use strict'", '"use strict"')) else "act"


def _is_constant(program: Program, node: Node) -> bool:
    """Tell whether a declaration may be repeated for each test: what it makes does not change."""
    if not program.text(node).startswith("const"):
        return False
    for declarator in node.named_children:
        value = declarator.child_by_field_name("value")
        if value is None:
            return False
        text = program.text(value)
        if value.type not in _LITERALS and not re.match(r"require\(|await import\(", text):
            return False
    return True


def _declared(node: Node, program: Program) -> set[str]:
    """Return the variables that a statement declares or assigns to, as far as names tell."""
    if node.type in _DECLARATIONS:
        targets = [d.child_by_field_name("name") for d in node.named_children]
        return {name for target in targets if target for name in _names(target, program)}
    return {
        program.text(target)
        for part in program.nodes
        if node.start_byte <= part.start_byte and part.end_byte <= node.end_byte
        if part.type in ("assignment_expression", "augmented_assignment_expression")
        if (target := part.child_by_field_name("left")) is not None
    }


def _names(node: Node, program: Program) -> set[str]:
    kinds = ("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern")
    return {
        program.text(part)
        for part in program.nodes
        if part.type in kinds
        if node.start_byte <= part.start_byte and part.end_byte <= node.end_byte
    }
