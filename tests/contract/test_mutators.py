"""What every mutator promises, whatever its language: true bugs in, the right program out again."""

from __future__ import annotations

import ast
from functools import cache
from itertools import islice
from random import Random
from typing import get_args

import pytest

from selfdebug import plugins
from selfdebug.explanations import changed_lines, claims, verified
from selfdebug.languages.javascript_edit import Program as JavaScript
from selfdebug.languages.python_edit.program import syntax_error
from selfdebug.types import Kind, Language

PER_PROGRAM = 12  # bugs of each program that are looked at
PER_OPERATOR = 3  # bugs of each operator and file that have to be mended again


@pytest.fixture(params=plugins.names("mutators"), scope="module")
def mutator(request):
    return plugins.load("mutators", request.param)


@cache
def references(language):
    tasks = plugins.load("benchmarks", "demo").load("references")
    return [task.reference for task in tasks if task.language == language]


def parses(language, code):
    return syntax_error(code) is None if language == "python" else JavaScript(code).parses


def meaning(language, code):
    """The program without its formatting."""
    if language == "python":
        return ast.dump(ast.parse(code))
    return "".join(code.split()).replace(";", "")


@cache
def _bugs(name):
    mutator = plugins.load("mutators", name)
    return [
        (code, bug)
        for code in references(mutator.LANGUAGE)
        for bug in islice(mutator.mutate(code, Random(7)), PER_PROGRAM)
    ]


@pytest.fixture
def bugs(mutator):
    return _bugs(mutator.__name__.rsplit(".", 1)[-1])


def test_a_mutator_says_its_language_and_kind(mutator):
    assert mutator.LANGUAGE in get_args(Language)
    assert mutator.KIND in get_args(Kind)
    assert mutator.__name__.endswith(f".{mutator.LANGUAGE}_{mutator.KIND}")


def test_the_shipped_programs_have_many_bugs_of_every_kind(mutator, bugs):
    programs = {code for code, _ in bugs}
    assert len(programs) >= 0.9 * len(references(mutator.LANGUAGE))
    assert len({bug.mutator for _, bug in bugs}) >= 10


def test_a_bug_changes_the_program_and_nothing_is_offered_twice(bugs):
    assert all(bug.fixed == code != bug.broken for code, bug in bugs)
    assert len({(code, bug.broken) for code, bug in bugs}) == len(bugs)


def test_a_bug_parses_unless_it_is_one_of_syntax(mutator, bugs):
    for _, bug in bugs:
        assert parses(mutator.LANGUAGE, bug.broken) == (mutator.KIND != "syntax"), bug


def test_a_bug_names_its_kind_and_its_operator(mutator, bugs):
    name = mutator.__name__.rsplit(".", 1)[-1]
    for _, bug in bugs:
        file, _, operator = bug.mutator.partition(".")
        assert (bug.kind, file) == (mutator.KIND, name)
        assert operator.isidentifier()


def test_the_line_is_one_that_the_bug_touches(bugs):
    wrong = [bug for _, bug in bugs if bug.line not in changed_lines(bug.broken, bug.fixed)]
    # Where several equal lines follow each other, a diff may call another of them the new one.
    assert len(wrong) <= 0.002 * len(bugs), wrong[:3]


def test_an_explanation_names_the_line_and_the_code_and_claims_nothing_false(bugs):
    wrong = [bug for _, bug in bugs if not verified(bug.explanation, bug.broken, bug.fixed, None)]
    # In backticks, code with a backtick of its own cannot be read back.
    wrong = [bug for bug in wrong if "`" not in bug.broken + bug.fixed]
    assert len(wrong) <= 0.002 * len(bugs), [
        (bug.explanation, claims(bug.explanation, bug.broken, bug.fixed, None)) for bug in wrong[:3]
    ]


def test_the_wording_varies(bugs):
    openings = {bug.explanation.split("`")[0].rstrip("0123456789: ") for _, bug in bugs}
    assert len(openings) >= 20


def test_the_same_seed_gives_the_same_bugs_and_another_seed_others(mutator):
    code = max(references(mutator.LANGUAGE), key=len)
    first, again, other = (list(mutator.mutate(code, Random(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_mending_offers_the_right_program(mutator, bugs):
    """The operators, read in reverse, undo most of what they did."""
    taken: dict[str, int] = {}
    mended = tried = 0
    for code, bug in bugs:
        taken[bug.mutator] = taken.get(bug.mutator, 0) + 1
        if taken[bug.mutator] <= PER_OPERATOR:
            right = meaning(mutator.LANGUAGE, code)
            offers = (repair.fixed for repair in mutator.repair(bug.broken))
            mended += any(meaning(mutator.LANGUAGE, offer) == right for offer in offers)
            tried += 1
    assert mended >= 0.6 * tried, f"{mended} of {tried}"


def test_a_repair_is_of_the_given_program_and_parses(mutator, bugs):
    for _, bug in bugs[:: max(1, len(bugs) // 12)]:
        repairs = list(mutator.repair(bug.broken))
        assert len({repair.fixed for repair in repairs}) == len(repairs)
        for repair in repairs:
            assert repair.broken == bug.broken != repair.fixed
            assert repair.kind == mutator.KIND
            assert 1 <= repair.line <= bug.broken.count("\n") + 1
            assert parses(mutator.LANGUAGE, repair.fixed), repair


@pytest.mark.parametrize(
    "text",
    ["", "\n", "# nothing", "// nothing", "((((", "'", "x = (\n", "\x00", "é = 'ü'  # ñ\n"],
)
def test_no_text_is_too_strange(mutator, text):
    assert all(bug.fixed == text for bug in mutator.mutate(text, Random(0)))
    assert all(repair.broken == text for repair in mutator.repair(text))


def test_a_program_that_nests_without_end_is_left_alone(mutator):
    text = "x = " + "(" * 150 + "1" + ")" * 150 + " + 1" * 400 + "\n"
    assert len(list(islice(mutator.mutate(text, Random(0)), 3))) <= 3
    assert len(list(islice(mutator.repair(text), 3))) <= 3


def test_lines_that_end_in_a_carriage_return_alone_are_left_alone(mutator):
    """Editors and diffs do not count them, so every line number would be wrong."""
    for code in references(mutator.LANGUAGE)[:3]:
        for odd in (code.replace("\n", "\r"), code.replace("\n ", "\r ", 1)):
            assert list(mutator.mutate(odd, Random(7))) == []
            assert list(mutator.repair(odd)) == []
