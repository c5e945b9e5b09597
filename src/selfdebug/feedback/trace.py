"""The values of the local variables on the failing call, line by line.

python -c "from selfdebug.feedback.trace import TRACE_STEPS; print(TRACE_STEPS)"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfdebug.feedback.failing_test import cap, failing_test, line_of
from selfdebug.types import Judge, SelfdebugError, Task, TestResult, TraceStep

TRACE_STEPS = 24


def trace(task: Task, code: str, failure: TestResult | None, judge: Judge | None) -> str:
    """Return the failing test, and the values of the local variables on its way there."""
    head = failing_test(task, code, failure)
    if failure is None:
        return head
    if judge is None:
        raise SelfdebugError("trace feedback needs a judge to run the failing test again")
    tests = [test for test in task.visible_tests if test.id == failure.test_id]
    results = judge.judge(task, code, tests=tests, observe="locals").results
    steps = list(_steps(code, results[0].trace)) if results else []
    if len(steps) > TRACE_STEPS:
        half = TRACE_STEPS // 2
        steps[half:-half] = [f"... {len(steps) - TRACE_STEPS} steps left out ..."]
    return "\n".join([head, "Trace:", *steps]) if steps else head


def _steps(code: str, trace: Sequence[TraceStep]) -> Iterator[str]:
    """Yield a line for each step, with the variables that changed since the step before."""
    known: dict[str, str] = {}
    for step in trace:
        changed = {name: v for name, v in step.values.items() if known.get(name) != v}
        known = dict(step.values)
        values = ", ".join(f"{name} = {value}" for name, value in changed.items())
        source = f"{step.line:>3} | {line_of(code, step.line)}".rstrip()
        yield f"{source}    # {cap(values, 100)}" if values else source
