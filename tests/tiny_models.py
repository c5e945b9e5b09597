"""Models of several architectures, small enough to be made in a test, and taught by heart there."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from selfdebug import prompts
from selfdebug.backends.transformers.loading import libraries, prompt_ids

# One thread: for models this small a second one costs more than it brings.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch: Any = pytest.importorskip("torch")

SIZE = {"vocab_size": 640, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
TEXT = ("def first(xs):\n    return xs[0]\n```python\n```\n### Response\nThe program returns a ",)


def write_tokenizer(folder: Path, texts: Sequence[str] = TEXT, template: str = "") -> Any:
    """A byte-level BPE as code models have, with <pad>, <s> and </s>."""
    tokenizers, transformers = libraries("tokenizers", "transformers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=640,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
    if template:
        fast.chat_template = template
    fast.save_pretrained(folder)
    return fast


def configs() -> dict[str, Any]:
    (t,) = libraries("transformers")
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    rope = {**SIZE, **ends, "intermediate_size": 128, "max_position_embeddings": 512}
    return {
        "llama": t.LlamaConfig(**rope, num_key_value_heads=4, tie_word_embeddings=True),
        "qwen2": t.Qwen2Config(**rope, num_key_value_heads=2, tie_word_embeddings=True),
        # StarCoder: learned positions, so a reply may not go on past the end of the context
        "gpt_bigcode": t.GPTBigCodeConfig(
            vocab_size=640, n_positions=512, n_embd=64, n_layer=2, n_head=4, **ends
        ),
        # CodeT5+: an encoder reads the request
        "t5": t.T5Config(
            vocab_size=640, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4,
            decoder_start_token_id=0, pad_token_id=0, eos_token_id=2,
        ),
    }  # fmt: skip


def write_model(folder: Path, architecture: str = "llama", **tokenizer: Any) -> Path:
    """Random weights, the same every time."""
    (t,) = libraries("transformers")
    torch.manual_seed(0)
    config = configs()[architecture]
    kind = t.AutoModelForSeq2SeqLM if config.is_encoder_decoder else t.AutoModelForCausalLM
    kind.from_config(config).save_pretrained(folder)
    write_tokenizer(folder, **tokenizer)
    return folder


def teach(folder: Path, pairs: Sequence[tuple[Any, str]], steps: int = 150) -> None:
    """Train a causal model until it knows the replies to a few conversations by heart."""
    (t,) = libraries("transformers")
    model = t.AutoModelForCausalLM.from_pretrained(folder).train()
    tokenizer = t.AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = tokenizer.chat_template or prompts.CHAT_TEMPLATE
    rows = []
    for messages, reply in pairs:
        asked = prompt_ids(tokenizer, messages)
        said = tokenizer(reply, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        rows.append((asked + said, [-100] * len(asked) + said))
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([i + [0] * (longest - len(i)) for i, _ in rows])
    labels = torch.tensor([i + [-100] * (longest - len(i)) for _, i in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if loss.item() < 0.003:
            break
    model.save_pretrained(folder)
