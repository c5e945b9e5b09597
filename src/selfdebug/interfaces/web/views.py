"""Pages and their parts as HTML: values go into the templates, and everything is escaped there.

What a student may see has been decided before; a template is given nothing else.

    selfdebug play --texts mine.toml
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfdebug.report.episodes import diff
from selfdebug.report.text import escape, prose

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


class Views:
    """Renders templates with the texts of one language."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Read the templates; a name that a template misses is an error, never an empty place."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup

        def shown(value: Any) -> Any:
            """Make characters that hide or reorder text visible."""
            return value if isinstance(value, Markup) else Markup(escape(str(value)))

        self._environment: Environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._shared: dict[str, Any] = {
            "t": texts,
            # A program must come back from its editor as it went in: nothing in it is replaced.
            "exactly": _marked(html.escape),
            "prose": _marked(prose),
            "diff": _marked(diff),
        }

    def render(self, template: str, **values: Any) -> str:
        """Return a template's HTML."""
        return self._environment.get_template(f"{template}.html").render(self._shared | values)


def _marked(write: Callable[..., str]) -> Callable[..., Markup]:
    """Return a function that writes HTML and escapes what it is given, as one that says so."""
    from markupsafe import Markup

    return lambda *texts: Markup(write(*texts))
