"""Explanations of bugs: composed from what a mutation did and what the tests saw, and checked.

An explanation is text, and every claim in it can be borne out or not: a line by the diff, quoted
code by the two programs, a value by the failing test. The checker knows nothing of how a text was
made, so it also scores what a model writes. It runs no code.

    python -c "from selfdebug.explanations import claims; help(claims)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from random import Random
from typing import Literal

from selfdebug.types import Mutation, TestResult

MAX_VALUE = 120  # characters of a call or a value that is quoted

TRUE_CLAIMS = "true_claims"  # where a harvested repair's details keep its score
COMMENT_MARKS = ("#", "//", "/* */")

# What the failing test showed, by status. Each sentence is also read back by the checker.
WRONG = (
    "For `{call}` it returns `{got}`, but `{expected}` is expected.",
    "`{call}` gives `{got}` where `{expected}` is right.",
    "The test shows it: `{call}` should be `{expected}`, and the program returns `{got}`.",
    "With `{call}` the result is `{got}` instead of `{expected}`.",
)
RAISED = (
    "`{call}` fails with `{message}`.",
    "Calling `{call}` raises `{message}`.",
    "On `{call}` the program stops with `{message}`.",
)
NO_LOAD = (
    "So the program does not load: `{message}`.",
    "That is why it cannot be loaded: `{message}`.",
    "The error is `{message}`.",
)
LATE = (  # perhaps it never ends, perhaps it is only slow: nobody waited to see
    "`{call}` does not end in time.",
    "With `{call}` the program still runs when its time is up.",
)
# The same of a program that reads its input and prints.
INPUT = "stdin: "  # how such a call is written
PRINTED = (
    "For the input `{call}` it prints `{got}`, but `{expected}` is expected.",
    "With the input `{call}` the output is `{got}` instead of `{expected}`.",
)
STOPPED = (
    "With the input `{call}` the program stops with `{message}`.",
    "The input `{call}` ends in `{message}`.",
)
LATE_PRINTED = ("With the input `{call}` the program still runs when its time is up.",)
SECOND = ("There is a second bug. ", "That is not all. ", "Another bug: ")
THIRD = ("And a third. ", "One more bug: ", "Lastly, ")
# What is to stand where. Told of text that stands there already, it tells of no correction.
_ADVICE = tuple(
    re.compile(form.replace("OLD", r"`(?P<old>[^`]+)`").replace("NEW", r"`(?P<new>[^`]+)`"))
    for form in (
        "OLD (?:should be|has to become) NEW",
        "has OLD where it needs NEW",
        "Write NEW instead of OLD",
        "[Cc]hange OLD to NEW",
        "[Rr]eplace OLD (?:by|with) NEW",
        "OLD is wrong: .*?Change it to NEW",
        "Look at OLD on line .*?Use NEW",
        r"[Ll]ine (?P<line>\d+)[^`]*Change it to NEW",
    )
)
CORRECT = (
    "The program is correct: all its tests pass.",
    "All tests pass. Nothing needs to be changed.",
    "Correct as it is; every test passes.",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an explanation, and whether the evidence bears it out."""

    text: str
    kind: Literal["line", "code", "value"]
    holds: bool


def compose(mutations: Sequence[Mutation], failure: TestResult, rng: Random) -> str:
    """Return the text: each bug, what and where it is and what to change, and how it shows."""
    parts = [mutations[0].explanation]
    for mutation, links in zip(mutations[1:], (SECOND, THIRD), strict=False):
        parts.append(rng.choice(links) + mutation.explanation)
    shown = {"call": failure.call, "got": failure.got, "expected": failure.expected}
    shown["message"] = failure.message
    reads = failure.call.startswith(INPUT)
    forms = {
        "wrong": PRINTED if reads else WRONG,
        "timeout": LATE_PRINTED if reads else LATE,
        "load_error": NO_LOAD,
    }
    form = rng.choice(forms.get(failure.status, STOPPED if reads else RAISED))
    fields = re.findall(r"{(\w+)}", form)
    # A value with a backtick cannot be quoted, an empty or a long one tells nothing.
    if all(shown[name] and "`" not in shown[name] for name in fields):
        quoted = {name: _cut(shown[name]) for name in fields}
        parts.append(form.format(**quoted))
    return " ".join(parts)


