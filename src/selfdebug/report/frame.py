"""The frame of every page: its own style and script, and a policy that forbids any other.

A page loads nothing from anywhere. What goes inside is each page's own template; whatever a model
or a data set wrote must be escaped before it comes here.

    python -c "from selfdebug.report.frame import page; help(page)"
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from string import Template


def page(template: str, *, title: str, subtitle: str, **parts: str) -> str:
    """Return a whole page. template: the file beside this one that the parts are put into."""
    script = _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_file("frame.html")).substitute(
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
        style=_file("page.css"),
        script=script,
        title=title,
        subtitle=subtitle,
        main=Template(_file(template)).substitute(parts),
    )


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
