"""The nouns of selfdebug: what flows between its stages, and the protocols that plugins follow.

This file holds data and types only. It imports nothing of ours, reads no file and runs no code.
Every noun is frozen: a stage makes new values, it never edits old ones.

    python -c "from selfdebug.types import Task; help(Task)"
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Protocol

Language = Literal["python", "javascript"]
Mode = Literal["generate", "refine", "explain_refine"]
Kind = Literal["syntax", "logic", "api_misuse", "off_by_one"]
TestKind = Literal["program", "call", "stdio", "suite", "query"]
Trust = Literal["split", "in_process"]
Observe = Literal["", "lines", "locals"]
Origin = Literal["injected", "harvested", "teacher", "search"]
Stage = Literal["generate", "recognise", "correct"]
Status = Literal[
    "pass",
    "wrong",  # a value came back and the test did not accept it
    "exception",
    "timeout",
    "memory",
    "output_limit",
    "crashed",  # killed by a signal, or it broke the protocol
    "exited_early",
    "unserialisable",
    "load_error",  # the program does not compile, does not load, or lacks the entry point
    "not_run",  # an earlier test ended the run (stop_early, or too many time-outs)
    "unknown",  # a fault of the harness: neither pass nor fail, and never a reward
]


class SelfdebugError(Exception):
    """Base of every error that selfdebug raises on purpose; its text is one line for the user."""


def code_sha(code: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of a program's text."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a task.

    kind and body:
      program  source in the task's language that calls the entry point by name and raises when
               it is not satisfied. It runs in the judge, never beside the candidate.
      call     JSON object {"args": [...], "kwargs": {...}, "expected": value, "atol": 0.0}; values
               as in `sandbox/wire.py` (plain JSON means itself).
      stdio    JSON object {"stdin": text, "stdout": text}; compared line by line, right-stripped.
      suite    JSON object {"runner": "pytest" | "doctest" | "node", ...}: a user's own test file,
               run beside the candidate and so labelled trust="in_process".
      query    a SQL query (reserved).
    hidden: a hidden test scores and is never shown to a model.
    expected: for JavaScript programs, an expression for the expected value (Python needs none).
    weight: how many ordinary tests it stands for; its time limit is that many times as long.
    """

    __test__ = False  # pytest: not a test class

    id: str
    kind: TestKind
    body: str
    hidden: bool = False
    expected: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Task:
    """A programming task with the tests that judge it.

    prompt: what a model reads. prelude: source that goes before the candidate and before the
    tests (imports and helpers that the prompt promises). entry_point: the function under test,
    or "Class.method". reference: a whole right program. broken: a known wrong one, or "".
    bug_kind: the data set's own name for what is wrong with `broken`.
    """

    id: str
    language: Language
    prompt: str
    entry_point: str
    tests: tuple[Test, ...]
    prelude: str = ""
    reference: str = ""
    broken: str = ""
    bug_kind: str = ""
    source: str = ""
    license: str = ""

    @property
    def visible_tests(self) -> tuple[Test, ...]:
        """The tests whose outcome may be fed back."""
        return tuple(test for test in self.tests if not test.hidden)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. Seconds of CPU and of wall-clock time are per test.

    total_seconds: of wall-clock time for all tests together, after which nothing is known of them;
    0: no such limit.
    """

    cpu_seconds: float = 3.0
    wall_factor: float = 4.0  # wall-clock backstop = cpu_seconds x wall_factor
    memory_bytes: int = 1 << 30
    output_bytes: int = 64 << 20  # killed past this
    kept_output_bytes: int = 64 << 10
    result_bytes: int = 32 << 20  # HumanEval+ has right answers of 7 MB
    max_timeouts: int = 2  # later tests are not_run
    total_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One executed line of the candidate: 1-based line and the local variables before it."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TestResult:
    """What one test showed. Texts are capped representations, safe to print."""

    __test__ = False

    test_id: str
    status: Status
    call: str = ""  # "f(1, 2)": the last call before the verdict
    expected: str = ""
    got: str = ""
    message: str = ""
    line: int = 0  # the candidate's own line of an error; 0: unknown
    seconds: float = 0.0
    lines: tuple[int, ...] = ()  # executed lines, when observed
    trace: tuple[TraceStep, ...] = ()  # of the last call, when observed
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every result of one program, and how it was reached (tier and trust)."""

    task_id: str
    code_sha: str
    results: tuple[TestResult, ...]
    tier: str
    trust: Trust = "split"
    stdout: str = ""

    @property
    def passed(self) -> bool:
        """True when there are results and every one is a pass."""
        return bool(self.results) and all(r.status == "pass" for r in self.results)

    @property
    def unknown(self) -> bool:
        """True when the harness failed on any test: the verdict must not be used."""
        return not self.results or any(r.status == "unknown" for r in self.results)

    @property
    def visible(self) -> tuple[TestResult, ...]:
        """The results that may be fed back."""
        return tuple(r for r in self.results if not r.hidden)

    @property
    def visible_passed(self) -> bool:
        """True when there is a visible result and all of them pass."""
        return bool(self.visible) and all(r.status == "pass" for r in self.visible)

    @property
    def first_failure(self) -> TestResult | None:
        """The first visible result that is not a pass."""
        return next((r for r in self.visible if r.status != "pass"), None)

    @property
    def share_passed(self) -> float:
        """Share of tests passed, in [0, 1]."""
        return sum(r.status == "pass" for r in self.results) / max(1, len(self.results))


