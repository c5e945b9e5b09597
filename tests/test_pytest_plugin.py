"""`pytest --selfdebug`: failing tests are explained and mended; a test file is never written.

pytest runs in a process of its own, in copies of tests/fixtures/projects/library and of small
projects; the repairs are judged in the real sandbox.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

LIBRARY = Path(__file__).parent / "fixtures" / "projects" / "library"
CALC = """\
    def double(x):
        return x + x + 1


    def half(x):
        return x / 2
    """
TEST_CALC = """\
    import pytest
    from calc import double, half


    @pytest.mark.parametrize("x", [1, 2])
    def test_double(x):
        assert double(x) == 2 * x


    def test_half():
        assert half(4) == 2
    """


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--tb=no", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-p", "selfdebug.interfaces.pytest_plugin", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def fake(folder: Path, *programs: str) -> list[str]:
    """Options for a backend that replies these programs, anew for each repair."""
    path = folder.parent / "replies.json"
    texts = [f"It adds one too many.\n\n```python\n{dedent(text)}```\n" for text in programs]
    path.write_text(json.dumps(texts))
    return ["--selfdebug-backend=fake", f"--selfdebug-option=replies={path}"]


@pytest.fixture
def calc(tmp_path: Path) -> Path:
    return write(tmp_path / "calc", calc_py=CALC, test_calc_py=TEST_CALC)


RIGHT = CALC.replace(" + 1", "")


def test_without_the_flag_nothing_is_said_and_nothing_of_ours_is_loaded(calc: Path) -> None:
    write(
        calc,
        conftest_py="""\
        import sys

        def pytest_unconfigure():
            ours = {name for name in sys.modules if name.startswith("selfdebug.")}
            assert ours <= {"selfdebug.interfaces", "selfdebug.interfaces.pytest_plugin"}, ours
            print("LOOKED")
        """,
    )
    done = run(calc)
    assert (done.returncode, "LOOKED" in done.stdout) == (1, True), done.stderr
    assert "= selfdebug =" not in done.stdout


def test_it_explains_shows_a_diff_and_writes_nothing(calc: Path) -> None:
    before = hashes(calc)
    done = run(calc, "--selfdebug", *fake(calc, RIGHT))
    assert done.returncode == 1, "pytest's own answer stays"
    wanted = """\
        test_calc.py::test_double[1]
        test_calc.py::test_double[2]

          It adds one too many.
          Shown by test_calc.py::test_double[1]: double(1) gave 3, expected 2

        --- a/calc.py
        +++ b/calc.py
        @@ -1,5 +1,5 @@
         def double(x):
        -    return x + x + 1
        +    return x + x


         def half(x):

        2 of 2 failing tests now pass, by changes in calc.py. Nothing was written; add
        """
    said = done.stdout.replace("\n \n", "\n\n").replace("\n \n", "\n\n")
    assert dedent(wanted).strip() in said
    assert hashes(calc) == before


def test_apply_writes_the_program_and_no_test(calc: Path) -> None:
    before = hashes(calc)
    done = run(calc, "--selfdebug-apply", *fake(calc, RIGHT))
    assert "Written: calc.py; run the tests again." in done.stdout
    after = hashes(calc)
    assert [name for name in after if after[name] != before.get(name)] == [str(calc / "calc.py")]
    assert run(calc).returncode == 0


@pytest.mark.slow
def test_uncommitted_changes_are_not_overwritten_without_force(calc: Path) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    subprocess.run([git, "init", "-q"], cwd=calc, check=True)
    before = hashes(calc)
    refused = run(calc, "--selfdebug-apply", *fake(calc, RIGHT))
    assert "Nothing was written.\nNot written: " in refused.stdout
    assert "calc.py is not under version control yet" in refused.stdout
    assert "--selfdebug-force" in refused.stdout
    assert hashes(calc) == before
    forced = run(calc, "--selfdebug-apply", "--selfdebug-force", *fake(calc, RIGHT))
    assert "Written: calc.py" in forced.stdout


def test_a_repair_that_breaks_what_passed_is_not_taken(calc: Path) -> None:
    broken = RIGHT.replace("/ 2", "/ 3")
    done = run(calc, "--selfdebug-apply", *fake(calc, broken, broken))
    assert "0 of 2 failing tests now pass. Nothing was written." in done.stdout
    assert "no repair was found in calc.py" in done.stdout
    assert (calc / "calc.py").read_text() == dedent(CALC)


@pytest.mark.slow
def test_a_test_that_is_left_out_of_the_run_guards_too(calc: Path) -> None:
    broken = RIGHT.replace("/ 2", "/ 3")
    done = run(calc, "test_calc.py::test_double", "--selfdebug", *fake(calc, broken, broken))
    assert "0 of 2 failing tests now pass" in done.stdout


def test_when_no_test_fails_it_says_so(calc: Path) -> None:
    write(calc, calc_py=RIGHT)
    done = run(calc, "--selfdebug-sarif=out.sarif")
    assert done.returncode == 0
    assert "No test failed: there is nothing to mend." in done.stdout
    assert json.loads((calc / "out.sarif").read_text())["runs"][0]["results"] == []


def test_a_test_that_runs_no_program_is_to_be_looked_at_itself(tmp_path: Path) -> None:
    folder = write(tmp_path / "p", test_x_py="def test_x():\n    assert 1 == 2\n")
    done = run(folder, "--selfdebug")
    assert "it runs no file of the project: look at the test itself" in done.stdout


def test_a_program_that_does_not_load_is_mended_for_the_whole_test_file(calc: Path) -> None:
    write(calc, calc_py=RIGHT.replace("double(x):", "double(x)"))
    done = run(calc, "--selfdebug", *fake(calc, RIGHT))
    assert "+def double(x):" in done.stdout
    assert "1 of 1 failing tests now pass" in done.stdout


@pytest.mark.slow
def test_workers_of_xdist_see_and_the_controller_mends_once(calc: Path) -> None:
    pytest.importorskip("xdist")
    done = run(calc, "-p", "xdist", "-n", "2", "--selfdebug", *fake(calc, RIGHT))
    assert done.stdout.count("2 of 2 failing tests now pass") == 1
    assert done.stdout.count("+++ b/calc.py") == 1


def test_when_the_time_is_over_it_says_so(calc: Path) -> None:
    done = run(calc, "--selfdebug", "--selfdebug-total-seconds=0.5")
    assert "Not mended: the 0.5 s for all failing tests ran out" in done.stdout


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("--selfdebug-backend=nobody", "--selfdebug-backend: "),
        ("--selfdebug-option=seconds", "--selfdebug-option seconds: write NAME=VALUE"),
    ],
)
def test_a_wrong_option_is_refused_before_any_test(calc: Path, option: str, complaint: str) -> None:
    done = run(calc, "--selfdebug", option)
    assert done.returncode == 4
    assert complaint in done.stderr
    assert "test session starts" not in done.stdout


def test_the_junit_report_of_pytest_holds_the_explanation(calc: Path) -> None:
    run(calc, "--selfdebug", "--junitxml=report.xml", *fake(calc, RIGHT))
    cases = ElementTree.parse(calc / "report.xml").iter("testcase")
    said = {case.get("name"): case.findtext("system-out") or "" for case in cases}
    assert "selfdebug: It adds one too many." in said["test_double[1]"]
    assert "+    return x + x\n" in said["test_double[2]"]
    assert said["test_half"] == ""


@pytest.mark.slow
def test_search_mends_a_project_with_bugs_in_several_files(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(LIBRARY, folder)
    before = hashes(folder)
    shown = run(folder, "--selfdebug", "--selfdebug-seconds=120", "--selfdebug-total-seconds=1200")
    assert hashes(folder) == before
    assert "6 failed, 26 passed" in shown.stdout
    mended = {line[6:] for line in shown.stdout.splitlines() if line.startswith("+++ b/")}
    assert mended >= {"src/library/fees.py", "src/library/loans.py"}
    assert not any("test" in name for name in mended)
