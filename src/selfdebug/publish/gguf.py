"""A model as one GGUF file, weights and tokenizer and chat template, as llama.cpp reads it.

Llama-shaped models: Llama, Mistral (DeepSeek-Coder is a Llama) and Qwen2. Matrices are stored as
asked; norms and biases, which are few, in 32 bits. In a q4_0 file the embeddings are q8_0: they are
the output layer too, and cost the most when they are coarse. Needs the extra `gguf`.

    selfdebug export-model runs/sft --to runs/model --format gguf --weights q4_0
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from selfdebug.backends.transformers.loading import Loaded
from selfdebug.publish import tokens
from selfdebug.store import replacing
from selfdebug.types import SelfdebugError

WEIGHTS = ("f16", "q8_0", "q4_0")
KINDS = {"llama": "LLAMA", "mistral": "LLAMA", "qwen2": "QWEN2"}  # config.model_type -> MODEL_ARCH
FILE_TYPES = {"f16": "MOSTLY_F16", "q8_0": "MOSTLY_Q8_0", "q4_0": "MOSTLY_Q4_0"}
BLOCK = 32  # weights that share a scale: a row must be a multiple of it


def write(loaded: Loaded, path: Path, weights: str) -> None:
    """Write a model to a GGUF file. Raises SelfdebugError for one that cannot be written."""
    gguf = library()
    config = loaded.model.config
    if weights not in WEIGHTS:
        raise SelfdebugError(f"no weights {weights!r}: there are {', '.join(WEIGHTS)}")
    if config.model_type not in KINDS:
        known = ", ".join(KINDS)
        raise SelfdebugError(f"GGUF is written for {known}; this is a {config.model_type} model")
    kind = gguf.MODEL_ARCH[KINDS[config.model_type]]
    with replacing(path) as draft:
        writer = gguf.GGUFWriter(draft, gguf.MODEL_ARCH_NAMES[kind])
        _settings(gguf, writer, config)
        writer.add_file_type(gguf.LlamaFileType[FILE_TYPES[weights]])
        tokens.write(writer, loaded.tokenizer, config.vocab_size)
        names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
        tied = bool(config.tie_word_embeddings)
        for name, tensor in loaded.model.state_dict().items():
            if tied and name.startswith("lm_head."):
                continue
            kept = tensor if config.model_type == "qwen2" else _interleaved(name, tensor, config)
            number = gguf.GGMLQuantizationType[_type(name, tensor, weights).upper()]
            values = gguf.quants.quantize(kept.float().numpy(), number)
            ours = names.get_name(name, try_suffixes=(".weight", ".bias"))
            writer.add_tensor(ours, values, raw_dtype=number)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def library() -> Any:
    """Import the gguf package, or say how to get it."""
    try:
        return import_module("gguf")
    except ImportError as error:
        raise SelfdebugError("GGUF needs gguf: pip install 'selfdebug[gguf]'") from error


def _settings(gguf: Any, writer: Any, config: Any) -> None:
    """Write what the model's shape is."""
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    rope = config.rope_parameters
    writer.add_name(Path(config._name_or_path).name or config.model_type)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(size)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif rope["rope_type"] != "default":
        raise SelfdebugError(f"GGUF is not written for positions of type {rope['rope_type']!r}")


def _interleaved(name: str, tensor: Any, config: Any) -> Any:
    """Return queries and keys as Llama's own code has them: the two halves of a head by turns.

    transformers keeps the halves apart, and llama.cpp turns neighbours.
    """
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    found = next((number for part, number in heads.items() if f".{part}." in name), 0)
    if not found:
        return tensor
    return tensor.unflatten(0, (found, 2, -1)).transpose(1, 2).flatten(0, 2)


def _type(name: str, tensor: Any, weights: str) -> str:
    """Return how a tensor is stored."""
    if tensor.ndim == 1:
        return "f32"
    if tensor.shape[-1] % BLOCK:
        return "f16"
    vocabulary = name.endswith(("embed_tokens.weight", "lm_head.weight"))
    return "q8_0" if vocabulary and weights == "q4_0" else weights
