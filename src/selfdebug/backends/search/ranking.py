"""Order the repairs that the mutators offer: by the probability that each is the right one.

An operator's share of the probability falls with its place in its file (files put the most
plausible first) and is divided among the changes that it offers, most to suspicious lines. So an
operator with three offers is heard long before the last of one with three hundred.

    python -c "from selfdebug.backends.search.ranking import ranked; help(ranked)"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from selfdebug import plugins
from selfdebug.backends.search.localise import suspicion
from selfdebug.types import Mutation, Task, TestResult

_HEAD = 4  # operators at a file's head that weigh about the same
_DECAY = 0.25  # an operator puts its own likelier changes first
_SHORTEST = 8  # characters of a line that can be recognised


def ranked(task: Task, code: str, results: Sequence[TestResult]) -> Iterator[Mutation]:
    """Yield the repairs of a program in the task's language, the most probable first."""
    suspicious = suspicion(results)
    given = _given_lines(task, code)
    weighed: list[tuple[float, int, Mutation]] = []
    for name in plugins.names("mutators"):
        if not name.startswith(f"{task.language}_"):
            continue
        offered = list(plugins.load("mutators", name).repair(code))
        totals = Counter(mutation.mutator for mutation in offered)
        place = {operator: at for at, operator in enumerate(totals)}
        count: Counter[str] = Counter()
        for mutation in offered:
            operator = mutation.mutator
            count[operator] += 1
            if mutation.line in given:
                continue
            weight = 1 / totals[operator] / (_HEAD + place[operator]) / count[operator] ** _DECAY
            weight *= suspicious(mutation.line) ** 2
            weighed.append((-weight, len(weighed), mutation))
    weighed.sort(key=lambda item: item[:2])
    return (mutation for _, _, mutation in weighed)


def _given_lines(task: Task, code: str) -> frozenset[int]:
    """Return the lines that the task gives word for word, and that are right for it.

    They are its signature and its helpers. A prompt that holds the whole program tells nothing.
    """
    prompt = {line.strip() for line in task.prompt.splitlines()}
    lines = [line.strip() for line in code.splitlines()]
    telling = [at for at, line in enumerate(lines, 1) if len(line) >= _SHORTEST]
    given = frozenset(at for at in telling if lines[at - 1] in prompt)
    return given if len(given) < len(telling) else frozenset()
