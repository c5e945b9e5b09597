"""SARIF 2.1.0: its replacements, applied, give the mended file; locations are of files on disk.

The log was checked against the published schema once; here its required properties are held.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfdebug import sourcefile
from selfdebug.interfaces import sarif
from selfdebug.interfaces.mend import Answer, Mended, NotMended
from selfdebug.interfaces.testrun import Ran


def applied(text: str, changes: list[dict[str, Any]]) -> str:
    """Apply replacements as an editor would: by lines and columns, the last one first."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def at(line: int, column: int) -> int:
        return starts[line - 1] + column - 1

    for change in reversed(changes):
        region = change["deletedRegion"]
        start = at(region["startLine"], region["startColumn"])
        end = at(region["endLine"], region["endColumn"])
        text = text[:start] + change["insertedContent"]["text"] + text[end:]
    return text


programs = st.lists(st.sampled_from(["a\n", "b\n", "é = '𝄞'\n", "\n"]), max_size=8).map("".join)


@given(programs, programs, st.sampled_from(["", "last"]))
def test_replacements_give_the_mended_text(before: str, after: str, end: str) -> None:
    changes = list(sarif.replacements(before + end, after))
    assert applied(before + end, changes) == after


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    program, test = tmp_path / "a b.py", tmp_path / "test_a.py"
    program.write_text("x = 1\ny = 2\n")
    test.write_text("")
    mended = Mended(
        sourcefile.read(program),
        (Ran("test_a.py::test_x", test, False, line=3),),
        "It is one too few.",
        "x = 1\ny = 3\n",
        "-y = 2\n+y = 3\n",
    )
    left = NotMended(Ran("test_a.py::test_z", test, False, line=9), "gave 1", "no repair")
    return Answer(tmp_path, (mended,), (left,))


def test_a_mended_file_is_a_result_with_a_fix_where_it_changes(answer: Answer) -> None:
    found = sarif.log(answer)["runs"][0]["results"][0]
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20b.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"]["startLine"] == 2
    (change,) = found["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == place["artifactLocation"]
    assert applied("x = 1\ny = 2\n", change["replacements"]) == "x = 1\ny = 3\n"
    assert found["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 3}


def test_a_test_without_a_repair_is_a_result_at_the_test(answer: Answer) -> None:
    found = sarif.log(answer)["runs"][0]["results"][1]
    assert "fixes" not in found
    assert found["ruleId"] == "failing-test"
    assert found["locations"][0]["physicalLocation"]["region"] == {"startLine": 9}
    assert found["message"]["text"] == "test_a.py::test_z: gave 1\nNot mended: no repair"


def test_the_log_has_what_the_standard_requires(answer: Answer, tmp_path: Path) -> None:
    sarif.write(tmp_path / "out.sarif", answer)
    log = json.loads((tmp_path / "out.sarif").read_text())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["tool"]["driver"]["name"] == "selfdebug"
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"].endswith("/")
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] == "error"


def test_a_result_is_known_again_by_its_fingerprint(answer: Answer) -> None:
    first, second = sarif.log(answer)["runs"][0]["results"]
    assert first["partialFingerprints"] != second["partialFingerprints"]
    again = sarif.log(answer)["runs"][0]["results"]
    assert [r["partialFingerprints"] for r in again] == [
        r["partialFingerprints"] for r in (first, second)
    ]
