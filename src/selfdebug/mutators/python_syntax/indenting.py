"""Fixes of indentation: move a line, or the block that begins with it, to where it belongs.

python -c "from selfdebug.mutators.python_syntax import indenting; help(indenting.indentation)"
"""

from __future__ import annotations

from collections.abc import Iterator

from selfdebug.languages.python_edit.change import Change
from selfdebug.languages.python_edit.program import Edit
from selfdebug.mutators.python_syntax.line import Line


def indentation(line: Line) -> Iterator[Change]:
    """Move a line, or the block that begins with it, to where it belongs."""
    if not line.text.strip():
        return
    here, above = len(line.indent), line.lines[line.previous] if line.previous >= 0 else ""
    outer = above[: len(above) - len(above.lstrip())]
    opens = above.split("#")[0].rstrip().endswith(":")
    wanted: dict[str, int] = {outer + _unit(line): 0} if opens else {outer: 1}
    for other in reversed(line.lines[: line.number]):
        indent = other[: len(other) - len(other.lstrip())]
        if other.strip():
            wanted.setdefault(indent, 2)
            wanted.setdefault(indent + _unit(line), 3)
    follows = _block(line)
    code = line.text.strip()
    if "outside" in str(line.error.msg):
        yield from _moved_in(line)
    for indent, cost in wanted.items():
        if indent == line.indent:
            continue
        side = "too far to the right" if len(indent) < here else "too far to the left"
        why = f"`{code}` stands {side}; give it {len(indent)} columns"
        head = Edit(line.start, line.start + here, indent)
        alone = (head,)
        yield Change(alone, None, why, "", cost + (len(follows) > 0 and not opens))
        if follows:
            edits = [head]
            for number in follows:
                start = sum(len(text) + 1 for text in line.lines[:number])
                old = line.lines[number]
                width = len(old) - len(old.lstrip()) + len(indent) - here
                edits.append(Edit(start, start + len(old) - len(old.lstrip()), " " * max(0, width)))
            yield Change(tuple(edits), None, why + " with its block", "", cost + (not opens))
    if opens:
        text = f"{outer}{_unit(line)}pass\n"
        yield line.fix("the block is empty", 4, (line.start, line.start, text))


def _moved_in(line: Line) -> Iterator[Change]:
    """Move a line that is outside its function or loop in, with the lines above that it ends."""
    last = max(_block(line), default=line.number)
    unit = _unit(line)
    for top in range(line.number, -1, -1):
        text = line.lines[top]
        if text.strip() and len(text) - len(text.lstrip()) < len(line.indent):
            return
        edits: list[Edit] = []
        for number in range(top, last + 1):
            start = sum(len(text) + 1 for text in line.lines[:number])
            if line.lines[number].strip():
                edits.append(Edit(start, start, unit))
        what = f"lines {top + 1} to {last + 1} stand" if top < last else "the line stands"
        why = f"{what} too far to the left for `{line.text.strip()}` to work; move them in"
        yield Change(tuple(edits), None, why, "", 1)


def _unit(line: Line) -> str:
    """Return the white space by which the text indents its blocks."""
    widths = [len(text) - len(text.lstrip()) for text in line.lines if text.strip()]
    if any(text.startswith("\t") for text in line.lines):
        return "\t"
    return " " * min((width for width in widths if width), default=4)


def _block(line: Line) -> list[int]:
    """Return the numbers of the lines that stand at least as far in as this one, after it."""
    found: list[int] = []
    for number in range(line.number + 1, len(line.lines)):
        text = line.lines[number]
        if text.strip():
            if len(text) - len(text.lstrip()) < len(line.indent):
                break
            found.append(number)
    return found
