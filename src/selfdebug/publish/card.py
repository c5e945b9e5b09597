"""The card of a published model: where it comes from, what is in the folder, what it can do.

python -c "from selfdebug.publish.card import card; help(card)"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

USE = {
    "safetensors": (
        "selfdebug eval demo --backend transformers --option model=THIS_FOLDER --out runs/demo",
    ),
    "gguf": (
        "llama-server -m model.gguf --port 8080   # then, elsewhere:",
        "selfdebug eval demo --backend openai --option base_url=http://localhost:8080/v1 \\",
        "    --option model=model.gguf --out runs/demo",
        "ollama create NAME -f Modelfile",
    ),
}


def card(base: str, adapter: str, form: str, own: str, figures: Sequence[Sequence[str]]) -> str:
    """Return the card as Markdown.

    form: a key of USE. own: the model's card so far, which is kept below.
    """
    return "\n".join(_lines(base, adapter, form, own, figures)) + "\n"


def _lines(
    base: str, adapter: str, form: str, own: str, figures: Sequence[Sequence[str]]
) -> Iterator[str]:
    front, body = _parts(own)
    yield "---"
    yield from (line for line in front if not line.startswith("library_name:"))
    yield f"library_name: {'gguf' if form == 'gguf' else 'transformers'}"
    yield from ("---", "", f"# {base}, to write and mend programs", "")
    merged = f", with the adapter {adapter} merged into it" if adapter else ""
    yield f"{base}{merged}, as {form}; written by `selfdebug export-model`. Nobody reads a reply"
    yield "before it runs: judge its programs in a sandbox, as `selfdebug` does."
    yield from ("", "## Use", "", "```", *USE[form], "```")
    yield from ("", "## Evaluation", "")
    if not figures:
        yield "None was given (`--evaluation RUN`): nothing is known of what this model can do."
    for number, row in enumerate(figures):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield "|---" * len(row) + "|"
    if body:
        yield from ("", "## The card that it had", "", body)


def _parts(own: str) -> tuple[list[str], str]:
    """Return a card's front matter and its text."""
    if not own.startswith("---\n"):
        return [], own.strip()
    front, _, body = own[4:].partition("\n---")
    return front.splitlines(), body.strip()
