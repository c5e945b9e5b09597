"""What evaluation holds is found in what would be trained on, however it is renamed."""

import pytest

from selfdebug import benchmarks
from selfdebug.splits import Index, clean, evaluation_index, refuse_trained
from selfdebug.types import Repair, SelfdebugError, Task, Test

TESTS = (Test("t", "program", "assert total([1]) == 1"),)
PROGRAM = """\
def total(values):
    result = 0
    for value in values:
        if value > 10:
            result += value * 2
    return result
"""


def task(identity, prompt="", code=PROGRAM, language="python"):
    return Task(identity, language, prompt, "total", TESTS, reference=code)


def renamed(code):
    for old, new in (
        ("total", "f"),
        ("values", "xs"),
        ("value", "x"),
        ("result", "r"),
        ("10", "9"),
    ):
        code = code.replace(old, new)
    return code


def test_the_same_program_under_other_names_is_a_leak():
    index = Index([task("exam")])
    leak = index.leak(task("train", code=renamed(PROGRAM)))
    assert leak is not None
    assert (leak.task_id, leak.evaluation_id) == ("train", "exam")
    assert "same form" in leak.why


def test_another_program_is_none():
    index = Index([task("exam")])
    assert index.leak(task("train", code=PROGRAM.replace("> 10", "< 10 and value"))) is None


def test_tiny_programs_are_alike_by_chance_and_no_leak():
    tiny = "def total(values):\n    return sum(values)\n"
    assert Index([task("exam", code=tiny)]).leak(task("train", code=tiny)) is None


def test_a_description_that_shares_a_long_run_of_words_is_a_leak():
    words = "write a function that finds the second largest of all the numbers in a nested list"
    index = Index([task("exam", prompt=f"Please {words}, quickly.", code="")])
    assert index.leak(task("train", prompt=words.upper())) is not None
    assert (
        index.leak(task("train", prompt="Write a function that finds the largest number.")) is None
    )


def test_javascript_is_compared_with_javascript():
    code = "function total(xs) { let r = 0; for (const x of xs) { if (x > 1) r += x; } return r; }"
    index = Index([task("exam", code=code, language="javascript")])
    other = code.replace("xs", "values").replace("x ", "each ").replace("x;", "each;")
    assert index.leak(task("train", code=other, language="javascript")) is not None


def test_clean_tasks_are_kept_and_leaks_told():
    kept, leaks = clean([task("a"), task("b", code="x = 1\n")], Index([task("exam")]))
    assert [t.id for t in kept] == ["b"]
    assert [leak.task_id for leak in leaks] == ["a"]


def repair(task_id, fixed="fixed = 1\n"):
    return Repair(task_id, task_id, "python", "broken = 1\n", "f", "e", fixed, "injected", "A")


def test_evaluating_what_was_trained_on_is_refused():
    refuse_trained([task("a"), task("b", code="")], [repair("c"), repair("d", fixed="")])
    with pytest.raises(SelfdebugError, match=r"1 of the tasks to evaluate .* trained on \(a\)"):
        refuse_trained([task("a"), task("c")], [repair("a"), repair("b")])


def test_another_bug_of_a_program_that_was_trained_on_is_refused_too():
    with pytest.raises(SelfdebugError, match=r"trained on \(demo/2\)"):
        refuse_trained([task("demo/2")], [repair("demo/1", fixed=PROGRAM)])


def test_of_many_tasks_that_were_trained_on_three_are_named():
    names = "abcde"
    with pytest.raises(SelfdebugError, match=r"5 of .*\(a, b, c, \.\.\.\)"):
        refuse_trained(map(task, names), map(repair, names))


@pytest.mark.slow
def test_mbpp_train_has_leaks_into_evaluation_sets_and_most_of_it_is_clean():
    try:
        train = list(benchmarks.load("mbpp", "train"))
    except SelfdebugError as error:
        pytest.skip(str(error))
    index, names = evaluation_index()
    assert {"humaneval:test", "mbpp:test"} <= set(names)
    kept, leaks = clean(train, index)
    assert leaks
    assert len(kept) > 0.8 * len(train)
