"""Random weights in the exact published shapes: what a step costs does not depend on the weights.

The settings are those of each model's config.json on the Hugging Face hub, which the machines that
this was written on cannot reach: beside each shape stand the copies that it was compared with, and
what no copy was found of. Each has exactly as many parameters as the published weights. The
vocabulary is the published one and the tokenizer a byte-level BPE
made here, so prompts of a given number of tokens are real and texts are noise; where a text
matters, the model is `forced` to write it.

    python bench/shapes.py                       # the names, with their parameters
    python bench/shapes.py qwen2.5-coder-0.5b    # write runs/shapes/<name>, for any verb's model=
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers as t
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from selfdebug.backends.transformers.loading import Loaded

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
END = "<|im_end|>"
# Of the published weights, and whose weights were counted.
PARAMETERS = {
    "qwen2.5-coder-0.5b": 494_032_768,  # Qwen/Qwen2.5-0.5B; the Coder's card says 0.49B
    "qwen2.5-coder-3b": 3_085_938_688,  # Qwen/Qwen2.5-Coder-3B-Instruct
    "qwen3.5-like-0.8b": 752_393_024,  # Qwen/Qwen3.5-0.8B, without its vision and its draft layers
    "deepseek-coder-1.3b": 1_346_471_936,  # deepseek-ai/deepseek-coder-1.3b-base and -instruct
    "starcoder-1b": 1_137_207_296,  # nuprl/MultiPL-T-StarCoderBase_1b, a tuned copy
    "codet5p-770m": 737_639_424,  # t5-large with 32,100 tokens: unverified
}
ENDS = {"eos_token_id": 1, "pad_token_id": 0, "bos_token_id": None}  # of the tokenizer made here


def llama(  # noqa: PLR0917 - in the order in which tables give them
    config: Any, width: int, layers: int, heads: int, kv: int, inner: int, **others: Any
) -> Any:
    """Return the configuration of a Llama or a model like it. kv: heads of keys and values."""
    return config(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv,
        intermediate_size=inner,
        rms_norm_eps=1e-6,
        **ENDS,
        **others,
    )


def rope(theta: float, kind: str = "default", **others: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **others}}


def shapes() -> dict[str, Any]:
    """Return the configurations by name."""
    # Cards of Qwen/Qwen2.5-Coder-0.5B and -3B: layers, heads, tying, context. Qwen2.5-Coder
    # Technical Report (arXiv 2409.12186), table 1: widths. Vocabulary, rotations: config.json of
    # Qwen/Qwen2.5-0.5B and, for the 3B, of the text model of Qwen/Qwen2.5-Omni-3B.
    qwen = {
        "vocab_size": 151_936, "max_position_embeddings": 32_768, "tie_word_embeddings": True,
        **rope(1_000_000.0),
    }  # fmt: skip
    return {
        "qwen2.5-coder-0.5b": llama(t.Qwen2Config, 896, 24, 14, 2, 4_864, **qwen),
        "qwen2.5-coder-3b": llama(t.Qwen2Config, 2_048, 36, 16, 2, 11_008, **qwen),
        # Qwen/Qwen3.5-0.8B's text model: its config.json in a test of wlejon/brolm, and
        # THUDM/slime, scripts/models/qwen3.5-0.8B.sh. Three layers of linear attention to one of
        # full attention.
        "qwen3.5-like-0.8b": llama(
            t.Qwen3_5TextConfig, 1_024, 24, 8, 2, 3_584,
            vocab_size=248_320, max_position_embeddings=262_144, head_dim=256,
            linear_num_key_heads=16, linear_num_value_heads=16,
            linear_key_head_dim=128, linear_value_head_dim=128, linear_conv_kernel_dim=4,
            tie_word_embeddings=True, **rope(10_000_000.0, partial_rotary_factor=0.25),
        ),
        # deepseek-ai/deepseek-coder-1.3b-instruct's config as a public verl log prints it.
        "deepseek-coder-1.3b": llama(
            t.LlamaConfig, 2_048, 24, 16, 16, 5_504,
            vocab_size=32_256, max_position_embeddings=16_384, tie_word_embeddings=False,
            **rope(100_000.0, "linear", factor=4.0),
        ),
        # bigcode/starcoderbase-1b: the modules as src/blog/lora/index.md of
        # 8bitnand/8bitnand.github.io prints them: 2,304 columns are 16 heads of queries, one of
        # keys and one of values.
        "starcoder-1b": t.GPTBigCodeConfig(
            vocab_size=49_152,
            n_positions=8_192,
            n_embd=2_048,
            n_layer=24,
            n_head=16,
            n_inner=8_192,
            multi_query=True,
            activation_function="gelu_pytorch_tanh",
            **ENDS,
        ),
        # Salesforce/codet5p-770m has CodeT5-large's architecture (salesforce/CodeT5,
        # CodeT5+/README.md), which is t5-large's (google-research/t5x, t5_1_0/large.gin) with
        # 32,100 tokens. No copy of its own config.json was found, and nobody's count of its
        # weights: that the output layer is tied, as T5's is, is unverified.
        "codet5p-770m": t.T5Config(
            vocab_size=32_100,
            d_model=1_024,
            d_kv=64,
            d_ff=4_096,
            num_layers=24,
            num_decoder_layers=24,
            num_heads=16,
            decoder_start_token_id=0,
            eos_token_id=1,
            pad_token_id=0,
        ),
    }  # fmt: skip


def kind(config: Any) -> Any:
    return t.AutoModelForSeq2SeqLM if config.is_encoder_decoder else t.AutoModelForCausalLM


def build(name: str, dtype: Any = torch.bfloat16) -> Any:
    """Return a model of a shape with random weights, the same every time."""
    torch.manual_seed(0)
    config = shapes()[name]
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return kind(config).from_config(config, dtype=dtype).eval()
    finally:
        torch.set_default_dtype(before)


def tokenizer(texts: Iterable[str]) -> Any:
    """Return a byte-level BPE that splits as GPT-2's does, with ChatML's turns."""
    own = Tokenizer(models.BPE())
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", END, "<|im_start|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=8_000, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    own.train_from_iterator(texts, trainer)
    return t.PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token=special[0], eos_token=END, chat_template=CHATML
    )


def loaded(model: Any, own: Any) -> Loaded:
    """Return a model and its tokenizer as the backend loads them."""
    config = model.config.get_text_config()
    context = int(getattr(config, "max_position_embeddings", 0) or 0)
    return Loaded(model, own, "cpu", context, bool(model.config.is_encoder_decoder))


@contextmanager
def forced(model: Any, start: int, reply: Sequence[int]) -> Iterator[None]:
    """Make a model write a reply after `start` tokens of prompt, whatever its weights say.

    The model runs as it is, output layer and all; then the reply's next token is put before all
    others. So speed can be measured where an untrained model would write noise.
    """
    run = model.forward
    table = torch.zeros(start + len(reply) + 1_024, dtype=torch.long)
    table[start - 1 : start - 1 + len(reply)] = torch.tensor(reply)

    @functools.wraps(run)
    def forward(*args: Any, **settings: Any) -> Any:
        out = run(*args, **settings)
        wanted_BT = table[settings["position_ids"]][:, -out.logits.shape[1] :]
        wanted_BT = wanted_BT.expand(out.logits.shape[:2])
        out.logits.scatter_(-1, wanted_BT[..., None], 1e4)
        return out

    model.forward = forward
    try:
        yield
    finally:
        del model.forward


def main() -> None:
    if not sys.argv[1:]:
        for name, config in shapes().items():
            with torch.device("meta"):
                count = kind(config).from_config(config).num_parameters()
            print(f"{name}\t{count / 1e6:,.0f}M parameters")
        return
    for name in sys.argv[1:]:
        folder = Path("runs/shapes", name)
        build(name).save_pretrained(folder)
        tokenizer(path.read_text() for path in Path(__file__).parent.glob("*.py")).save_pretrained(
            folder
        )
        print(folder)


if __name__ == "__main__":
    main()
