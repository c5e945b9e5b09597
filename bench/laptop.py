"""LoRA on a laptop: minutes and memory to learn from 13 repairs with a 0.8B model, and to run it.

The model has Qwen3.5-0.8B's shape and random weights (bench/shapes.py); the repairs are of the
world's programs, those nearest to 500 tokens. `train` is `sft.train`, as `selfdebug train sft`
calls it, with a LoRA of rank 8 on q, k, v and o (or what --targets says), two epochs, nothing held
out; `run` loads in bfloat16 and writes a few tokens. Each runs in a process of its own, whose peak
of resident memory is told. Where the processor has no bfloat16, training computes in 32 bits and is
many times as slow. Bars: 3 minutes and 5 GB; 2.2 GB to run.

    python bench/laptop.py train
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import machine, shapes

from selfdebug.backends.transformers.batching import Row
from selfdebug.backends.transformers.drawing import draw
from selfdebug.backends.transformers.loading import load, load_tokenizer
from selfdebug.types import Example, Sampling

SHAPE = "qwen3.5-like-0.8b"
PAIRS, TOKENS = 13, 500
GB = 1e9
BARS = {"train": (180.0, 5.0), "run": (float("inf"), 2.2)}  # seconds, GB


def main() -> None:
    parser = argparse.ArgumentParser(description="LoRA on a laptop.")
    parser.add_argument("verb", choices=("train", "run"))
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--targets", default="q_proj,k_proj,v_proj,o_proj")
    parser.add_argument("--inside", action="store_true", help="the process that is measured")
    options = parser.parse_args()
    model = Path("runs/shapes", SHAPE)
    if options.inside and options.verb == "train":
        train(model, options.pairs, options.epochs, options.targets)
    elif options.inside:
        run(model)
    else:
        if not (model / "tokenizer.json").is_file():  # in a process that is not measured
            subprocess.run([sys.executable, str(shapes.__file__), SHAPE], check=True)
        start = time.perf_counter()
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--inside"], check=True)
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = used.ru_maxrss * 1024 / GB
        say(options, seconds, used.ru_utime + used.ru_stime, peak)
        most_seconds, most = BARS[options.verb]
        sys.exit(seconds > most_seconds or peak > most)


def train(model: Path, pairs: int, epochs: float, targets: str) -> None:
    from selfdebug import sft  # not above: who runs a model loads no trainer

    settings = sft.Settings(
        str(model),
        rank=8,
        targets=targets,
        epochs=epochs,
        held_out=0.0,
        learning_rate=1e-4,
        device="cpu",
    )
    start = time.perf_counter()

    def tell(step: int, steps: int, loss: float) -> None:
        seconds = time.perf_counter() - start
        print(f"step {step} of {steps}: loss {loss:.3f}, {seconds:.0f} s", file=sys.stderr)

    out = model.with_name(f"{SHAPE}-{os.getpid()}")
    sft.train(repairs(model, pairs), out, settings, on_step=tell)


def repairs(model: Path, pairs: int) -> list[Example]:
    """Return the examples of mended programs that are nearest to 500 tokens."""
    from bench.trainers import conversations

    from selfdebug.sft.rows import encode

    tokenizer = load_tokenizer(str(model))
    found = [example for example in islice(conversations(), 4_000) if example.stage == "correct"]
    rows, _ = encode(tokenizer, found, 1 << 20)
    lengths = [len(row.input_ids) for row in rows]
    order = sorted(range(len(found)), key=lambda place: abs(lengths[place] - TOKENS))[:pairs]
    tokens = sum(lengths[place] for place in order)
    replies = sum(label >= 0 for place in order for label in rows[place].labels)
    print(f"{pairs} pairs, {tokens} tokens, {replies} of replies", file=sys.stderr)
    return [found[place] for place in order]


def run(model: Path) -> None:
    loaded = load(str(model), device="cpu", dtype="bfloat16")
    row = Row(list(range(8)), 2, Sampling(temperature=0), "")
    draw(loaded, [row])


def say(options: argparse.Namespace, seconds: float, used: float, peak: float) -> None:
    what = f"{options.verb} {SHAPE}"
    if options.verb == "train":
        what += f", LoRA of rank 8 on {options.targets}"
        what += f", {options.pairs} pairs, {options.epochs:g} epochs"
    figures = f"{seconds / 60:.1f} minutes ({used:.0f} CPU seconds), {peak:.2f} GB at most"
    print(f"| {what} | {figures} | {machine.described()} |")


if __name__ == "__main__":
    main()