def claims(explanation: str, broken: str, fixed: str, failure: TestResult | None) -> list[Claim]:
    """Return every claim of an explanation that the diff or the failing test can decide.

    line: "line 4" is one that the correction changes, or where the error arose. code: text in
    backticks stands in the broken program, the fixed one or the failing test; advice to write what
    stands there already does not hold. value: a sentence about the failing call says what was
    really called, returned, expected or raised.
    """
    changed = changed_lines(broken, fixed)
    known = [_squeeze(text) for text in (broken, fixed, *_shown(failure))]
    found: list[Claim] = []
    for match in re.finditer(r"\blines? (\d+)\b", explanation, re.I):
        number = int(match[1])
        near_error = failure is not None and number == failure.line
        found.append(Claim(match[0], "line", number in changed or near_error))
    rest = explanation
    for text, holds in _values(explanation, failure):
        found.append(Claim(text, "value", holds))
        rest = rest.replace(text, " ")
    idle = set(_idle(rest, broken.splitlines()))
    for match in re.finditer(r"`([^`]+)`", rest):
        quoted = _squeeze(match[1])
        if quoted in COMMENT_MARKS:  # a fact of the language, which no program has to hold
            continue
        stands = any(quoted in text for text in known)
        found.append(Claim(match[0], "code", stands and match.start(1) not in idle))
    return found


def score(explanation: str, broken: str, fixed: str, failure: TestResult | None) -> float | None:
    """Return the share of claims that hold, in [0, 1]; None when nothing is claimed."""
    found = claims(explanation, broken, fixed, failure)
    return sum(claim.holds for claim in found) / len(found) if found else None


def verified(explanation: str, broken: str, fixed: str, failure: TestResult | None) -> bool:
    """Tell whether it names a line, quotes code of the change, and claims nothing false."""
    found = claims(explanation, broken, fixed, failure)
    kinds = {claim.kind for claim in found}
    return {"line", "code"} <= kinds and all(claim.holds for claim in found)


def changed_lines(broken: str, fixed: str) -> set[int]:
    """Return the 1-based lines of `broken` that the correction changes or inserts beside.

    Of equal lines it is a diff's own choice which of them it calls changed: then all of them are.
    """
    left, right = broken.splitlines(), fixed.splitlines()
    lines: set[int] = set()
    same: set[str] = set()
    for tag, start, end, _, _ in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "insert":
            lines |= {start, start + 1}
        elif tag != "equal":
            lines |= set(range(start + 1, end + 1))
            same |= {line.strip() for line in left[start:end]}
    return lines | {at for at, line in enumerate(left, 1) if line.strip() in same}


def _idle(explanation: str, lines: Sequence[str]) -> Iterator[int]:
    """Yield where code is quoted that is advised in the place of the same code."""
    for pattern in _ADVICE:
        for match in pattern.finditer(explanation):
            said = match.groupdict()
            number = int(said.get("line") or 0)
            old = said.get("old") or (lines[number - 1] if 0 < number <= len(lines) else "")
            if _squeeze(old) == _squeeze(match["new"]):
                yield match.start("new")


def _shown(failure: TestResult | None) -> Iterator[str]:
    if failure is not None:
        yield from (failure.call, failure.got, failure.expected, failure.message)
        for step in failure.trace:
            yield from (f"{name} = {value}" for name, value in step.values.items())


def _values(explanation: str, failure: TestResult | None) -> Iterator[tuple[str, bool]]:
    """Yield the sentences about the failing test that are in the forms above, and their truth."""
    for pattern, fields in _PATTERNS:
        for match in pattern.finditer(explanation):
            truth = failure is not None and all(
                match[name] == _cut(getattr(failure, name)) for name in fields
            )
            ended = "call" not in fields or fields != ("call",) or _late(failure)
            yield match[0], truth and ended


def _late(failure: TestResult | None) -> bool:
    return failure is not None and failure.status == "timeout"


def _pattern(form: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    fields = tuple(re.findall(r"{(\w+)}", form))
    escaped = re.escape(form)
    for name in fields:
        escaped = escaped.replace(rf"\{{{name}\}}", rf"(?P<{name}>[^`]*)")
    return re.compile(escaped), fields


_PATTERNS = [
    _pattern(form) for form in (*WRONG, *RAISED, *NO_LOAD, *LATE, *PRINTED, *STOPPED, *LATE_PRINTED)
]


def _cut(text: str) -> str:
    """Return a value as it is quoted: on one line, and not longer than MAX_VALUE."""
    text = text.removeprefix(INPUT).strip("\n").replace("\n", "\\n")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _squeeze(text: str) -> str:
    return " ".join(text.split())
