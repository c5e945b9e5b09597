"""JavaScript slips that no parser accepts: brackets, quotes, commas, keywords, arrows.

These operators only break programs; `mending` is their reverse. What still parses after a slip
(`[a, -b]` without its comma) is dropped by whoever applies them.

    python -c "from selfdebug.mutators.javascript_syntax import slips; help(slips)"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from selfdebug.languages.javascript_edit import (
    Change,
    Edit,
    Program,
    child,
    insert,
    line_change,
    quote,
    replace,
)

if TYPE_CHECKING:
    from tree_sitter import Node

CLOSES = {"(": ")", "[": "]", "{": "}"}
OPENS = {close: open_ for open_, close in CLOSES.items()}
# What other languages write, and slips of the fingers.
FOREIGN = {
    "function": ("def", "func", "fn"),
    "&&": ("and",),
    "||": ("or",),
    "!": ("not ",),
    "let": ("int", "dim"),
    "var": ("auto",),
    "catch": ("except",),
    "throw": ("raise",),
    "typeof": ("type",),
}
TYPOS = {
    "function": ("fucntion", "funtion"),
    "return": ("retrun", "reutrn"),
    "const": ("cosnt", "conts"),
    "while": ("whlie", "wile"),
    "else": ("esle", "els"),
    "let": ("lte", "elt"),
    "new": ("nwe",),
    "for": ("fro",),
    "of": ("fo",),
    "break": ("brake now",),
}
_SPLIT = {
    "===": "== =",
    "!==": "! ==",
    "<=": "=<",
    "&&": "& &",
    "||": "| |",
    "++": "+ +",
    "+=": "+ =",
    "-=": "- =",
    "*=": "* =",
}
_RESERVED = ("new", "class", "default", "in", "delete", "switch", "this", "case", "var")


def unclosed(program: Program) -> Iterator[Change]:
    """Forget a closing bracket."""
    for node in program.of(*OPENS):
        yield _token(program, node, "", f"the opening {quote(OPENS[node.type])} is never closed")


def unopened(program: Program) -> Iterator[Change]:
    """Forget an opening bracket."""
    for node in program.of(*CLOSES):
        yield _token(program, node, "", f"the opening {quote(node.type)} is missing")


def surplus(program: Program) -> Iterator[Change]:
    """Close a bracket twice."""
    for node in program.of(*OPENS):
        reason = f"there is one {quote(node.type)} too many"
        yield _token(program, node, node.type * 2, reason)


def mismatched(program: Program) -> Iterator[Change]:
    """Close a bracket with one of another kind."""
    for node in program.of(*OPENS):
        for other in OPENS:
            if other != node.type:
                opening = OPENS[node.type]
                reason = f"{quote(opening)} is closed by {quote(other)}"
                yield _token(program, node, other, reason)


def quotes(program: Program) -> Iterator[Change]:
    """Leave a string open, or end it with another mark than it began with."""
    for node in program.of("string", "template_string"):
        text = program.text(node)
        other = '"' if text[0] == "'" else "'"
        open_ = f"the string that {quote(text[0])} begins is never closed"
        yield _token(program, node, text[:-1], open_)
        yield _token(
            program, node, text[1:], f"the opening {quote(text[0])} of a string is missing"
        )
        if other not in text:
            reason = f"the string begins with {quote(text[0])} and ends with {quote(other)}"
            yield _token(program, node, text[:-1] + other, reason)
    for node in program.of("template_substitution"):
        inner = program.text(node)[:-1]
        reason = f"the {quote('${')} of a template is never closed"
        yield _token(program, node, inner, reason)


def comma(program: Program) -> Iterator[Change]:
    """Forget a comma in a list, or write a semicolon for it."""
    for node in program.of(","):
        if node.parent is not None and node.parent.type != "sequence_expression":
            yield _token(program, node, "", "a comma is missing between two parts of a list")
            yield _token(program, node, ";", "a semicolon stands in a list where a comma belongs")


def header(program: Program) -> Iterator[Change]:
    """Write the head of a loop or of an if wrongly."""
    for loop in program.of("for_statement"):
        for part in ("initializer", "condition"):
            node = child(loop, part)
            end = node if program.text(node).endswith(";") else node.next_sibling
            if end is not None and program.text(end).endswith(";"):
                edit = Edit(end.end_byte - 1, end.end_byte, ",")
                yield line_change(program, [edit], _SEPARATED)
                edit = Edit(end.end_byte - 1, end.end_byte, "")
                yield line_change(program, [edit], _SEPARATED)
    for node in program.of("parenthesized_expression"):
        if node.parent is not None and node.parent.type in ("if_statement", "while_statement"):
            reason = "the condition needs brackets around it"
            yield _token(program, node, program.text(node)[1:-1], reason)


_SEPARATED = "the three parts of a for loop have to be separated by semicolons"


def foreign(program: Program) -> Iterator[Change]:
    """Write a keyword as another language does."""
    for node in program.of(*FOREIGN):
        for word in FOREIGN[node.type]:
            padded = word if node.type == "!" or _spaced(program, node) else f" {word} "
            yield _token(program, node, padded, _not_javascript(word.strip()))
    for node in program.of("else_clause"):
        inner = node.named_children[0] if node.named_children else None
        if inner is not None and inner.type == "if_statement":
            edit = Edit(node.start_byte, inner.children[0].end_byte, "elif")
            yield line_change(program, [edit], _not_javascript("elif"))
            edit = Edit(node.children[0].end_byte, inner.children[0].end_byte, "")
            reason = f"{quote('else')} takes no condition without {quote('if')}"
            yield line_change(program, [edit], reason)
    for node in program.of("comment"):
        if program.text(node).startswith("//"):
            edit = Edit(node.start_byte, node.start_byte + 2, "#")
            yield line_change(program, [edit], "a comment begins with two slashes")


def typo(program: Program) -> Iterator[Change]:
    """Misspell a keyword."""
    for node in program.of(*TYPOS):
        for word in TYPOS[node.type]:
            yield _token(program, node, word, f"the keyword {quote(node.type)} is misspelt")


def arrow(program: Program) -> Iterator[Change]:
    """Write the arrow of a function wrongly, or not at all."""
    for node in program.of("=>"):
        for text in ("->", "= >", ">"):
            yield _token(program, node, text, f"an arrow function is written with {quote('=>')}")
        yield _token(program, node, "", f"the {quote('=>')} of the function is missing")


def broken_operator(program: Program) -> Iterator[Change]:
    """Tear an operator apart or turn it round."""
    for node in program.of(*_SPLIT):
        text = _SPLIT[node.type]
        yield _token(program, node, text, f"{quote(text)} is no operator")


def declaration(program: Program) -> Iterator[Change]:
    """Declare a variable without its sign, or by a name that the language keeps for itself."""
    for node in program.of("variable_declarator"):
        name, sign = child(node, "name"), next((n for n in node.children if n.type == "="), None)
        if sign is None:
            continue
        for text, reason in (
            ("", f"the {quote('=')} of the declaration is missing"),
            (":=", f"{quote(':=')} is no operator"),
            ("==", f"{quote('==')} compares and cannot give a first value"),
        ):
            yield _token(program, sign, text, reason)
        for word in _RESERVED[:4] if name.type == "identifier" else ():
            uses = [n for n in program.of("identifier") if program.text(n) == program.text(name)]
            reason = f"{quote(word)} is a reserved word and cannot name a variable"
            edits = [replace(use, word) for use in uses]
            yield line_change(program, edits, reason)


def choice(program: Program) -> Iterator[Change]:
    """Forget the second half of a choice, or the colon in it."""
    for node in program.of("ternary_expression"):
        colon = next(part for part in node.children if part.type == ":")
        edit = Edit(colon.start_byte, node.end_byte, "")
        reason = f"the choice lacks its {quote(':')} part"
        yield line_change(program, [edit], reason)
    for node in program.of("pair"):
        colon = node.children[1]
        reason = f"a property is given its value by {quote(':')}"
        yield _token(program, colon, " =", reason)


def statement(program: Program) -> Iterator[Change]:
    """Break a statement off, or write two on one line without a semicolon."""
    for node in program.of("binary_expression"):
        right = child(node, "right")
        operator = child(node, "operator").type
        edit = Edit(child(node, "operator").end_byte, right.end_byte, "")
        reason = f"nothing stands on the right of {quote(operator)}"
        yield line_change(program, [edit], reason)
    for node in program.of("call_expression"):
        function = child(node, "function")
        if function.type == "member_expression":
            dot = next((part for part in function.children if part.type == "."), None)
            if dot is not None:
                reason = f"there is one {quote('.')} too many"
                yield line_change(program, [insert(dot.start_byte, ".")], reason)


def _token(program: Program, node: Node, text: str, reason: str) -> Change:
    return line_change(program, [replace(node, text)], reason)


def _spaced(program: Program, node: Node) -> bool:
    around = program.span(node.start_byte - 1, node.end_byte + 1)
    return (around[:1].isspace() and around[-1:].isspace()) or node.type.isalpha()


def _not_javascript(word: str) -> str:
    return f"JavaScript has no {quote(word)}"
