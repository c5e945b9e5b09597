"""The embedded model's shape, and an initialisation in which it copies before it is trained.

A plain Llama with biases, which the circuit needs on its queries and keys (not a Qwen2, for which
transformers 5 replaces any tokenizer by its own). Its first two layers begin as the induction
circuit that trained transformers find for themselves (Olsson et al. 2022, "In-context Learning and
Induction Heads"), written into the initial weights in the manner of mimetic initialisation
(Trockman & Kolter 2023, arXiv 2305.09828): small models otherwise need some 10M tokens until they
copy. It builds; it trains nothing.

    python -c "from recipes.embedded import network; print(network.build(1024).num_parameters())"
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 192, 5, 6, 512, 1_024
HEAD = WIDTH // HEADS  # 32
ROPE_THETA = 1e8  # long: two thirds of a head's dimensions tell content apart at any distance
TOKEN = 128  # dimensions of the stream that hold the token; the others hold those before it
# How many tokens back the circuit compares, a head of the first layer for each. With three of them
# 92% of the programs were copied after 22M tokens, and what failed wanted a longer look back.
BACK = HEADS
SLOT = 5  # dimensions for each token that is compared
SHARP = 9.0  # size of the position biases: the wanted position then weighs e^7 : 1 or more
GAIN = 60.0  # what a matching token scores in favour of a place
FADING = 0.9  # of that, for each token further back
NORM = math.sqrt(WIDTH)  # of a normalised vector
COPY = 10.0  # how strongly the copied token is written over the current one


def build(vocabulary: int, *, induction: bool = True, seed: int = 0) -> Any:
    """Return a LlamaForCausalLM with random weights, or with the copying circuit in them."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=True,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
        attention_bias=True,
    )
    model = _frozen(LlamaForCausalLM(config))
    if induction:
        with torch.no_grad():
            _write_circuit(model)
    return model


def load(folder: Path) -> Any:
    """Return a folder's model in 32 bits, to train on."""
    import torch
    from transformers import LlamaForCausalLM

    return _frozen(LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32))


def shaped(folder: Path) -> Any:
    """Return a model of the shape that a folder's config.json tells, its weights to be restored."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return _frozen(LlamaForCausalLM(LlamaConfig.from_pretrained(folder)))


def _frozen(model: Any) -> Any:
    for layer in model.model.layers:  # Llama has one bias more than is used here
        layer.self_attn.o_proj.bias.data.zero_()
        layer.self_attn.o_proj.bias.requires_grad_(False)
    return model


def _write_circuit(model: Any) -> None:
    """Write an induction circuit into layers 0 and 1; the layers above begin as they were.

    Layer 0, head h looks h + 1 tokens back, by position alone, and writes SLOT dimensions of what
    it finds there into slot h. Layer 1 looks for the place whose slots 0, 1, 2, ... hold what the
    current token, slot 0, slot 1, ... are here, and copies the token that stands there.
    """
    import torch

    embedding = model.model.embed_tokens.weight
    embedding.zero_()
    embedding[:, :TOKEN] = torch.randn(len(embedding), TOKEN)
    embedding /= embedding.norm(dim=1, keepdim=True)  # a token's logit for itself is then 16
    mark = _rows_orthonormal(SLOT, TOKEN)  # what is compared of a token

    first, second = model.model.layers[0], model.model.layers[1]
    for layer in (first, second):
        layer.mlp.down_proj.weight.mul_(0.1)
    attention = first.self_attn
    half = HEAD // 2
    angles = ROPE_THETA ** (-torch.arange(half) / half)
    for head in range(BACK):
        rows = slice(head * HEAD, (head + 1) * HEAD)
        for name in ("q_proj", "k_proj", "v_proj"):
            getattr(attention, name).weight[rows] *= 0.02
        fast = torch.zeros(half)
        fast[:6] = SHARP
        # A query turned back by head + 1 positions meets its key there, and only there.
        back = -(head + 1) * angles
        attention.k_proj.bias[rows] = torch.cat([fast, torch.zeros(half)])
        attention.q_proj.bias[rows] = torch.cat([fast * back.cos(), fast * back.sin()])
        start = TOKEN + head * SLOT
        attention.v_proj.weight[head * HEAD : head * HEAD + SLOT, :TOKEN] = mark
        attention.o_proj.weight[:, rows] = 0.0
        slot, found = slice(start, start + SLOT), slice(head * HEAD, head * HEAD + SLOT)
        attention.o_proj.weight[slot, found] = torch.eye(SLOT) / NORM

    attention = second.self_attn
    slow = _slow_dimensions()
    for head in range(TOKEN // HEAD):  # each copies a part of the token
        rows = slice(head * HEAD, (head + 1) * HEAD)
        for name in ("q_proj", "k_proj", "v_proj"):
            getattr(attention, name).weight[rows] = 0.0
        # A full match of what is read of one token, NORM^2 SLOT / TOKEN, then scores GAIN.
        scale = math.sqrt(GAIN * math.sqrt(HEAD) / (NORM**2 * SLOT / TOKEN))
        for back in range(BACK):
            weight = scale * FADING**back
            for at in range(SLOT):
                row = head * HEAD + slow[back * SLOT + at]
                attention.k_proj.weight[row, TOKEN + back * SLOT + at] = weight
                if back == 0:
                    attention.q_proj.weight[row, :TOKEN] = mark[at] * weight
                else:
                    attention.q_proj.weight[row, TOKEN + (back - 1) * SLOT + at] = weight
        part = slice(head * HEAD, (head + 1) * HEAD)
        attention.v_proj.weight[rows, part] = torch.eye(HEAD)
        attention.o_proj.weight[:, rows] = 0.0
        attention.o_proj.weight[part, rows] = COPY * torch.eye(HEAD) / NORM


def _slow_dimensions() -> list[int]:
    """Return the dimensions of a head that hardly turn with distance, in pairs, slowest first."""
    half = HEAD // 2
    return [dim for pair in reversed(range(half)) for dim in (pair, pair + half)][: BACK * SLOT]


def _rows_orthonormal(rows: int, columns: int) -> Any:
    import torch

    return torch.linalg.qr(torch.randn(columns, rows))[0].T
