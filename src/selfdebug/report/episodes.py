"""One episode as HTML: explanation first, then the failing test, the change and the verdict.

python -c "from selfdebug.report.episodes import diff; print(diff('a = 1', 'a = 2'))"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from selfdebug.feedback.failing_test import WHAT, facts
from selfdebug.report.text import escape, plural, prose, seconds
from selfdebug.types import Episode, Task, TestResult, Turn

NAMES = {"python": "Python", "javascript": "JavaScript"}
OUTCOMES = ("repaired", "visible only", "not repaired", "unknown", "right at first")
CONTEXT = 3  # unchanged lines around a change
STOPPED = {
    "passed": "the visible tests pass",
    "repeated": "the same program came again",
    "exhausted": "no iterations are left",
    "no_reply": "no program came back",
    "unknown": "the harness failed",
}


# Words, brackets and quotes each by itself, operators such as `<=` whole.
_WORD = re.compile(r"""\w+|\s+|[][(){},;.'"]|[^\w\s[\](){},;.'"]+""")


def card(task: Task, episode: Episode, ended: str = "") -> str:
    """Return an episode as an element to unfold. ended: its outcome in a word or two."""
    ended = ended or outcome(episode)
    first = episode.turns[0] if episode.turns else None
    told = _told(episode)
    parts = [
        f'<p class="explanation">{prose(told)}</p>' if told else "",
        _failure(task, first) if first else "",
    ]
    if first and len(episode.turns) > 1 and first.completion.code != episode.code:
        parts.append(f"<h4>Change</h4>{diff(first.completion.code, episode.code)}")
    elif first:
        parts.append(f"<h4>Program</h4><pre>{escape(first.completion.code)}</pre>")
    parts.append(_verdict(episode))
    parts += _fold("Task", f'<p class="prompt">{escape(task.prompt)}</p>')
    if len(episode.turns) > 2:
        parts += _fold("Every iteration", "".join(_turns(episode.turns)))
    marks = [NAMES[task.language], task.bug_kind.replace("_", " ")]
    marks.append(f"sample {episode.seed}" if episode.seed else "")
    tags = "".join(f'<span class="tag">{escape(mark)}</span>' for mark in marks if mark)
    spent = f"{plural(max(0, len(episode.turns) - 1), 'refinement')} · {seconds(episode.seconds)}"
    return (
        f'<details class="episode {ended.replace(" ", "-")}" data-outcome="{ended}" '
        f'data-language="{NAMES[task.language]}" data-kind="{escape(task.bug_kind)}">'
        f'<summary><span class="outcome">{ended}</span><span class="id">{escape(task.id)}</span>'
        f'<span class="tags">{tags}</span><span class="spent">{spent}</span></summary>'
        f'<div class="body">{"".join(parts)}</div></details>'
    )


def outcome(episode: Episode) -> str:
    """Return one of OUTCOMES."""
    verdict = episode.verdict
    if episode.stopped == "unknown":
        return "unknown"
    if verdict is None or not verdict.visible_passed:
        return "not repaired"
    if not verdict.passed:
        return "visible only"
    return "repaired" if len(episode.turns) > 1 else "right at first"


def _told(episode: Episode) -> str:
    """Return the explanation of the best program, or the last one given where there is none."""
    if not episode.turns:
        return ""
    given = [turn.completion.explanation for turn in episode.turns]
    return given[episode.best] or next((text for text in reversed(given) if text), "")


def _failure(task: Task, turn: Turn) -> str:
    """Return the first failing visible test of the first program."""
    failure = turn.verdict.first_failure
    if failure is None:
        return ""
    rows = facts(task, turn.completion.code, failure)
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f'<h4>{WHAT.get(failure.status, "A test fails.")}</h4><dl class="test">{listed}</dl>'


def _verdict(episode: Episode) -> str:
    verdict = episode.verdict
    if verdict is None:
        return f'<p class="verdict">There is no program: {STOPPED[episode.stopped]}.</p>'
    hidden = [result for result in verdict.results if result.hidden]
    counts = [_count(verdict.visible, "visible test")]
    counts += [_count(hidden, "hidden test")] if hidden else []
    return (
        f'<p class="verdict">The final program passes {" and ".join(counts)}. '
        f"It ended because {STOPPED[episode.stopped]}.</p>"
    )


def _count(results: Sequence[TestResult], what: str) -> str:
    passed = sum(result.status == "pass" for result in results)
    return f"{passed} of {plural(len(results), what)}"


def _turns(turns: Sequence[Turn]) -> Iterator[str]:
    before = ""
    for number, turn in enumerate(turns):
        told = turn.completion.explanation
        yield f"<h4>{'First program' if number == 0 else f'Refinement {number}'}</h4>"
        yield f'<p class="explanation">{prose(told)}</p>' if told else ""
        code = turn.completion.code
        yield diff(before, code) if number else f"<pre>{escape(code)}</pre>"
        yield f"<p>Passes {_count(turn.verdict.visible, 'visible test')}.</p>"
        before = code


def _fold(name: str, inside: str) -> Iterator[str]:
    yield f'<details class="fold"><summary>{name}</summary>{inside}</details>'


def diff(before: str, after: str) -> str:
    """Return a unified diff, with what changed inside a line marked."""
    old, new = before.rstrip("\n").split("\n"), after.rstrip("\n").split("\n")
    lines: list[str] = []
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        if lines:
            lines.append('<span class="gap">⋯</span>')
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [_line("", i + 1, i + 1 + c - a, escape(old[i])) for i in range(a, b)]
                continue
            left, right = _marked(old[a:b], new[c:d])
            lines += [_line("del", a + i + 1, 0, text) for i, text in enumerate(left)]
            lines += [_line("ins", 0, c + i + 1, text) for i, text in enumerate(right)]
    return f'<pre class="diff">{"".join(lines)}</pre>' if lines else "<p>The same program.</p>"


def _line(kind: str, old: int, new: int, text: str) -> str:
    sign = {"del": "-", "ins": "+"}.get(kind, " ")
    return (
        f'<span class="{kind or "same"}"><i>{old or ""}</i><i>{new or ""}</i>{sign} {text}\n</span>'
    )


def _marked(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines as HTML, the words that differ marked where a line was changed a little."""
    left, right = [escape(line) for line in old], [escape(line) for line in new]
    for i, (before, after) in enumerate(zip(old, new, strict=False)):
        a, b = (_WORD.findall(line) for line in (before, after))
        matcher = SequenceMatcher(None, a, b, autojunk=False)
        if matcher.ratio() > 0.5:
            left[i] = right[i] = ""
            for tag, i1, i2, j1, j2 in matcher.get_opcodes():
                cut, put = escape("".join(a[i1:i2])), escape("".join(b[j1:j2]))
                left[i] += cut if tag == "equal" or not cut else f"<mark>{cut}</mark>"
                right[i] += put if tag == "equal" or not put else f"<mark>{put}</mark>"
    return left, right
