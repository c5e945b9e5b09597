"""No hostile Python program passes, escapes or leaves anything behind, and the judge lives on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aftermath import LIMITS, SLOW, assert_beaten, untouched
from python_attacks import ESCAPES, LIAR, TASK, VERDICTS, escapes, verdict_attacks

import selfdebug
from conftest import python_command
from selfdebug.sandbox import Sandbox
from selfdebug.types import Limits, Task, Test

TIERS = ["A", pytest.param("B", marks=SLOW), pytest.param("C", marks=SLOW)]


@pytest.fixture(scope="module", params=TIERS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(workers=1, tier=request.param, limits=LIMITS) as box:
        assert box.judge(TASK, TASK.reference).passed  # and with that all its processes run
        yield box


@pytest.mark.parametrize("name", VERDICTS)
def test_no_attack_on_the_verdict_passes(sandbox: Sandbox, name: str) -> None:
    assert_beaten(sandbox, TASK, verdict_attacks()[name])


@pytest.mark.parametrize("name", ESCAPES)
def test_no_escape_succeeds(sandbox: Sandbox, name: str) -> None:
    with untouched() as port:
        with socket.create_server(("127.0.0.1", 0)) as spare:
            own_port = spare.getsockname()[1]
        assert_beaten(sandbox, TASK, escapes(port, own_port)[name])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", own_port), timeout=1)


def test_every_program_here_is_wrong_where_nothing_is_attacked() -> None:
    """The task's tests are met by the right program, so a pass above would be a false one."""
    assert len(verdict_attacks()) == len(VERDICTS) > 80
    for name, code in {**verdict_attacks(), **escapes(1, 2)}.items():
        assert "@" not in code.replace("@staticmethod", ""), name


def test_the_answers_are_nowhere_in_the_candidates_process(sandbox: Sandbox) -> None:
    code = """
import gc, sys
NEEDLES = [''.join(('isclose(', 'weigh')), ''.join(('"expec', 'ted"')), ''.join(('hid', 'den'))]
def strings():
    for thing in gc.get_objects():
        if isinstance(thing, dict) and thing is not globals():
            yield from (value for value in thing.values() if isinstance(value, str))
        if isinstance(thing, (list, tuple)) and thing is not NEEDLES:
            yield from (value for value in thing if isinstance(value, str))
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals is not globals():
            yield repr({**frame.f_globals, **frame.f_locals})
        frame = frame.f_back
def weigh(v, f):
    return sorted({needle for text in strings() for needle in NEEDLES if needle in text})
"""
    verdict = sandbox.judge(TASK, code, limits=Limits())
    assert verdict.results[0].got == "[]"
    planted = code.replace("def weigh", "HERE = ['isclose(weigh([1.5], 2), 3.0)']\ndef weigh")
    assert "isclose" in sandbox.judge(TASK, planted, limits=Limits()).results[0].got


@pytest.mark.parametrize(
    "body",
    [
        "assert abs(f(1) - 0.25) < 1e-6",
        "assert f(1) - 2 == 0",
        "assert 2 - f(1) == 0",
        "assert sum([f(1), -2]) == 0",
        "assert f(1)[0] - 2 == 0",
        "assert f(1) & {1, 2} == {1, 2}",
        "assert f(1) % 2 == 0",
        "assert f(1).startswith('abc')",
        "assert f(1).issubset({1})",
        "assert f(1) == f(2)",
        "with f(1) as x:\n    assert x.value == 5",
    ],
)
def test_an_object_does_not_decide_whether_it_is_the_right_value(
    sandbox: Sandbox, body: str
) -> None:
    extra = "    def __exit__(self, *_): return True\n    def __enter__(self): return self\n"
    call = "    def __call__(self, *_): return True\n    def __getitem__(self, _): return self\n"
    code = f"{LIAR}{extra}{call}def f(x): return Liar()"
    task = Task("t", "python", "", "f", (Test("t", "program", body),))
    verdict = sandbox.judge(task, code)
    assert not verdict.passed
    assert not verdict.unknown


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="already an ordinary user")
def test_the_same_holds_for_an_ordinary_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    paths = [str(Path(selfdebug.__file__).parents[1]), str(Path(pytest.__file__).parents[1])]
    done = subprocess.run(
        [*python_command("ordinary"), "-m", "pytest", "-p", "no:cacheprovider", "-m",
         "slow or not slow", "-k", "not ordinary", str(Path(__file__).parent)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths),
             "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        stdout=sys.stderr,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
