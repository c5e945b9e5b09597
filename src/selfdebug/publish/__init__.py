"""A trained model as files that other programs read: safetensors, or GGUF for llama.cpp and Ollama.

An adapter is merged into its base. Whichever the format, the folder has a model card, with the
figures of an evaluation where one is given. It trains nothing, measures nothing and uploads
nothing.

    selfdebug export-model runs/sft --to runs/model --format gguf --weights q8_0
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from selfdebug.backends.transformers.loading import Loaded, base_and_adapter, load
from selfdebug.publish import card, gguf, ollama
from selfdebug.store import write_text
from selfdebug.types import SelfdebugError

FORMATS = ("safetensors", "gguf")


def publish(
    name: str,
    to: Path,
    *,
    adapter: str = "",
    form: str = "safetensors",
    weights: str = "q8_0",
    figures: Sequence[Sequence[str]] = (),
) -> list[Path]:
    """Write a model's folder and return its files.

    name, adapter: as for `load`. weights: of a GGUF, one of `gguf.WEIGHTS`. figures: rows of a
    table for the card, its head first. Raises SelfdebugError for an unknown format, a folder that
    holds something already, and a model that the format cannot hold.
    """
    if form not in FORMATS:
        raise SelfdebugError(f"no format {form!r}: there are {', '.join(FORMATS)}")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise SelfdebugError(f"{to} is there already: choose a new folder")
    loaded = load(name, adapter=adapter, device="cpu", dtype="stored")
    base, on_top = base_and_adapter(name, adapter)
    draft = to.with_name(f".{to.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        if form == "gguf":
            _gguf(loaded, draft, weights)
        else:
            loaded.model.save_pretrained(draft)
            loaded.tokenizer.save_pretrained(draft)
        own = Path(on_top or base, "README.md")
        text = own.read_text(encoding="utf-8") if own.is_file() else ""
        write_text(draft / "README.md", card.card(base, on_top, form, text, figures))
        if to.exists():
            to.rmdir()
        draft.replace(to)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return sorted(to.iterdir())


def _gguf(loaded: Loaded, folder: Path, weights: str) -> None:
    gguf.write(loaded, folder / "model.gguf", weights)
    write_text(folder / "Modelfile", ollama.modelfile(loaded, "model.gguf"))
