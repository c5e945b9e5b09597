"""A byte-level BPE tokenizer as llama.cpp wants it: tokens, their types, merges, and how it splits.

llama.cpp has the patterns that split a text built in, each under a name; a tokenizer with another
pattern would read other tokens than it was trained on, and is refused. Sentence-piece vocabularies
are not written.

    python -c "from selfdebug.publish.tokens import splitter; help(splitter)"
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from selfdebug.types import SelfdebugError

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # llama.cpp's token types

QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA_3 = QWEN.replace(r"\p{N}| ?", r"\p{N}{1,3}| ?")
# What a tokenizer.json says of splitting -> llama.cpp's name for it.
SPLITTERS: dict[tuple[str, ...], str] = {
    ("ByteLevel regex",): "gpt-2",
    ("Digits", "ByteLevel regex"): "starcoder",
    (QWEN, "ByteLevel"): "qwen2",
    (LLAMA_3, "ByteLevel"): "llama-bpe",
    (
        "[\r\n]",
        r"\s?\p{L}+",
        r"\s?\p{P}+",
        "[一-龥ࠀ-一가-퟿]+",
        "Digits",
        "ByteLevel",
    ): "deepseek-coder",
}


def splitter(tokenizer: Mapping[str, Any]) -> str:
    """Return llama.cpp's name for how a tokenizer.json splits a text before it merges.

    Raises SelfdebugError for one that llama.cpp does not know.
    """
    if tokenizer["model"]["type"] != "BPE" or tokenizer.get("normalizer") not in (
        None,
        {"type": "NFC"},
        {"type": "Sequence", "normalizers": []},
    ):
        raise SelfdebugError("GGUF is written for byte-level BPE tokenizers without a normalizer")
    said: Mapping[str, Any] = tokenizer["pre_tokenizer"] or {}
    steps: Sequence[Mapping[str, Any]] = said.get("pretokenizers", [said])
    found = SPLITTERS.get(tuple(map(_step, steps)))
    if found is None:
        raise SelfdebugError(
            "llama.cpp has no pattern that splits texts as this model's tokenizer does, so it "
            "would read other tokens: use --format safetensors"
        )
    return found


def _step(step: Mapping[str, Any]) -> str:
    kind = str(step.get("type"))
    if kind == "Split":
        pattern: Mapping[str, str] = step["pattern"]
        return pattern.get("Regex", "")
    if kind == "ByteLevel":
        if step["add_prefix_space"]:
            return "prefix"
        return "ByteLevel regex" if step["use_regex"] else "ByteLevel"
    return kind if kind != "Digits" or step["individual_digits"] else "groups of digits"


def write(writer: Any, tokenizer: Any, size: int) -> None:
    """Write a tokenizer's fields. size: tokens that the model has, which may be more."""
    described: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitter(described))
    texts = {number: text for text, number in tokenizer.get_vocab().items()}
    added = {token["id"]: token["special"] for token in described["added_tokens"]}
    types = dict.fromkeys(texts, NORMAL)
    types |= {number: CONTROL if special else USER_DEFINED for number, special in added.items()}
    rows = range(max(size, len(texts)))
    writer.add_token_list([texts.get(number, f"[unused{number}]") for number in rows])
    writer.add_token_types([types.get(number, UNUSED) for number in rows])
    merges = described["model"]["merges"]
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    ends = {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id}
    for name, number in {**ends, "pad": tokenizer.pad_token_id}.items():
        if number is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    # A template writes the conversation's first token itself, if there is one.
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)
