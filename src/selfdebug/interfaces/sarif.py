"""What came of a project's failing tests as SARIF 2.1.0, with repairs as `fixes`.

One result for each mended file, at the first line that changes, with the failing tests as related
locations; one for each failing test without a repair, at the test. Columns count characters.

    pytest --selfdebug-sarif out.sarif
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from selfdebug import __version__
from selfdebug.interfaces.mend import Answer, Mended, NotMended
from selfdebug.interfaces.testrun import Ran
from selfdebug.store import write_text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_RULES = {
    "mended": "A failing test is mended by a change that passed the tests.",
    "failing-test": "A test fails, and no repair was found.",
}

Json = dict[str, Any]


def write(path: Path, answer: Answer) -> None:
    """Write the log to a file."""
    write_text(path, json.dumps(log(answer), indent=1, ensure_ascii=False) + "\n")


def log(answer: Answer) -> Json:
    """Return the log as JSON values."""
    results = [_mended(answer, each) for each in answer.mended]
    results += [_not_mended(answer, each) for each in answer.not_mended]
    driver: Json = {
        "name": "selfdebug",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [{"id": i, "shortDescription": {"text": text}} for i, text in _RULES.items()],
    }
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": f"{answer.root.as_uri()}/"}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _mended(answer: Answer, mended: Mended) -> Json:
    file = _artifact(answer, mended.source.path)
    changes = list(replacements(mended.source.text, mended.text))
    tests = ", ".join(test.id for test in mended.tests)
    text = f"{mended.explanation}\nFailing: {tests}"
    line = changes[0]["deletedRegion"]["startLine"]
    change: Json = {"artifactLocation": file, "replacements": changes}
    fix: Json = {
        "description": {"text": mended.explanation or "It passes the tests."},
        "artifactChanges": [change],
    }
    return {
        **_result("mended", text, file, line, mended.diff),
        "relatedLocations": [_location(answer, test) for test in mended.tests],
        "fixes": [fix],
    }


def _not_mended(answer: Answer, left: NotMended) -> Json:
    file = _artifact(answer, left.test.file)
    text = f"{left.test.id}: {left.said}\nNot mended: {left.why}"
    return _result("failing-test", text, file, left.test.line, left.test.id)


def _result(rule: str, text: str, file: Json, line: int, identity: str) -> Json:
    place: Json = {"artifactLocation": file, "region": {"startLine": max(1, line)}}
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {
            "selfdebug/v1": sha256(f"{file['uri']}\n{identity}".encode()).hexdigest()[:32]
        },
    }


def _location(answer: Answer, test: Ran) -> Json:
    place: Json = {
        "artifactLocation": _artifact(answer, test.file),
        "region": {"startLine": max(1, test.line)},
    }
    return {"physicalLocation": place, "message": {"text": test.id}}


def _artifact(answer: Answer, path: Path) -> Json:
    path = path.resolve()
    if not path.is_relative_to(answer.root):
        return {"uri": path.as_uri()}
    return {"uri": quote(path.relative_to(answer.root).as_posix()), "uriBaseId": _ROOT}


def replacements(before: str, after: str) -> Iterator[Json]:
    """Yield the changed lines: a region is of the old text, 1-based, its end not included.

    Where lines are only inserted, the region is empty and stands before the line that follows.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        at_end = j == len(old) and bool(old) and not old[-1].endswith("\n")
        end = (j, len(old[-1]) + 1) if at_end else (j + 1, 1)
        region = {"startLine": i + 1, "startColumn": 1, "endLine": end[0], "endColumn": end[1]}
        if at_end and i == j:
            region |= {"startLine": end[0], "startColumn": end[1]}
        yield {"deletedRegion": region, "insertedContent": {"text": "".join(new[k:m])}}
