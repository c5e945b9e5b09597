"""Every language: texts are told from programs, and each kind of candidate gets its status."""

import json

import pytest

from selfdebug import plugins
from selfdebug.sandbox import Sandbox
from selfdebug.types import Limits, Task, Test

QUICK = Limits(cpu_seconds=0.5, wall_factor=6)
LANGUAGES = [name for name in plugins.names("languages") if not name.endswith("_edit")]

# For each language, programs for one task: the sum of a list of numbers.
PROGRAMS = {
    "python": {
        "good": "def total(xs):\n    return sum(xs)\n",
        "bad": "def total(xs):\n    return sum(xs[1:])\n",
        "raising": "def total(xs):\n    raise KeyError(xs)\n",
        "looping": "def total(xs):\n    while True:\n        pass\n",
        "lying": "class Liar:\n    def __eq__(self, _):\n        return True\n\n"
        "def total(xs):\n    return Liar()\n",
        "leaving": "import os\n\ndef total(xs):\n    os._exit(0)\n",
        "broken": "def total(xs:\n",
        "other": "def sum_of(xs):\n    return sum(xs)\n",
    },
    "javascript": {
        "good": "const total = (xs) => xs.reduce((a, b) => a + b, 0)\n",
        "bad": "const total = (xs) => xs.slice(1).reduce((a, b) => a + b, 0)\n",
        "raising": "const total = (xs) => { throw new RangeError(xs) }\n",
        "looping": "const total = (xs) => { for (;;); }\n",
        "lying": "const total = () => ({ valueOf: () => 6, toJSON: () => 6 })\n",
        "leaving": "const total = () => process.exit(0)\n",
        "broken": "const total = (xs => {\n",
        "other": "const sumOf = (xs) => xs.reduce((a, b) => a + b, 0)\n",
    },
}
CHECKS = {
    "python": "assert total([1, 2, 3]) == 6 and type(total([1, 2, 3])) is int",
    "javascript": "require('assert').strictEqual(total([1, 2, 3]), 6)",
}
STATUS = {
    "good": "pass",
    "bad": "wrong",
    "raising": "exception",
    "looping": "timeout",
    "lying": "wrong",
    "leaving": "exited_early",
    "broken": "load_error",
    "other": "load_error",
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1, limits=QUICK) as box:
        yield box


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


def test_a_language_says_what_it_is(language):
    plugin = plugins.load("languages", language)
    assert language == plugin.NAME
    assert all(suffix.startswith(".") for suffix in plugin.SUFFIXES)


def test_a_program_is_told_from_another_text(language):
    plugin = plugins.load("languages", language)
    assert plugin.check_syntax(PROGRAMS[language]["good"]) is None
    line, message = plugin.check_syntax("\n" + PROGRAMS[language]["broken"])
    assert line >= 1
    assert message


def test_tokens_make_up_the_program(language):
    plugin = plugins.load("languages", language)
    for code in PROGRAMS[language].values():
        assert "".join("".join(plugin.tokenize(code)).split()) == "".join(code.split())


@pytest.mark.parametrize("kind", STATUS)
@pytest.mark.parametrize("how", ["program", "call"])
def test_each_candidate_gets_its_status(sandbox, language, kind, how):
    call = json.dumps({"args": [[1, 2, 3]], "expected": 6})
    body = CHECKS[language] if how == "program" else call
    task = Task(f"{language}-{how}", language, "", "total", (Test("t", how, body),))
    verdict = sandbox.judge(task, PROGRAMS[language][kind])
    assert [result.status for result in verdict.results] == [STATUS[kind]]
