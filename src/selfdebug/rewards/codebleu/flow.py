"""Data flow: from which assignments do the values of a program's variables come?

The languages' files say what is assigned and read, in the order in which it happens; here it
becomes edges between variables (GraphCodeBERT, Guo et al. 2021), with the variables renamed by the
order of their appearance, so that a program with other names has the same edges.

    python -c "from selfdebug.rewards.codebleu.flow import edges; help(edges)"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Items = Counter[str]  # things that are compared, and how often they are there
DEEP = 5  # loops in loops, below which a body is read once: each reading doubles the work

Use = tuple[int, str]  # one place where a variable stands: its number in the program, its name


@dataclass(frozen=True, slots=True)
class Assign:
    """The targets take a value that is computed from the sources; without targets, it is read."""

    targets: tuple[Use, ...]
    sources: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the arms happens."""

    arms: tuple[tuple[Event, ...], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """The body happens any number of times."""

    body: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is assigned in the body is unknown after it."""

    body: tuple[Event, ...]


Event = Assign | Branch | Loop | Scope
_Known = dict[str, frozenset[int]]  # where each variable may have got its value
_Edge = tuple[Use, str, Use]


def edges(events: Sequence[Event]) -> Items:
    """Return the edges "var_i comesFrom var_j" (a read and its assignments) and "computedFrom"."""
    found: set[_Edge] = set()
    _run(events, {}, found)
    names: dict[str, str] = {}

    def named(use: Use) -> str:
        return names.setdefault(use[1], f"var_{len(names)}")

    return Counter(f"{named(to)} {how} {named(origin)}" for to, how, origin in sorted(found))


def matched(candidate: Items, reference: Items) -> float | None:
    """Return the share of the reference's items that the candidate has, each as often.

    Count_clip(candidate) / Count(reference) of Ren et al. 2020, sections 3.2 and 3.3; None when
    the reference has none.
    """
    return (candidate & reference).total() / reference.total() if reference else None


def _run(events: Sequence[Event], known: _Known, found: set[_Edge], loops: int = 0) -> _Known:
    """Add the edges of what happens to `found`; return where values may have come from after."""
    for event in events:
        match event:
            case Assign():
                known = _assign(event, known, found)
            case Branch():
                known = _either([_run(arm, known, found, loops) for arm in event.arms])
            case Loop():
                known = _either([known, _run(event.body, known, found, loops + 1)])
                if loops < DEEP:  # again, with what the last time around has assigned
                    known = _either([known, _run(event.body, known, found, loops + 1)])
            case Scope():
                _run(event.body, known, found, loops)
    return known


def _assign(event: Assign, known: _Known, found: set[_Edge]) -> _Known:
    for number, name in event.sources:
        for origin in known.get(name, ()):
            found.add(((number, name), "comesFrom", (origin, name)))
    for target in event.targets:
        found.update((target, "computedFrom", source) for source in event.sources)
    return known | {name: frozenset({number}) for number, name in event.targets}


def _either(ends: Sequence[_Known]) -> _Known:
    names = {name for end in ends for name in end}
    return {name: frozenset[int]().union(*(end.get(name, ()) for end in ends)) for name in names}
