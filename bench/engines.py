"""Speed of mending programs with OpenVINO against transformers' own `generate`, by turns.

The model has random weights in a published shape; `backends/openvino` reads the GGUF file (q8_0)
that `selfdebug export-model` writes of it, transformers the weights as `backends/transformers`
loads them. Both are asked greedily to mend the same programs, one or eight at once, and write as
many tokens; what they write is noise and not the same, for q8_0 rounds. Speed is in tokens for each
second of the processor, of all its cores, and by the clock; reading the prompts is in it. Bar: 3 x
of the processor's.

    python bench/engines.py qwen2.5-coder-0.5b --rows 1 8
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import machine, shapes
from bench.decoding import BROKEN, generated

from selfdebug import prompts
from selfdebug.backends import openvino
from selfdebug.backends.transformers.loading import Loaded, load, prompt_ids
from selfdebug.publish import publish
from selfdebug.types import Request, Sampling, Task

BAR = 3.0
TOKENS = 96  # of a reply


def main() -> None:
    parser = argparse.ArgumentParser(description="OpenVINO against transformers.")
    parser.add_argument("shape", nargs="?", default="qwen2.5-coder-0.5b")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8], help="programs at once")
    options = parser.parse_args()
    folder = Path("runs/shapes", options.shape)
    if not (folder / "tokenizer.json").is_file():
        subprocess.run([sys.executable, str(shapes.__file__), options.shape], check=True)
    gguf = folder.with_name(f"{options.shape}-q8_0")
    if not gguf.is_dir():
        publish(str(folder), gguf, form="gguf", weights="q8_0")
    engine, loaded = openvino.create(None, model=str(gguf)), load(str(folder), device="cpu")
    missed = [race(options, engine, loaded, rows) for rows in options.rows]
    sys.exit(any(missed))


def race(options: argparse.Namespace, engine: Any, loaded: Loaded, rows: int) -> bool:
    """Print a row of the table; return whether the bar was missed."""
    task = Task("t", "python", "Return the totals so far, none above the limit.", "", ())
    requests = [
        Request(task, "refine", BROKEN, f"running_totals([{n}, 2], 9) gave [-1, -3].")
        for n in range(rows)
    ]
    greedy = Sampling(temperature=0, max_tokens=TOKENS)
    ids = [prompt_ids(loaded.tokenizer, prompts.messages(request)) for request in requests]
    if len({len(prompt) for prompt in ids}) > 1:
        raise AssertionError("prompts of one length need no padding")

    def ours() -> int:
        return sum(row[0].completion_tokens for row in engine.sample(requests, 1, greedy))

    def theirs() -> int:
        return sum(map(len, generated(loaded, ids, TOKENS)))

    speed: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for number in range(options.rounds + 1):
        for who, write in {"ours": ours, "theirs": theirs}.items():
            found = rate(write)
            if number:  # the first touch of the weights is nobody's
                speed[who].append(found)
    a, b = (median(processor for processor, _ in found) for found in speed.values())
    clock, their_clock = (median(clock for _, clock in found) for found in speed.values())
    what = f"openvino q8_0, {options.shape}, {rows} at once"
    figures = (
        f"{a:.1f} and {b:.1f} tokens a CPU second, {clock:.1f} and {their_clock:.1f} by the clock"
    )
    dtype = str(loaded.model.dtype).removeprefix("torch.")
    machine.say(what, "transformers' generate", a / b, figures, dtype)
    return a / b < BAR


def rate(write: Callable[[], int]) -> tuple[float, float]:
    """Return tokens for each second of the processor and for each by the clock."""
    used, start = time.process_time(), time.perf_counter()
    tokens = write()
    return tokens / (time.process_time() - used), tokens / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
