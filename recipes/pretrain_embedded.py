"""Rebuild the embedded base model: a small Llama that writes, copies and mends world programs.

    python -m recipes.pretrain_embedded prepare --out runs/embedded
    selfdebug inject world:train --out runs/embedded/bugs --total 12000
    python -m recipes.pretrain_embedded train --out runs/embedded --until 18:25
    python -m recipes.pretrain_embedded train --out runs/embedded --until 18:40 --unchanged 0.5
    python -m recipes.pretrain_embedded export --out runs/embedded --unchanged 0.5

It first learns to use feedback, then, as from text that people wrote, mostly not to: half of the
replies of the last stretch repeat the wrong program. What it knows, training can bring out.
Killed at any moment, the same command goes on. `--until` is a time of the day, `--steps` a number
of steps instead; the learning rate falls over the last half of either. Start again with a nearer
budget, and the decay begins at once. `--device cuda` does the same on a GPU; on two cores two
processes (`recipes.embedded.parallel`) do 1.5 times as much in the time. `--base FOLDER` goes
on from a model that is there, such as the one that is shipped.
"""

from __future__ import annotations

import argparse
import datetime
import os
from pathlib import Path
from typing import Any

# Threads that wait must sleep: others work on this machine. It is read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from recipes.embedded import documents, network, parallel, probes, training, vocabulary
from recipes.embedded.export import export
from recipes.embedded.tokens import Reader

TASKS, HELD_OUT = 20_000, 480
SHIPPED = Path(__file__).parents[1] / "src" / "selfdebug" / "models" / "embedded"
BUGS = "bugs"  # the folder of `selfdebug inject` inside the run's


def main() -> None:
    """Run one verb."""
    parser = argparse.ArgumentParser(description="Rebuild the embedded base model.")
    parser.add_argument("verb", choices=("prepare", "train", "probe", "export"))
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--tasks", type=int, default=TASKS, help="prepare: training tasks")
    parser.add_argument("--workers", type=int, default=2, help="prepare: sandbox workers")
    parser.add_argument("--steps", type=int, default=0, help="train: end after so many steps")
    parser.add_argument("--until", default="", help="train: end at this time of the day, HH:MM")
    parser.add_argument("--count", type=int, default=probes.COUNT, help="documents of a probe")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--base", type=Path, help="train: a model to go on from")
    told = "train, export: share of the corrections that keep the wrong program"
    parser.add_argument("--unchanged", type=float, default=documents.UNCHANGED, help=told)
    parser.add_argument("--no-induction", action="store_true", help="train: start from noise")
    parser.add_argument("--to", type=Path, default=SHIPPED, help="export: the model's folder")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.verb == "prepare":
        documents.prepare(options.out, "test", HELD_OUT, options.workers)
        documents.prepare(options.out, "train", options.tasks, options.workers)
        return
    import torch

    torch.set_num_threads(options.threads)
    held_out = documents.read(options.out, "test")
    parallel.join()
    with parallel.first_goes_ahead():
        tokenizer = _tokenizer(options.out, options.base)
        model = _model(options.out, len(tokenizer), options.base, not options.no_induction)
    watched = probes.sets(Reader(tokenizer, held_out), held_out, options.count)
    if options.verb == "train":
        bugs = options.out / BUGS
        corpus = documents.read(options.out, "train", bugs if bugs.exists() else None)
        training.train(
            model,
            Reader(tokenizer, corpus, options.unchanged).draw,
            options.out,
            training.Budget(options.steps, _moment(options.until)),
            lambda model: probes.measure(model, watched, options.device),
            device=options.device,
            on_log=_print,
        )
        return
    state = training.restore(model, options.out)
    figures = probes.measure(model, watched)
    _print({"tokens": state.tokens, **figures})
    if options.verb == "export":
        export(model, tokenizer, state, figures, options.to, unchanged=options.unchanged)


def _model(folder: Path, vocabulary: int, start: Path | None, induction: bool) -> Any:
    """Return the run's model: of the shape that it began with, if its weights were saved."""
    if (folder / training.CHECKPOINT).exists():
        return network.shaped(folder)
    model = network.load(start) if start else network.build(vocabulary, induction=induction)
    model.config.save_pretrained(folder)
    return model


def _tokenizer(folder: Path, start: Path | None) -> Any:
    """Return the run's tokenizer: the start's, or one that is trained once, on prepared texts."""
    from transformers import AutoTokenizer

    if start is not None and not (folder / "tokenizer").exists():
        AutoTokenizer.from_pretrained(start).save_pretrained(folder / "tokenizer")
    if not (folder / "tokenizer").exists():
        vocabulary.trained(documents.texts(folder)).save_pretrained(folder / "tokenizer")
    return AutoTokenizer.from_pretrained(folder / "tokenizer")


def _moment(text: str) -> float:
    """Return the next moment at which the clock shows "HH:MM", in seconds since the epoch."""
    if not text:
        return 0.0
    now = datetime.datetime.now()
    hour, minute = map(int, text.split(":"))
    moment = now.replace(hour=hour, minute=minute, second=0)
    return (moment if moment > now else moment + datetime.timedelta(days=1)).timestamp()


def _print(row: dict[str, float]) -> None:
    figures = [f"{name} {value:.4g}" for name, value in row.items()]
    print(datetime.datetime.now().strftime("%H:%M:%S"), *figures, flush=True)


if __name__ == "__main__":
    main()
