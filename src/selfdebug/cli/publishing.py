"""The verb that writes a trained model as files for other programs.

selfdebug export-model runs/sft --to runs/model --format gguf
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from selfdebug.cli.printing import say
from selfdebug.cli.verbs import app

ModelName = Annotated[
    str, Argument(help="A folder of a model or an adapter, a Hugging Face name, a shipped model.")
]
To = Annotated[Path, Option(help="A new folder.")]
Adapter = Annotated[str, Option(help="A PEFT adapter to merge into the model.")]
Format = Annotated[str, Option("--format", help="safetensors or gguf (llama.cpp, Ollama).")]
Weights = Annotated[str, Option(help="Of a GGUF: f16, q8_0 or q4_0.")]
Evaluated = Annotated[
    Path | None, Option("--evaluation", help="The folder of an `eval` for the card.")
]


@app.command("export-model")
def export_model(
    model: ModelName,
    to: To,
    adapter: Adapter = "",
    form: Format = "safetensors",
    weights: Weights = "q8_0",
    evaluation: Evaluated = None,
) -> None:
    """Write a model with its adapter merged, its tokenizer and a card."""
    from selfdebug.interfaces.publishing import figures_of
    from selfdebug.publish import publish

    figures = figures_of(evaluation) if evaluation else []
    for path in publish(model, to, adapter=adapter, form=form, weights=weights, figures=figures):
        say(str(path))
