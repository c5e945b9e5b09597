"""Words and numbers as HTML text.

python -c "from selfdebug.report.text import escape; print(escape('<b>'))"
"""

from __future__ import annotations

import html
import math
import re

# Characters that would hide or reorder what is really there: controls, and Unicode's bidirectional
# ones, with which a program can be made to read as another ("Trojan Source").
_HIDDEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def escape(text: str) -> str:
    """Return untrusted text for HTML, for use between tags and in quoted attributes."""
    shown = _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n"))
    return html.escape(shown.encode("utf-8", "replace").decode())


def prose(text: str) -> str:
    """Return an explanation, its `code` set as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(text.strip()))


def percent(share: float) -> str:
    """Return 0.794 as 79%; what is not all is never rounded to all, nor some to none."""
    if math.isnan(share):
        return "–"
    shown = min(99, max(1, round(100 * share))) if 0 < share < 1 else round(100 * share)
    return f"{shown}%"


def seconds(value: float) -> str:
    """Return a time with about two digits."""
    if math.isnan(value):
        return "–"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def plural(number: int, noun: str) -> str:
    """Return "1 bug", "2 bugs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
