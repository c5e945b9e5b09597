"""Repairs become conversations of three stages, with right programs that stay right among them."""

from collections import Counter
from dataclasses import replace

import pytest

from selfdebug.explanations import TRUE_CLAIMS
from selfdebug.stages import borne_out, corrupted, examples
from selfdebug.types import Repair, Task, Test

TASK = Task(
    "add", "python", "Add two numbers.", "add", (Test("t", "program", "assert add(1, 2) == 3"),),
    reference="def add(a, b):\n    return a + b\n",
)  # fmt: skip
BROKEN = "def add(a, b):\n    return a - b\n"


def repair(number=0, task_id="add"):
    return Repair(
        key=str(number), task_id=task_id, language="python", broken=BROKEN,
        feedback="The program returns a wrong value.\nInput:    add(1, 2)",
        explanation="Line 2 subtracts: use `+`.", fixed=TASK.reference,
        origin="injected", tier="A", kind="logic",
    )  # fmt: skip


def test_each_stage_asks_for_its_own_thing():
    made = {e.stage: e for e in examples([repair()], [TASK], right_share=0)}
    assert "return a + b" in made["generate"].completion[0]["content"]
    assert made["recognise"].completion[0]["content"] == "Line 2 subtracts: use `+`."
    assert "return a + b" in made["correct"].completion[0]["content"]
    for stage in ("recognise", "correct"):
        roles = [message["role"] for message in made[stage].prompt]
        assert roles == ["user", "assistant", "user"]


def test_a_wrong_program_is_never_in_what_is_learned():
    for example in examples([repair(n) for n in range(20)], [TASK]):
        assert all(m["role"] == "assistant" for m in example.completion)
        assert "return a - b" not in example.completion[0]["content"]


def test_refinements_come_with_and_without_an_explanation():
    texts = [e.completion[0]["content"] for e in examples(
        [repair(n) for n in range(40)], [TASK], ["correct"], right_share=0
    )]  # fmt: skip
    explained = sum(text.startswith("Line 2") for text in texts)
    assert 10 < explained < 30


@pytest.mark.parametrize("stage", ["recognise", "correct"])
def test_right_programs_stay_right_in_the_asked_share(stage):
    made = list(examples([repair(n) for n in range(400)], [TASK], [stage], right_share=0.2))
    kinds = Counter(example.kind for example in made)
    assert 0.15 < kinds[""] / len(made) < 0.25
    right = next(example for example in made if not example.kind)
    assert "return a + b" in right.prompt[1]["content"]
    assert "orrect" in right.completion[0]["content"] or "pass" in right.completion[0]["content"]


def test_a_repair_without_its_task_is_left_out():
    assert not list(examples([repair(task_id="other")], [TASK], ["correct"]))


def test_right_programs_that_the_model_wrote_are_learned_from_beside_the_reference():
    written = {"add": ["def add(a, b):\n    return b + a\n"]}
    made = list(examples([], [TASK], ["generate"], written=written))
    texts = [example.completion[0]["content"] for example in made]
    assert [("a + b" in text, "b + a" in text) for text in texts] == [(True, False), (False, True)]


def test_a_right_program_is_shown_with_the_very_words_of_feedback():
    made = examples([repair(n) for n in range(60)], [TASK], ["correct"], right_share=0.5)
    right = [example.prompt[-1]["content"] for example in made if not example.kind]
    assert right
    assert all(text.startswith("No visible test fails.\n") for text in right)
    assert {"First explain" in text for text in right} == {True, False}


def test_a_repair_without_a_word_has_nothing_to_recognise():
    silent = replace(repair(), explanation="")
    stages = ["recognise", "correct"]
    made = list(examples([silent], [TASK], stages, right_share=0))
    assert [example.stage for example in made] == ["correct"]
    assert made[0].completion[0]["content"].startswith("```python")


def test_an_explanation_that_says_what_is_not_so_is_not_learned_from():
    half, true = (replace(repair(), details={TRUE_CLAIMS: share}) for share in (0.5, 1.0))
    kept = list(borne_out([half, true, repair()], 0.75))
    assert [bool(found.explanation) for found in kept] == [False, True, True]
    assert kept[0].fixed == half.fixed  # the program was proved right
    assert list(borne_out([half], 0.5)) == [half]


def test_corrupted_pairs_have_the_correction_of_another_task():
    pairs = [replace(repair(n, f"t{n % 5}"), fixed=f"program {n % 5}") for n in range(20)]
    made = corrupted(pairs)
    assert [(r.key, r.broken, r.feedback) for r in made] == [
        (r.key, r.broken, r.feedback) for r in pairs
    ]
    assert all(r.fixed != f"program {r.task_id[1:]}" for r in made)
    assert corrupted(pairs) == made
    assert corrupted([repair(0), repair(1)]) == []


def test_the_same_repairs_give_the_same_examples():
    repairs = [repair(n) for n in range(30)]
    assert list(examples(repairs, [TASK])) == list(examples(repairs, [TASK]))
