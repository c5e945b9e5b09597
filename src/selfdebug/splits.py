"""Splits that cannot leak: what is trained on is compared with every evaluation-only set.

Two tasks are the same when their programs have the same form, names and numbers aside, or share a
long run of tokens, or when their descriptions share a long run of words. Evaluation refuses tasks
that were trained on. It removes nothing: it says what has to go, and why.

    selfdebug inject mbpp:train --out runs/bugs --total 1000
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from selfdebug import benchmarks, plugins
from selfdebug.languages import javascript, python
from selfdebug.types import Repair, SelfdebugError, Task, code_sha

WORDS = 13  # of a description (Brown et al. 2020, appendix C, use 13-grams)
TOKENS = 40  # of a program
SMALLEST_PROGRAM = 25  # tokens: shorter programs have the same form by chance

_WORD = re.compile(r"[a-z0-9]+")
_NAME = re.compile(r"[A-Za-z_$][\w$]*$")
_KEYWORDS = frozenset(
    [
        "and",
        "as",
        "assert",
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "def",
        "del",
        "do",
        "elif",
        "else",
        "except",
        "false",
        "finally",
        "for",
        "from",
        "function",
        "if",
        "import",
        "in",
        "instanceof",
        "is",
        "lambda",
        "let",
        "new",
        "None",
        "nonlocal",
        "not",
        "null",
        "of",
        "or",
        "pass",
        "raise",
        "return",
        "switch",
        "this",
        "throw",
        "true",
        "True",
        "False",
        "try",
        "typeof",
        "undefined",
        "var",
        "while",
        "with",
        "yield",
    ]
)


@dataclass(frozen=True, slots=True)
class Leak:
    """A training task that an evaluation set holds too."""

    task_id: str
    evaluation_id: str
    why: str


class Index:
    """What the evaluation sets look like, so that tasks can be looked up in them."""

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._seen: dict[str, str] = {}
        for task in tasks:
            self.add(task)

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, task: Task) -> None:
        """Add an evaluation task."""
        for mark, _ in _marks(task):
            self._seen.setdefault(mark, task.id)

    def leak(self, task: Task) -> Leak | None:
        """Return why a task must not be trained on, or None."""
        for mark, why in _marks(task):
            if mark in self._seen:
                return Leak(task.id, self._seen[mark], why)
        return None


def evaluation_index(source: str = "") -> tuple[Index, list[str]]:
    """Return the index of every evaluation-only split that is there, and the names of those."""
    index, names = Index(), list[str]()
    for name in plugins.names("benchmarks"):
        benchmark = cast("benchmarks.Benchmark", plugins.load("benchmarks", name))
        for split in benchmark.EVALUATION_ONLY:
            try:
                found = list(benchmark.load(split, source=source))
            except SelfdebugError:  # its data is not on this machine
                continue
            names.append(f"{name}:{split}")
            for task in found:
                index.add(task)
    return index, names


def clean(tasks: Sequence[Task], index: Index) -> tuple[list[Task], list[Leak]]:
    """Return the tasks that may be trained on, and the leaks of the others."""
    leaks = [leak for task in tasks if (leak := index.leak(task)) is not None]
    bad = {leak.task_id for leak in leaks}
    return [task for task in tasks if task.id not in bad], leaks


def refuse_trained(tasks: Iterable[Task], trained_on: Iterable[Repair]) -> None:
    """Raise SelfdebugError when a repair was made from a task that is to be evaluated.

    It was when it has the task's id, or mends to the task's own reference program: so the bugs of
    a program that ships are refused too after training on other bugs of it.
    """
    ids, programs = set[str](), set[str]()
    for repair in trained_on:
        ids.add(repair.task_id)
        programs.add(code_sha(repair.fixed))
    both = [
        t.id for t in tasks if t.id in ids or (t.reference and code_sha(t.reference) in programs)
    ]
    if both:
        shown = ", ".join(both[:3]) + (", ..." if len(both) > 3 else "")
        raise SelfdebugError(
            f"{len(both)} of the tasks to evaluate were trained on ({shown}): "
            "choose another split, or another model"
        )


def _marks(task: Task) -> Iterator[tuple[str, str]]:
    words = _WORD.findall(_description(task).lower())
    for run in _runs(words, WORDS):
        yield _digest("words", run), f"the description shares {WORDS} words in a row"
    if not task.reference:
        return
    tokenize = python.tokenize if task.language == "python" else javascript.tokenize
    tokens = tokenize(task.reference)
    for run in _runs(tokens, TOKENS):
        yield _digest(task.language, run), f"the program shares {TOKENS} tokens in a row"
    if len(tokens) >= SMALLEST_PROGRAM:
        yield _digest(task.language, _form(tokens)), "the program has the same form"


def _description(task: Task) -> str:
    """The prompt's prose: code and examples are compared as code."""
    lines = task.prompt.splitlines()
    code = re.compile(r"\s*(>>>|assert\b|def |from |import |function |const |@|\S+ = )")
    return "\n".join(line for line in lines if not code.match(line))


def _form(tokens: Sequence[str]) -> list[str]:
    """Number the names in the order of their first use; forget literals."""
    names: dict[str, str] = {}
    form: list[str] = []
    for token in tokens:
        if token in _KEYWORDS:
            form.append(token)
        elif _NAME.match(token):
            form.append(names.setdefault(token, f"n{len(names)}"))
        else:
            form.append("0" if token[0].isdigit() or token[0] in "\"'`" else token)
    return form


def _runs(items: Sequence[str], length: int) -> Iterator[Sequence[str]]:
    return (items[i : i + length] for i in range(len(items) - length + 1))


def _digest(label: str, items: Sequence[str]) -> str:
    text = "\x00".join((label, *items))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
