"""No hostile JavaScript program passes, escapes or leaves anything behind; the judge lives on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aftermath import LIMITS, SLOW, assert_beaten, untouched
from javascript_attacks import ATTACKS, TASK, attacks
from python_attacks import MARK

from selfdebug.sandbox import Sandbox
from selfdebug.types import Task, Test

TIERS = ["A", pytest.param("B", marks=SLOW), pytest.param("C", marks=SLOW)]


@pytest.fixture(scope="module", params=TIERS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(workers=1, tier=request.param, limits=LIMITS) as box:
        assert box.judge(TASK, TASK.reference).passed  # and with that all its processes run
        yield box


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_passes(sandbox: Sandbox, name: str) -> None:
    # A test of kind "call" waits for a promise, and this one brings the right value.
    may_pass = {"call"} if name == "promise" else set[str]()
    with untouched() as port:
        assert_beaten(sandbox, TASK, attacks(port, MARK)[name], may_pass)


YES = "const yes = () => true\n"


@pytest.mark.parametrize(
    "body",
    [
        "console.assert(f(1).includes(3))",
        "console.assert(f(1).startsWith('abc'))",
        "console.assert(f(1).every((x) => x > 3))",
        "console.assert([f(1)].some((x) => x.endsWith('c')))",
    ],
)
@pytest.mark.parametrize("value", ["({ %s: yes })", "Object.assign(() => 0, { %s: yes })"])
def test_an_object_does_not_decide_whether_it_is_the_right_value(
    sandbox: Sandbox, body: str, value: str
) -> None:
    name = next(n for n in ("includes", "startsWith", "every", "endsWith") if n in body)
    task = Task("t", "javascript", "", "f", (Test("t", "program", body),))
    verdict = sandbox.judge(task, f"{YES}const f = () => {value % name}")
    assert [result.status for result in verdict.results] == ["wrong"]


def test_an_object_that_the_test_made_is_what_the_test_is_about(sandbox: Sandbox) -> None:
    body = (
        "const t = new Trie()\nt.add('ab')\nconsole.assert(t.startsWith('a') && !t.startsWith('b'))"
    )
    code = "class Trie { add(w) { this.w = w }\n  startsWith(p) { return this.w.startsWith(p) } }"
    task = Task("t", "javascript", "", "Trie", (Test("t", "program", body),))
    assert sandbox.judge(task, code).passed