@dataclass(frozen=True, slots=True)
class Mutation:
    """A one-place change between a right and a broken program.

    line: 1-based line of the broken program. explanation: what is wrong and how to mend it.
    mutator: "<file>.<operator>", for example "python_off_by_one.range_end".
    """

    broken: str
    fixed: str
    kind: Kind
    line: int
    explanation: str
    mutator: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a backend is asked: write a program, or mend `broken` after reading `feedback`."""

    task: Task
    mode: Mode
    broken: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a backend samples. The same seed gives the same completions where the engine can."""

    temperature: float = 0.8
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """A backend's reply. spans: {"explanation" | "code": (start, end)} in characters of text."""

    text: str
    code: str
    explanation: str = ""
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One program of an episode, with its verdict and the feedback that was given before it."""

    completion: Completion
    verdict: Verdict
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One run of the loop on one task. best: index of the best turn by visible tests."""

    task_id: str
    mode: Mode
    seed: int
    backend: str
    turns: tuple[Turn, ...]
    seconds: float
    stopped: Literal["passed", "repeated", "exhausted", "no_reply", "unknown"]
    best: int = 0

    @property
    def code(self) -> str:
        """The best program."""
        return self.turns[self.best].completion.code if self.turns else ""

    @property
    def verdict(self) -> Verdict | None:
        """The best program's verdict."""
        return self.turns[self.best].verdict if self.turns else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One reply that was asked for while harvesting, right or wrong.

    parent: the `code_sha` of the wrong program that it refines, "" for a first program. number:
    which of the replies to the same request by the same backend. broken, feedback: what it read.
    """

    task_id: str
    mode: Mode
    backend: str
    number: int
    completion: Completion
    parent: str = ""
    broken: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """A verified (task, broken, feedback, explanation, fixed): what a model is trained on."""

    key: str
    task_id: str
    language: Language
    broken: str
    feedback: str
    explanation: str
    fixed: str
    origin: Origin
    tier: str
    kind: str = ""
    mutator: str = ""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Visit:
    """One task visited by `inject` in one round: how many mutants it tried, and their fates.

    outcomes: {"<kind> <what became of it>": how many}.
    """

    number: int
    task_id: str
    tried: int = 0
    added: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation to learn from: loss is on `completion` alone, never on a wrong program.

    kind: of the bug; "" for a program that is right. prompt and completion are chat messages.
    """

    stage: Stage
    task_id: str
    language: str
    kind: str
    prompt: tuple[Mapping[str, str], ...]
    completion: tuple[Mapping[str, str], ...]


class Judge(Protocol):
    """What the loop needs of a sandbox; `sandbox.Sandbox` is the one implementation."""

    def judge(
        self,
        task: Task,
        code: str,
        *,
        tests: Sequence[Test] | None = None,
        stop_early: bool = False,
        observe: Observe = "",
        limits: Limits | None = None,
    ) -> Verdict:
        """Run `code` against `tests` (default: all of the task's) and say what each showed."""
        ...

    def judge_many(
        self,
        jobs: Iterable[tuple[Task, str]],
        *,
        stop_early: bool = False,
        observe: Observe = "",
        limits: Limits | None = None,
    ) -> Iterator[Verdict]:
        """Judge a stream of (task, code), in order, on all workers, with bounded memory."""
        ...


class Backend(Protocol):
    """A source of programs. One file in `backends/` each."""

    name: str

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return n completions for each request, in the order of the requests."""
        ...


class Mutator(Protocol):
    """A file in `mutators/`: LANGUAGE and KIND constants and these two functions."""

    LANGUAGE: Language
    KIND: Kind

    def mutate(self, code: str, rng: Random) -> Iterator[Mutation]:
        """Yield bugs of this kind put into a working program; the same rng, the same bugs."""
        ...

    def repair(self, code: str) -> Iterator[Mutation]:
        """Yield the operators applied in reverse: `broken` is `code`, `fixed` a candidate."""
        ...
