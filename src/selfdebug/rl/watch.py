"""The curves of a run, and the signs that it has collapsed.

A collapse is told from the log alone, which a resumed run has too.

    python -c "from selfdebug.rl.watch import collapsed; help(collapsed)"
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from selfdebug.store import write_lines

CURVES = "curves.jsonl"
PATIENCE = 10  # steps in a row that show a sign before the run is stopped
UNCHANGED = 0.95  # of the refinements
LONGER = 2.0  # times as long as in the first steps
ILL = 0.5  # of the replies that were malformed

OnStep = Callable[[int, int], None]  # (step, of how many)
Log = Mapping[str, Any]


def collapsed(log: Sequence[Log]) -> str:
    """Return in one line what has gone wrong, or ""; log: the rows of all steps so far."""
    rows = [row for row in log if "replies/equal_groups" in row]
    if len(rows) < 2 * PATIENCE:
        return ""
    last = rows[-PATIENCE:]

    def all_of(name: str, least: float) -> bool:
        return all(row.get(name) is not None and row[name] >= least for row in last)

    if all_of("replies/equal_groups", 1.0):
        return (
            f"for {PATIENCE} steps all replies to each prompt had equal rewards, so there was "
            "nothing to learn: use harder or easier tasks, more --replies or a higher --temperature"
        )
    if all_of("replies/unchanged", UNCHANGED):
        return (
            f"for {PATIENCE} steps {UNCHANGED:.0%} of the refinements gave the wrong program back: "
            "train on more repairs first (train sft), or raise --kl"
        )
    lengths = [row["completions/mean_length"] for row in rows[:PATIENCE]]
    limit = LONGER * sum(lengths) / len(lengths)
    if all_of("completions/mean_length", limit):
        return (
            f"for {PATIENCE} steps replies were {LONGER:g} times as long as at first: raise --kl, "
            "or lower --learning-rate"
        )
    if all_of("replies/malformed", ILL) and rows[0]["replies/malformed"] < ILL:
        return (
            f"for {PATIENCE} steps half of the replies had no end or lacked a part: raise --kl, or "
            "lower --learning-rate"
        )
    return ""


def follower(transformers: Any, out: Path, on_step: OnStep | None) -> Any:
    """Return a callback that writes the curves, and stops a collapsed run."""

    class Follower(transformers.TrainerCallback):
        """Follows the trainer's own log, which it saves and restores with its checkpoints."""

        def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Write the curves, anew at each step, so that a resumed run's fit together."""
            del args
            write_lines(out / CURVES, map(json.dumps, state.log_history))
            if on_step is not None:
                on_step(state.global_step, state.max_steps)
            if collapsed(state.log_history):
                control.should_training_stop = True

    return Follower()
