"""Syntax slips put into a working program: each operator leaves a text that does not compile.

python -c "from selfdebug.mutators.python_syntax import slips; print(slips.OPERATORS)"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from selfdebug.languages.python_edit.change import Change, Operator
from selfdebug.languages.python_edit.program import LOOPS, Edit, Program, Span
from selfdebug.languages.python_edit.tokens import (
    CLOSERS,
    OPENERS,
    Token,
    pairs_of_brackets,
    tokens,
)

_KEYWORDS = {
    "elif": ("else if", "elseif", "elsif", "elf"),
    "else": ("otherwise", "esle", "els"),
    "and": ("&&", "AND"),
    "or": ("||", "OR"),
    "def": ("function", "func", "fn", "define", "fed"),
    "while": ("whlie", "until", "loop"),
    "for": ("foreach", "fro", "each"),
    "in": ("of", "ni", "on"),
    "return": ("retrun", "returns", "give"),
    "import": ("include", "imprt", "#include"),
    "not": ("!", "NOT"),
    "lambda": ("lamda", "function"),
    "except": ("catch", "expect"),
    "raise": ("throw",),
    "try": ("do",),
    "class": ("clas", "struct"),
    "break": ("break 1", "exit loop"),
    "continue": ("next iteration",),
    "from": ("form",),
    "is": ("are",),
    "if": ("fi", "when", "IF"),
    "pass": ("do nothing",),
    "yield": ("yeild", "emit"),
    "with": ("using",),
    "global": ("globals",),
}
_OPERATORS = {
    "==": ("===", "= =", "equals"),
    "!=": ("!==", "<>", "=!", "! ="),
    "<=": ("=<", "< ="),
    ">=": ("=>", "> ="),
    "+=": ("=+=", "+ ="),
    "-=": ("- =",),
    "//": ("/ /", "div "),
    "**": ("* *", "^^"),
    "%": ("mod", "%%"),
    "->": ("=>", "- >"),
}
_HEADERS = re.compile(r"(if|elif|else|for|while|def|class|try|except|finally|with)\b")


def _line(program: Program, token: Token) -> Span:
    """Return the span of a token's line without its indentation."""
    start, end = program.line_start(token.start), program.line_end(token.end)
    indent = len(program.code[start:end]) - len(program.code[start:end].lstrip())
    return start + indent, end


def _change(program: Program, token: Token, edit: Edit, why: str) -> Change:
    return Change((edit,), _line(program, token), "", why)


def _left_out(program: Program, token: Token) -> Edit:
    """Return the edit that takes a token out and keeps the words around it apart."""
    around = program.code[token.start - 1 : token.start] + program.code[token.end : token.end + 1]
    return Edit(token.start, token.end, " " if re.fullmatch(r"\w\w", around) else "")


def missing_colon(program: Program) -> Iterator[Change]:
    """Forget the colon after a header."""
    for header, colon in _headers(program):
        why = f"the `{header.text}` line does not end with a colon"
        yield _change(program, colon, Edit(colon.start, colon.end, ""), why)


def wrong_colon(program: Program) -> Iterator[Change]:
    """Open a block with what another language opens it with."""
    for header, colon in _headers(program):
        for text in (";", " {", " then", " do", "::", ","):
            why = f"the `{header.text}` line must end with a colon, not with `{text.strip()}`"
            yield _change(program, colon, Edit(colon.start, colon.end, text), why)


def _headers(program: Program) -> Iterator[tuple[Token, Token]]:
    """Yield the keyword and the colon of each line that opens a block."""
    depth, header, lambdas = 0, None, 0
    first = True
    for token in tokens(program.code):
        if token.kind == "newline":
            first = first or depth == 0
        elif token.kind != "comment":
            if first and depth == 0:
                header, lambdas = (token if _HEADERS.fullmatch(token.text) else None), 0
            first = False
            depth += (token.text in OPENERS) - (token.text in CLOSERS)
            lambdas += token.text == "lambda"
            if token.text == ":" and depth == 0 and header is not None:
                if lambdas:
                    lambdas -= 1
                else:
                    yield header, token
                    header = None


def missing_bracket(program: Program) -> Iterator[Change]:
    """Forget to close a bracket, or to open it."""
    for opener, closer in pairs_of_brackets(tokens(program.code)):
        why = f"the bracket `{opener.text}` is never closed"
        yield _change(program, closer, _left_out(program, closer), why)
        why = f"the bracket `{closer.text}` closes nothing"
        yield _change(program, opener, _left_out(program, opener), why)


