"""Comparisons: what each round adds, against resampling at as many tries and as many tokens."""

import json
from dataclasses import asdict

import pytest

from episodes import FOOLED, RIGHT, WRONG, episode, write
from selfdebug.compare import compare
from selfdebug.stats import mcnemar
from selfdebug.types import (
    Completion,
    Episode,
    SelfdebugError,
    TestResult,
    Turn,
    Verdict,
)


def cells(found, run):
    return {cell.round: cell for cell in found.cells if cell.run == run}


@pytest.fixture
def pair(tmp_path):
    """Of 8 tasks two are right at once; refining mends four, resampling two of them."""
    refine = [
        *(episode(f"t{n}", RIGHT) for n in range(2)),
        *(episode(f"t{n}", WRONG, RIGHT) for n in range(2, 6)),
        episode("t6", WRONG, WRONG, codes={1: "p0\n\n"}),
        episode("t7", WRONG, FOOLED),
    ]
    again = [
        *(episode(f"t{n}", RIGHT) for n in range(2)),
        *(episode(f"t{n}", WRONG, RIGHT, tokens=30) for n in range(2, 4)),
        *(episode(f"t{n}", WRONG, WRONG, WRONG) for n in range(4, 8)),
    ]
    return write(tmp_path / "refine", refine), write(tmp_path / "resample", again)


def test_the_grid_says_what_passes_after_each_round(pair):
    found = cells(compare(pair, rounds=2), "refine")
    assert [found[r].pass_1.value for r in range(3)] == [2 / 8, 6 / 8, 6 / 8]
    assert [found[r].fixed.value for r in range(3)] == [0, 4 / 6, 4 / 6]
    assert found[1].tasks == 8
    assert found[0].tokens == 10
    assert found[1].tokens == (2 * 10 + 6 * 20) / 8
    assert found[1].unchanged == 1 / 6
    assert found[1].pass_10 is None


def test_a_program_that_fools_the_visible_tests_has_not_passed(tmp_path):
    run = write(tmp_path / "run", [episode("a", WRONG, FOOLED), episode("b", WRONG, RIGHT)])
    assert cells(compare([run], rounds=1), "run")[1].pass_1.value == 0.5


def test_the_best_program_is_chosen_by_visible_tests_alone(tmp_path):
    """A later program that breaks a visible test is not taken, whatever hidden tests say."""
    run = write(tmp_path / "run", [episode("a", "vVh", "VVh"), episode("b", "vVH", "vvh")])
    found = cells(compare([run], rounds=1), "run")
    assert [found[r].pass_1.value for r in (0, 1)] == [0, 0.5]


def test_contrasts_are_paired_and_their_p_is_mcnemars(pair):
    (contrast,) = compare(pair, rounds=1, controls=["resample"]).contrasts
    assert (contrast.run, contrast.control, contrast.round) == ("refine", "resample", 1)
    assert contrast.pass_1.value == pytest.approx(2 / 8)
    assert contrast.fixed.value == pytest.approx(2 / 6)
    assert 0 <= contrast.pass_1.low <= contrast.pass_1.value <= contrast.pass_1.high
    assert contrast.p == mcnemar(0, 2)


def test_at_equal_tokens_a_dear_resampler_gets_fewer_tries(pair):
    """Its second program costs 30 tokens; refining had spent 20 by then."""
    (contrast,) = compare(pair, rounds=1, controls=["resample"]).contrasts
    assert contrast.at_equal_tokens.value == pytest.approx(4 / 8)


def test_only_tasks_and_seeds_that_all_runs_have_are_compared(tmp_path):
    one = write(tmp_path / "one", [episode("a", RIGHT), episode("b", WRONG)])
    two = write(tmp_path / "two", [episode("a", RIGHT), episode("a", WRONG, seed=1)])
    assert all(cell.tasks == 1 and cell.pass_1.value == 1 for cell in compare([one, two]).cells)
    three = write(tmp_path / "three", [episode("c", RIGHT)])
    with pytest.raises(SelfdebugError, match="no task and seed in common"):
        compare([one, three])


def test_ten_samples_give_pass_at_10_and_intervals_over_tasks(tmp_path):
    run = [episode(name, RIGHT if seed == 0 and name == "a" else WRONG, seed=seed)
           for name in ("a", "b", "c") for seed in range(10)]  # fmt: skip
    cell = cells(compare([write(tmp_path / "run", run)], rounds=0), "run")[0]
    assert cell.pass_1.value == pytest.approx(1 / 30)
    assert cell.pass_10 is not None
    assert cell.pass_10.value == pytest.approx(1 / 3)
    assert cell.pass_10.low == 0  # all ten of a task are drawn together


def test_one_kind_of_bug_and_right_programs_that_were_broken(tmp_path):
    run = write(
        tmp_path / "run", [episode("a", RIGHT), episode("b", WRONG)],
        right=[episode("a", RIGHT, RIGHT), episode("b", RIGHT, WRONG)], kinds={"b": "loop"},
    )  # fmt: skip
    assert compare([run]).broken[0].share.value == 0.5
    found = compare([run], kind="loop")
    assert found.broken[0].share.value == 1
    assert {cell.tasks for cell in found.cells} == {1}
    assert found.cells[0].pass_1.value == 0


def test_names_are_the_shortest_that_tell_the_folders_apart(tmp_path):
    folders = [
        write(tmp_path / model / "refine", [episode("a", RIGHT)]) for model in ("base", "sft")
    ]
    assert {cell.run for cell in compare(folders).cells} == {"base/refine", "sft/refine"}


def test_what_is_wrong_is_one_line(pair, tmp_path):
    with pytest.raises(SelfdebugError, match="folder of an `eval`"):
        compare([tmp_path])
    with pytest.raises(SelfdebugError, match="no run 'base' among refine, resample"):
        compare(pair, controls=["base"])
    with pytest.raises(SelfdebugError, match="only once"):
        compare([pair[0], pair[0]])
    assert json.dumps(asdict(compare(pair)))


def test_explanations_are_scored_by_the_test_and_the_right_programs_of_any_run(tmp_path):
    """This one names the line that is wrong, and a value that was never returned."""
    wrong, right = "def f(x):\n    return x + 1\n", "def f(x):\n    return 2 * x\n"
    failed = Verdict(
        "t", "sha", (TestResult("v", "wrong", call="f(3)", expected="6", got="4"),), "A"
    )
    told = "Line 2 is wrong. For `f(3)` it returns `5`, but `6` is expected."
    turns = (
        Turn(Completion(wrong, wrong), failed),
        Turn(Completion(told, wrong, told), failed, "feedback"),
    )
    run = write(tmp_path / "run", [Episode("t", "explain_refine", 0, "b", turns, 1.0, "passed")])
    assert not compare([run]).explained  # nothing right to compare with
    other = write(tmp_path / "other", [episode("t", RIGHT, codes={0: right})])
    (found,) = compare([run, other]).explained
    assert found.run == "run"
    assert found.share.value == 1 / 3  # of code it quotes nothing
