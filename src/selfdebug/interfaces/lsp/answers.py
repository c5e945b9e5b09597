"""A finding in the words of the protocol: diagnostics, hover, code actions and text edits.

Each function makes values out of values. Lines are counted as the protocol does, columns in the
units that the client asked for.

    python -m pytest tests/test_lsp_answers.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from lsprotocol import types as lsp

from selfdebug.interfaces.lsp.finding import Finding

SOURCE = "selfdebug"
RUN, EXPLAIN, FIX = "selfdebug.run", "selfdebug.explain", "selfdebug.fix"
TITLES = {
    RUN: "selfdebug: run the tests",
    EXPLAIN: "selfdebug: explain",
    FIX: "selfdebug: fix",
}
SOURCE_ACTION = "source.selfdebug"  # an editor lists these apart from its quick fixes

Units = Callable[[str], int]  # how many of the client's units a text has

_LINE_END = re.compile(r"\r\n|\n|\r")


def diagnostics(found: Finding, source: str, units: Units) -> list[lsp.Diagnostic]:
    """Return one diagnostic a failing test; the first one carries the explanation too."""
    lines = _LINE_END.split(source)
    why = found.explanation.partition("\nShown by ")[0] if found.mended else ""
    return [
        lsp.Diagnostic(
            range=_line(lines, failure.line, units),
            message="\n".join(filter(None, (failure.said, "" if index else why))),
            severity=lsp.DiagnosticSeverity.Error,
            source=SOURCE,
            code=failure.test,
        )
        for index, failure in enumerate(found.failures)
    ]


def _line(lines: Sequence[str], number: int, units: Units) -> lsp.Range:
    """Return a 1-based line from its first to its last character."""
    text = lines[number - 1] if number <= len(lines) else ""
    indent = len(text) - len(text.lstrip())
    end = units(text.rstrip())
    at = number - 1
    return lsp.Range(lsp.Position(at, min(units(text[:indent]), end)), lsp.Position(at, end))


def hover(found: Finding, at: lsp.Position) -> lsp.Hover | None:
    """Return the explanation where a test fails on this line."""
    here = [failure for failure in found.failures if failure.line == at.line + 1]
    if not here:
        return None
    text = explained(found) if found.ended else "\n".join(failure.said for failure in here)
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.PlainText, text))


def explained(found: Finding) -> str:
    """Return all that there is to say."""
    return "\n\n".join(filter(None, (found.explanation, found.summary)))


def actions(
    found: Finding | None,
    uri: str,
    wanted: lsp.CodeActionContext,
    lines: range,
    edit: Callable[[Finding], lsp.WorkspaceEdit],
) -> Iterator[lsp.CodeAction]:
    """Yield what can be done at 0-based `lines`.

    found: what is known of the text as it is now. What is known already comes as an edit, what a
    run has to find first as a command.
    """
    here = found is not None and any(failure.line - 1 in lines for failure in found.failures)
    kind = lsp.CodeActionKind.QuickFix if here else SOURCE_ACTION
    if not any(kind == only or kind.startswith(f"{only}.") for only in wanted.only or [kind]):
        return
    shown = [d for d in wanted.diagnostics if d.source == SOURCE]
    if found is not None and found.mended:
        title = f"{TITLES[FIX]} ({found.summary.rstrip('.')})"
        yield lsp.CodeAction(
            title, kind=kind, diagnostics=shown, edit=edit(found), is_preferred=here
        )
    elif found is None or not found.ended:
        yield _command(FIX, uri, kind, shown)
    if found is None or found.failures:
        yield _command(EXPLAIN, uri, kind, shown)
    yield _command(RUN, uri, kind, shown)


def _command(name: str, uri: str, kind: str, shown: Sequence[lsp.Diagnostic]) -> lsp.CodeAction:
    command = lsp.Command(TITLES[name], name, arguments=[uri])
    return lsp.CodeAction(TITLES[name], kind=kind, diagnostics=shown, command=command)


def workspace_edit(
    uri: str, version: int | None, edits: Sequence[lsp.TextEdit], *, versioned: bool
) -> lsp.WorkspaceEdit:
    """Return the edit of one document. versioned: the client refuses it for another version."""
    if not versioned:
        return lsp.WorkspaceEdit(changes={uri: edits})
    document = lsp.OptionalVersionedTextDocumentIdentifier(uri, version)
    return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(document, list(edits))])


def edits(source: str, mended: str, units: Units) -> list[lsp.TextEdit]:
    """Return the changes of lines that turn `source` into `mended`, with the line ends of source.

    mended: its lines end in \\n alone.
    """
    old, new = _LINE_END.split(source), mended.split("\n")
    end = "\r\n" if "\r\n" in source else "\n"
    found: list[lsp.TextEdit] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        lines = new[k:m]
        start, stop = lsp.Position(i, 0), lsp.Position(j, 0)
        text = "".join(f"{line}{end}" for line in lines)
        if j == len(old):  # the last line, which nothing ends: take the line end before it
            stop = lsp.Position(j - 1, units(old[j - 1]))
            text = end.join(lines)
            if i:
                start = lsp.Position(i - 1, units(old[i - 1]))
                text = "".join(f"{end}{line}" for line in lines)
        found.append(lsp.TextEdit(lsp.Range(start, stop), text))
    return found