def extra_bracket(program: Program) -> Iterator[Change]:
    """Close or open a bracket twice."""
    for opener, closer in pairs_of_brackets(tokens(program.code)):
        why = f"there is one `{closer.text}` too many"
        yield _change(program, closer, Edit(closer.end, closer.end, closer.text), why)
        why = f"there is one `{opener.text}` too many"
        yield _change(program, opener, Edit(opener.start, opener.start, opener.text), why)


def wrong_bracket(program: Program) -> Iterator[Change]:
    """Close a bracket with one of another kind."""
    for opener, closer in pairs_of_brackets(tokens(program.code)):
        for other in CLOSERS:
            if other != closer.text:
                why = f"`{opener.text}` is closed by `{other}`"
                yield _change(program, closer, Edit(closer.start, closer.end, other), why)


def open_string(program: Program) -> Iterator[Change]:
    """Leave out a quote, or close a text with a quote of the other kind."""
    for token in tokens(program.code):
        if token.kind == "string":
            mark = '"""' if token.text.endswith('"""') else token.text[-1]
            at = token.end - len(mark)
            why = "the text is never closed"
            yield _change(program, token, Edit(at, token.end, ""), why)
            begin = token.start + token.text.index(mark[0])
            why = "the text is never opened"
            yield _change(program, token, Edit(begin, begin + len(mark), ""), why)
            if len(mark) == 1:
                other = "'" if mark == '"' else '"'
                why = f"the text begins with one kind of quote and ends with {other}"
                yield _change(program, token, Edit(at, token.end, other), why)


def indentation(program: Program) -> Iterator[Change]:
    """Indent a line too much or too little."""
    for node in program.of(ast.stmt):
        if not program.has_own_lines(node):
            continue
        start, indent = program.line_start(program.start(node)), program.indent(node)
        shown = (program.start(node), program.line_end(program.start(node)))
        line = program.code[slice(*shown)].strip()
        many, few = f"`{line}` is indented too far", f"`{line}` is not indented far enough"
        odd = f"`{line}` is indented differently from the lines around it"
        yield Change((Edit(start, start, "    "),), None, "", many + "; align it with its block")
        yield Change((Edit(start, start, " "),), None, "", odd + "; align them")
        if len(indent) > 1:
            yield Change((Edit(start, start + 1, ""),), None, "", odd + "; align them")
        if indent:
            new = few + "; move it to the right"
            yield Change((Edit(start, start + len(indent), ""),), None, "", new)


def foreign_keyword(program: Program) -> Iterator[Change]:
    """Misspell a keyword, or use another language's."""
    for token in tokens(program.code):
        others = _KEYWORDS.get(token.text, ()) if token.kind == "name" else ()
        for new in others:
            why = f"`{new}` is no Python keyword, `{token.text}` is meant"
            yield _change(program, token, Edit(token.start, token.end, new), why)


def foreign_operator(program: Program) -> Iterator[Change]:
    """Write an operator as another language does, or broken in two."""
    for token in tokens(program.code):
        for new in _OPERATORS.get(token.text, ()) if token.kind == "operator" else ():
            why = f"`{new.strip()}` is no Python operator, `{token.text}` is meant"
            text = f" {new.strip()} " if new.strip().isalpha() else new
            yield _change(program, token, Edit(token.start, token.end, text), why)


def assignment(program: Program) -> Iterator[Change]:
    """Write `=` for `==`, or `==` where a name gets its value."""
    for node, span, operator in program.comparisons():
        if operator == "==":
            why = "`=` assigns and cannot stand in an expression, `==` compares"
            yield Change((Edit(*span, "="),), program.around(node), "", why)


def foreign_comment(program: Program) -> Iterator[Change]:
    """Begin a comment as another language does."""
    for token in tokens(program.code):
        if token.kind == "comment":
            for mark in ("//", "/*", "--", "<!--"):
                why = f"a comment begins with `#` in Python, not with `{mark}`"
                yield _change(program, token, Edit(token.start, token.start + 1, mark), why)
    for node in program.of(ast.If, ast.For, ast.While, ast.Return):
        if program.has_own_lines(node):
            start = program.start(node)
            at = start + len(program.code[start : program.line_end(start)].rstrip())
            text = "loop" if isinstance(node, LOOPS) else "check"
            for note in (f"  // {text}", f"  /* {text} */"):
                why = "a comment begins with `#` in Python"
                yield Change((Edit(at, at, note),), (start, at), "", why)


