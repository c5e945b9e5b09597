"""Speed of mending a program against transformers' own `generate`, interleaved in one run.

The model has random weights in a published shape and is forced to write a given repair, so what is
measured is the cost of a repair, not whether the model finds it (see shapes.forced). Two repairs:
the broken program with one line changed, and another program altogether. Both samplers are greedy
and must give the same tokens. Seconds are the processor's: other work on the machine counts less.
Bars: 2.5 x for one line, 0.95 x for another program.

    python bench/decoding.py qwen2.5-coder-0.5b --rows 1 --repair "one line"
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from bench import machine, shapes

from selfdebug import prompts
from selfdebug.backends.transformers import drawing, stepping
from selfdebug.backends.transformers.batching import Row
from selfdebug.backends.transformers.loading import Loaded, has_bfloat16, prompt_ids
from selfdebug.types import Request, Sampling, Task

BARS = {"one line": 2.5, "another program": 0.95}
BROKEN = """\
def running_totals(numbers, limit):
    \"\"\"Return the totals so far, each at most the limit.\"\"\"
    totals = []
    total = 0
    for number in numbers:
        if number < 0:
            continue
        total = total - number
        if total > limit:
            total = limit
        totals.append(total)
    if not totals:
        return [0]
    return totals
"""
MENDED = BROKEN.replace("total = total - number", "total += number")
ANOTHER = """\
from itertools import accumulate

def running_totals(values, most):
    kept = (value for value in values if not value < 0)
    capped = accumulate(kept, lambda a, b: min(most, a + b))
    return list(capped) or [0]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of mending a program.")
    parser.add_argument("shape", nargs="?", default="embedded", help="a name of bench/shapes.py")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8], help="repairs at once")
    parser.add_argument("--repair", nargs="+", choices=list(BARS), default=list(BARS))
    options = parser.parse_args()
    loaded = model_of(options.shape)
    programs = {"one line": MENDED, "another program": ANOTHER}
    missed = [
        race(options.shape, loaded, repair, programs[repair], rows, options.rounds)
        for rows in options.rows
        for repair in options.repair
    ]
    sys.exit(any(missed))


def model_of(name: str) -> Loaded:
    """Return a model with random weights: a published shape, or the embedded model's."""
    texts = [BROKEN, ANOTHER, Path(__file__).read_text()]
    if name != "embedded":
        # As `load` does.
        dtype = torch.bfloat16 if has_bfloat16(torch, "cpu") else torch.float32
        return shapes.loaded(shapes.build(name, dtype), shapes.tokenizer(texts * 4))
    from recipes.embedded import network, vocabulary

    return shapes.loaded(network.build(vocabulary.SIZE).eval(), vocabulary.trained(texts * 4))


def race(  # noqa: PLR0917 - a line of the table
    name: str, loaded: Loaded, repair: str, program: str, rows: int, rounds: int
) -> bool:
    """Print a row of the table; return whether the bar was missed."""
    task = Task("t", "python", "Return the totals so far, none above the limit.", "", ())
    request = Request(task, "refine", BROKEN, "running_totals([1, 2], 9) gave [-1, -3].")
    own = loaded.tokenizer
    prompt = prompt_ids(own, prompts.messages(request))
    said, draft = (ids(own, text) for text in (program, BROKEN))
    seconds: dict[str, list[float]] = {"selfdebug": [], "generate": []}
    with shapes.forced(loaded.model, len(prompt), said):
        generated(loaded, [prompt] * rows, 2)  # the first touch of the weights is nobody's
        for _ in range(rounds):
            greedy, room = Sampling(temperature=0), len(said) + 8
            asked = [Row(prompt, room, greedy, "", draft) for _ in range(rows)]
            start = time.process_time()
            stepping.draw(loaded, asked)
            seconds["selfdebug"].append(time.process_time() - start)
            start = time.process_time()
            replies = generated(loaded, [prompt] * rows, room)
            seconds["generate"].append(time.process_time() - start)
            if [list(row.reply or ()) for row in asked] != replies or replies[0] != said:
                raise AssertionError("the two samplers do not say the same")
    speed = {who: rows * len(said) / median(found) for who, found in seconds.items()}
    ratio = speed["selfdebug"] / speed["generate"]
    figures = f"{speed['selfdebug']:.1f} and {speed['generate']:.1f} tokens a CPU second"
    what = f"{name}, {repair}, {rows} at once"
    dtype = str(loaded.model.dtype).removeprefix("torch.")
    machine.say(what, "transformers' generate", ratio, figures, dtype)
    return ratio < BARS[repair]


def ids(tokenizer: Any, program: str) -> list[int]:
    """Return the tokens of a reply that is a program and nothing else."""
    text = prompts.fenced("python", program)
    return [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]


def generated(loaded: Loaded, asked: list[list[int]], room: int) -> list[list[int]]:
    """Return what transformers writes by itself after prompts of one length."""
    inputs = torch.tensor(asked)
    with torch.inference_mode():
        out = loaded.model.generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            max_new_tokens=room,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=drawing.end_tokens(loaded),
        )
    return [row[inputs.shape[1] :] for row in out.tolist()]


if __name__ == "__main__":
    main()
