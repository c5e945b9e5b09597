"""The loop: write a program, run the visible tests, read what failed, refine.

There is one loop; data is collected, models are measured and a user's file is mended by it. It
never edits a test. A backend is given neither hidden tests nor the reference, and hidden tests are
run only once every decision has been made, to score. It writes nothing to disk.

    python -c "from selfdebug.debug import debug; help(debug)"
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

from selfdebug.feedback import Repairs
from selfdebug.feedback import feedback as write_feedback
from selfdebug.types import (
    Backend,
    Completion,
    Episode,
    Judge,
    Mode,
    Request,
    Sampling,
    SelfdebugError,
    Task,
    Turn,
    Verdict,
)

Stopped = Literal["passed", "repeated", "exhausted", "no_reply", "unknown"]


def debug(
    task: Task,
    backend: Backend,
    *,
    judge: Judge,
    max_iterations: int = 3,
    mode: Mode = "explain_refine",
    feedback: str = "tests",
    code: str | None = None,
    sampling: Sampling | None = None,
    refine_temperature: float | None = None,
    repairs: Repairs | None = None,
    on_turn: Callable[[Turn], None] | None = None,
) -> Episode:
    """Return the episode of one task, from `code` or else from a program that the backend writes.

    max_iterations: how many more programs may follow the first. mode "generate" asks for each of
    them afresh, without feedback: plain resampling, the control that every refinement must beat.
    refine_temperature: of the programs after the first; None: that of `sampling`. Once a program
    comes again the later ones are drawn at the latter; without it the loop stops there.
    feedback: see `feedback.feedback`. on_turn sees each turn as it comes (visible results only).
    """
    if not task.visible_tests:
        raise SelfdebugError(f"task {task.id} has no visible test: the loop has nothing to run")
    # The backend must not see what scores it, nor the answer.
    shown = replace(task, tests=task.visible_tests, reference="", broken="")
    sampling = sampling or Sampling()
    started = time.perf_counter()
    turns: list[Turn] = []
    verdicts: dict[str, Verdict] = {}
    stopped: Stopped = "exhausted"
    cooler = refine_temperature
    while len(turns) <= max_iterations:
        said = ""
        if code is not None and not turns:
            completion = Completion(code, code, spans={"code": (0, len(code))})
        else:
            request = Request(shown, "generate")
            if turns and mode != "generate":
                wrong, verdict = turns[-1].completion.code, turns[-1].verdict
                said = write_feedback(feedback, shown, wrong, verdict, judge=judge, repairs=repairs)
                request = Request(shown, mode, wrong, said)
            # Iterations and the seeds of neighbouring samples must not share random numbers.
            drawn = replace(sampling, seed=sampling.seed * 1000 + len(turns))
            if turns and cooler is not None:
                drawn = replace(drawn, temperature=cooler)
            completion = backend.sample([request], 1, drawn)[0][0]
        if not completion.code.strip():
            stopped = "no_reply"
            break
        same = normalised(completion.code)
        repeated = same in verdicts and mode != "generate"
        if not repeated:
            verdicts[same] = judge.judge(shown, completion.code)
        turns.append(Turn(completion, verdicts[same], said))
        if on_turn is not None:
            on_turn(turns[-1])
        if repeated and refine_temperature is not None:
            cooler, repeated = None, False  # so likely a reply would only come once more
        if ended := _ended(verdicts[same], repeated):
            stopped = ended
            break
    seconds = time.perf_counter() - started
    return Episode(
        task_id=task.id,
        mode=mode,
        seed=sampling.seed,
        backend=backend.name,
        turns=tuple(_scored(task, turns, judge)),
        seconds=seconds,
        stopped=stopped,
        best=max(range(len(turns)), key=lambda i: turns[i].verdict.share_passed, default=0),
    )


def _ended(verdict: Verdict, repeated: bool) -> Stopped | None:
    if repeated:
        return "repeated"
    if verdict.unknown:
        return "unknown"
    return "passed" if verdict.visible_passed else None


def normalised(code: str) -> str:
    """Return a program without blank lines and trailing spaces: what makes it the same again."""
    return "\n".join(line.rstrip() for line in code.splitlines() if line.strip())


def _scored(task: Task, turns: list[Turn], judge: Judge) -> Iterator[Turn]:
    """Yield the turns with the results of the hidden tests added; each program is run once."""
    hidden = [test for test in task.tests if test.hidden]
    scores: dict[str, Verdict] = {}
    for turn in turns:
        if not hidden or turn.verdict.unknown:
            yield turn
            continue
        code = turn.completion.code
        if code not in scores:
            scores[code] = judge.judge(task, code, tests=hidden)
        results = turn.verdict.results + scores[code].results
        yield replace(turn, verdict=replace(turn.verdict, results=results))