def increment(program: Program) -> Iterator[Change]:
    """Count up or down as C does."""
    for node in program.of(ast.AugAssign):
        sign = "+" if isinstance(node.op, ast.Add) else "-"
        if (
            isinstance(node.op, ast.Add | ast.Sub)
            and isinstance(node.value, ast.Constant)
            and node.value.value == 1
        ):
            text = program.text(node.target) + sign * 2
            why = f"Python has no `{sign * 2}`"
            yield Change((Edit(*program.span(node), text),), program.span(node), "", why)


def declaration(program: Program) -> Iterator[Change]:
    """Declare a variable, or mark it, as another language does."""
    for node in program.of(ast.Assign):
        start = program.start(node)
        for word in ("int ", "var ", "let ", "const ", "$"):
            why = f"Python declares no variables, `{word.strip()}` has no meaning here"
            yield Change((Edit(start, start, word),), program.around(node), "", why)
    for node in program.of(ast.FunctionDef):
        at = program.start(node)
        if not node.decorator_list:
            for word in ("public ", "static ", "void "):
                why = f"`{word.strip()}` has no meaning in Python"
                shown = (at, program.line_end(at))
                yield Change((Edit(at, at, word),), shown, "", why)


def missing_comma(program: Program) -> Iterator[Change]:
    """Forget the comma between two elements."""
    found = tokens(program.code)
    for before, token in pairwise(found):
        if token.text == "," and token.kind == "operator" and before.kind != "operator":
            why = "a comma is missing between two elements"
            yield _change(program, token, _left_out(program, token), why)


def missing_word(program: Program) -> Iterator[Change]:
    """Forget a keyword, an operator or an operand."""
    found = tokens(program.code)
    for token in found:
        if token.text in ("in", "if", "else", "def", "for", "import", "and", "or"):
            why = f"the word `{token.text}` is missing"
            end = token.end + (program.code[token.end : token.end + 1] == " ")
            yield _change(program, token, Edit(token.start, end, ""), why)
    for node in program.of(ast.BinOp, ast.Compare):
        right = node.right if isinstance(node, ast.BinOp) else node.comparators[-1]
        left = node.left if isinstance(node, ast.BinOp) else (node.left, *node.comparators)[-2]
        if isinstance(right, ast.Name | ast.Constant) and program.outer(right) == program.span(
            right
        ):
            shown, why = program.around(node), f"the operand `{program.text(right)}` is missing"
            yield Change((Edit(*program.span(right), ""),), shown, "", why)
        gap = program.code[program.end(left) : program.start(right)]
        if gap.strip() and not re.search(r"[()\w]", gap):
            edit = Edit(program.end(left), program.start(right), " ")
            why = f"the operator `{gap.strip()}` is missing"
            yield Change((edit,), program.around(node), "", why)
    for node in program.of(ast.Assign):
        if not isinstance(node.value, ast.Tuple) and "\n" not in program.text(node.value):
            start, end = program.outer(node.value)
            why = "the value after `=` is missing"
            yield Change((Edit(start, end, ""),), program.around(node), "", why)


def braces(program: Program) -> Iterator[Change]:
    """Put a block between braces."""
    for node in program.of(ast.FunctionDef, ast.If, ast.For, ast.While):
        body = node.body[-1]
        if getattr(node, "orelse", []) or not program.has_own_lines(body):
            continue
        for _, colon in _headers(program):
            if program.start(node) < colon.start < program.start(node.body[0]):
                close = program.line_end(program.end(body))
                edits = (
                    Edit(colon.start, colon.end, " {"),
                    Edit(close, close, "\n" + program.indent(node) + "}"),
                )
                head = program.code[program.start(node) : colon.end]
                why = f"a block has no braces; write `{head}` and take out the `}}` that ends it"
                yield Change(edits, None, "", why)
                break


def conditional(program: Program) -> Iterator[Change]:
    """Choose between two values as C does."""
    for node in program.of(ast.IfExp):
        parts = [program.text(part) for part in (node.test, node.body, node.orelse)]
        text = "{} ? {} : {}".format(*parts)
        why = "Python chooses with `if` and `else`, not with `?` and `:`"
        yield Change((Edit(*program.span(node), text),), program.around(node), "", why)


OPERATORS: tuple[Operator, ...] = (
    missing_colon,
    wrong_colon,
    missing_bracket,
    extra_bracket,
    wrong_bracket,
    open_string,
    indentation,
    foreign_keyword,
    foreign_operator,
    assignment,
    foreign_comment,
    increment,
    declaration,
    missing_comma,
    missing_word,
    braces,
    conditional,
)
