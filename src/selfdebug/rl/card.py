"""The card of a model that reinforcement learning made: what it is, how it went, how to use it.

python -c "from selfdebug.rl.card import card; help(card)"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from selfdebug.rl.watch import collapsed

AT_ENDS = 10  # steps that "at first" and "at last" are means of
SHOWN = {
    "reward": "sum of the rewards",
    "replies/write": "first programs that pass",
    "replies/refine": "refinements that pass",
    "replies/explained": "claims of explanations that hold",
    "replies/unchanged": "refinements that change nothing",
    "replies/breaking": "right programs broken",
    "replies/malformed": "malformed replies",
    "completions/mean_length": "tokens of a reply",
    "kl": "KL to the model it began as",
}


def card(about: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> str:
    """Return the card as Markdown with the hub's front matter. log: the curves' rows."""
    return "\n".join(_lines(about, [row for row in log if "loss" in row])) + "\n"


def _lines(about: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    adapter = about["rank"] > 0
    yield from ("---", "library_name: peft" if adapter else "library_name: transformers")
    yield from (f"base_model: {about['model']}", "tags: [selfdebug, rl, code]", "---", "")
    kind = f"a LoRA adapter of rank {about['rank']}" if adapter else "every weight"
    yield f"# {about['model']}, rewarded for debugging its own code"
    yield ""
    yield f"Made by `selfdebug train rl`: {kind}, by GRPO, each reward on its own words. A reply is"
    yield "read by nobody before it runs: judge its programs in a sandbox, as `selfdebug` does."
    yield from ("", "## How it went", "")
    if reason := collapsed(log):
        yield from (f"It was stopped after {len(log)} steps: {reason}.", "")
    yield from ("| on the policy's own prompts | at first | at last |", "|---|---|---|")
    for name, said in SHOWN.items():
        values = [row[name] for row in log if row.get(name) is not None]
        if values:
            first, last = fmean(values[:AT_ENDS]), fmean(values[-AT_ENDS:])
            yield f"| {said} | {first:.3f} | {last:.3f} |"
    yield from ("", "The prompts change as the policy does: `eval` measures, these only show the")
    yield "course. The curves are in curves.jsonl, replies to read in replies.jsonl."
    yield from ("", "## Settings", "", "| | |", "|---|---|")
    yield from (f"| {name} | {value} |" for name, value in about.items())
    yield from ("", "## Use", "", "```")
    yield "selfdebug eval demo --backend transformers --option model=THIS_FOLDER --out runs/demo"
    yield "```"
