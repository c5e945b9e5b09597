"""The folder of a model in training: claimed by its settings, resumed, saved whole.

Every trainer keeps the same promises: a folder is made with one set of settings and data, a run
that was killed at any moment goes on from its last whole checkpoint, and a model's folder is there
only when it is complete. The card, README.md, is written last. It trains nothing.

    python -c "from selfdebug.modelfolder import last_checkpoint; help(last_checkpoint)"
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from selfdebug import config
from selfdebug.backends.transformers.loading import libraries
from selfdebug.store import write_text
from selfdebug.types import SelfdebugError

EVERY_LINEAR = "all-linear"  # PEFT's name for every linear layer but the head


def claim(out: Path, settings: Any, about: Mapping[str, Any]) -> None:
    """Write run.toml, or refuse a folder that was made with other settings or other data."""
    path, table = out / "run.toml", {**config.as_table(settings), **about}
    if not path.exists():
        write_text(path, config.to_toml({"settings": table, **config.describe()}))
        return
    before = config.read_run(path).get("settings", {})
    for name in table.keys() | before.keys():
        given = table.get(name)
        if isinstance(given, tuple):  # TOML gives lists back
            given = list(cast("tuple[Any, ...]", given))
        if given != before.get(name):
            raise SelfdebugError(
                f"{out} was trained with {name} = {before.get(name)!r}, not {given!r}: "
                "choose another folder"
            )


def is_done(out: Path) -> bool:
    """Tell whether the card, which is written last, is there."""
    return (out / "README.md").is_file()


def last_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that is whole: the trainer's state is written last."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name.split("-")[1]))
    for path in found:
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # killed while it was written
        return str(path)
    return None


def save(model: Any, tokenizer: Any, folder: Path, **options: Any) -> None:
    """Save a model so that its folder is there only when it is whole."""
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    model.save_pretrained(draft, **options)
    tokenizer.save_pretrained(draft)
    draft.rename(folder)


def durable(name: str, base: str) -> str:
    """Return how an adapter names its base: a folder of one's own in full, else as it was given."""
    return str(Path(base).resolve()) if Path(name).is_dir() else name


def lora(model: Any, rank: int, targets: str = EVERY_LINEAR) -> Any:
    """Return PEFT's configuration of an adapter; targets: names of layers, joined by commas.

    Raises SelfdebugError for a name that no linear layer of the model has.
    """
    torch, peft = libraries("torch", "peft")
    layers = targets if targets == EVERY_LINEAR else targets.split(",")
    linear = {
        name.rpartition(".")[2]
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear)
    }
    if isinstance(layers, list) and (wrong := [name for name in layers if name not in linear]):
        known = ", ".join(sorted(linear))
        raise SelfdebugError(f"the model has no linear layer {wrong[0]!r}; it has {known}")
    return peft.LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules=layers, task_type="CAUSAL_LM"
    )


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a curve's file; none where there is no file."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
