"""`selfdebug ci`: read a report of tests, mend what failed, write what a CI system shows.

selfdebug ci report.xml --sarif out.sarif --junit explained.xml
"""

from __future__ import annotations

from pathlib import Path

from selfdebug import plugins
from selfdebug.interfaces import junit as junit_xml
from selfdebug.interfaces import sarif as sarif_log
from selfdebug.interfaces.mend import Answer, Say, Settings, mend
from selfdebug.types import SelfdebugError


def mend_report(
    report: Path,
    root: Path,
    settings: Settings,
    say: Say,
    *,
    sarif: Path | None = None,
    junit: Path | None = None,
) -> Answer:
    """Mend what a JUnit report says has failed, and write the files that were asked for."""
    plugins.load("backends", settings.backend)  # complains at once of one that is not there
    if not root.is_dir():
        raise SelfdebugError(f"--root {root}: there is no such folder")
    answer = mend(junit_xml.read(report, root), root.resolve(), settings, say)
    if sarif:
        sarif_log.write(sarif, answer)
    if junit:
        junit_xml.explain(report, answer, junit)
    return answer
