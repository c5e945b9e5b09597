"""What a model reads about a wrong program: failing test, linters, trace, like repairs, a control.

Every kind is short, of a fixed form and capped, because small models lose themselves in long ones.
Nothing of a hidden test is ever in it, and nothing that a program printed either, since a program
prints what it was called with. It runs no candidate code; the trace is the judge's.

    python -c "from selfdebug.feedback import feedback; help(feedback)"
"""

from __future__ import annotations

from selfdebug.feedback.failing_test import failing_test
from selfdebug.feedback.retrieved import Repairs, retrieved
from selfdebug.feedback.shuffled import shuffled
from selfdebug.feedback.static import static
from selfdebug.feedback.trace import trace
from selfdebug.types import Judge, SelfdebugError, Task, Verdict

KINDS = ("tests", "static", "trace", "retrieved", "shuffled")

__all__ = ["KINDS", "Repairs", "feedback"]


def feedback(
    kind: str,
    task: Task,
    code: str,
    verdict: Verdict,
    *,
    judge: Judge | None = None,
    repairs: Repairs | None = None,
) -> str:
    """Return the text of one kind, or of several joined by "+", such as "tests+static".

    judge is needed by trace, which runs the failing test once more; repairs by retrieved and by
    shuffled.
    """
    failure = verdict.first_failure
    parts: list[str] = []
    for name in kind.split("+"):
        match name:
            case "tests":
                parts.append(failing_test(task, code, failure))
            case "static":
                parts.append(static(task, code))
            case "trace":
                parts.append(trace(task, code, failure, judge))
            case "retrieved":
                parts.append(retrieved(task, code, failure, repairs))
            case "shuffled":
                parts.append(shuffled(task, code, repairs))
            case _:
                raise SelfdebugError(f"no feedback {name!r}: there are {', '.join(KINDS)}")
    return "\n\n".join(parts)
