"""A model and its tokenizer from a folder or the Hugging Face hub, with one line for what is wrong.

It loads causal and encoder-decoder models, and PEFT adapters on top of them, and renders
conversations for them. It samples nothing and trains nothing; `sft` loads by it too, so that a
model is trained on exactly the tokens that it will read.

    python -c "from selfdebug.backends.transformers.loading import load; help(load)"
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from selfdebug import offline, prompts
from selfdebug.types import SelfdebugError

SHIPPED = Path(__file__).parents[2] / "models"  # models that are part of the package
SMALL = 100_000_000  # parameters, below which a CPU computes as fast in 32 bits
DTYPES = ("auto", "float32", "bfloat16", "float16")


def libraries(*names: str) -> list[Any]:
    """Import the libraries of the extra `train`, quiet, private and fit for a busy machine."""
    # Threads that spin while they wait take the cores from the sandbox's workers.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        found = [import_module(name) for name in names]
        logging = import_module("transformers.utils.logging")
    except ImportError as error:
        raise SelfdebugError(
            f"models need torch and transformers ({error}): pip install 'selfdebug[train]'"
        ) from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return found


@functools.cache
def library(name: str) -> Any:
    """Import one of them, where it is asked for with every token."""
    return libraries(name)[0]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in evaluation mode. context: tokens that it can read and write; 0: no limit."""

    model: Any
    tokenizer: Any
    device: str
    context: int
    is_encoder_decoder: bool


def load(name: str, *, adapter: str = "", device: str = "auto", dtype: str = "auto") -> Loaded:
    """Load a model: a folder (of a model or of an adapter), a hub name, or a shipped model's name.

    dtype "stored": as the weights are. "auto": the same, but on a CPU 32 bits for a small model, or
    where the processor has no bfloat16, and else bfloat16 for 16 bits. An adapter is merged into
    its base.
    """
    (torch,) = libraries("torch")
    device = chosen_device(device)
    base, adapter = base_and_adapter(name, adapter)
    model = load_model(base)
    tokenizer = load_tokenizer(_own_tokenizer(adapter) or base)
    if adapter:
        model = attach(model, adapter).merge_and_unload()
    # Cast after merging, which rounds otherwise.
    model = model.to(device=device, dtype=_dtype(torch, model, dtype, device)).eval()
    text_config = model.config.get_text_config()
    context = int(getattr(text_config, "max_position_embeddings", 0) or 0)
    return Loaded(model, tokenizer, device, context, bool(model.config.is_encoder_decoder))


def chosen_device(device: str) -> str:
    """Return a torch device: "auto" is a GPU where there is one."""
    (torch,) = libraries("torch")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SelfdebugError(f"device {device!r}: torch sees no GPU here; use cpu or auto")
    return device


def base_and_adapter(name: str, adapter: str = "") -> tuple[str, str]:
    """Return (model, adapter or ""): an adapter's folder knows the model that it changes."""
    place = located(name)
    if (Path(place) / "adapter_config.json").is_file():
        if adapter:
            raise SelfdebugError(f"{name} is an adapter: it takes no other adapter on top")
        return base_of(place), place
    return place, located(adapter) if adapter else ""


def base_of(adapter: str) -> str:
    """Return the model that an adapter's folder says it was trained on."""
    path = Path(adapter, "adapter_config.json")
    try:
        said: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SelfdebugError(f"cannot read {path}: {error}") from error
    base = str(said.get("base_model_name_or_path") or "")
    if not base:
        raise SelfdebugError(f"{path} does not say base_model_name_or_path, the model it changes")
    return located(base)


def located(name: str) -> str:
    """Return the folder of a local or shipped model, or the hub's name as it is."""
    if Path(name).is_dir():
        return name
    if "/" not in name and (SHIPPED / name).is_dir():
        return str(SHIPPED / name)
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise SelfdebugError(f"no model at {name}: no such folder")
    return name


def load_model(place: str, dtype: str = "auto") -> Any:
    """Load a causal or an encoder-decoder model's weights; dtype "auto": as they are stored."""
    (transformers,) = libraries("transformers")
    if Path(place).is_dir() and not Path(place, "config.json").is_file():
        raise SelfdebugError(f"{place} holds no model: there is no config.json in it")
    config = _tried(place, lambda: transformers.AutoConfig.from_pretrained(place))
    kind = "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else "AutoModelForCausalLM"
    loader = getattr(transformers, kind)
    return _tried(place, lambda: loader.from_pretrained(place, config=config, dtype=dtype))


def load_tokenizer(place: str) -> Any:
    """Load a tokenizer; one without a chat template gets `prompts.CHAT_TEMPLATE`."""
    (transformers,) = libraries("transformers")
    tokenizer = _tried(place, lambda: transformers.AutoTokenizer.from_pretrained(place))
    if tokenizer.eos_token_id is None:
        raise SelfdebugError(f"the tokenizer of {place} has no end-of-text token: replies need one")
    if not tokenizer.chat_template:
        tokenizer.chat_template = prompts.CHAT_TEMPLATE
    return tokenizer


def attach(model: Any, adapter: str, *, trainable: bool = False) -> Any:
    """Put an adapter onto its model."""
    (peft,) = libraries("peft")
    return _tried(
        adapter,
        lambda: peft.PeftModel.from_pretrained(model, adapter, is_trainable=trainable),
    )


def prompt_ids(
    tokenizer: Any, messages: Sequence[Mapping[str, str]], *, is_encoder_decoder: bool = False
) -> list[int]:
    """Return the token ids of a conversation up to where the model's reply begins."""
    text = tokenizer.apply_chat_template(
        [dict(message) for message in messages], tokenize=False, add_generation_prompt=True
    )
    # A template of the model's own writes its special tokens itself.
    plain = tokenizer.chat_template == prompts.CHAT_TEMPLATE or is_encoder_decoder
    ids: list[int] = tokenizer(text, add_special_tokens=plain)["input_ids"]
    ends = not is_encoder_decoder and ids and ids[-1] == tokenizer.eos_token_id
    return ids[:-1] if ends and plain else ids  # an end before the reply would end the reply


def has_bfloat16(torch: Any, device: str) -> bool:
    """Tell whether the processor has instructions for bfloat16.

    Without them a product takes some 200 times as long as in float32 (measured on AVX2).
    """
    if device == "cpu":
        found = torch.cpu.get_capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return bool(torch.cuda.is_bf16_supported())


def trains_in_bfloat16(torch: Any, model: Any, device: str) -> bool:
    """Tell whether training multiplies in bfloat16; the weights may stay in 32 bits.

    On a CPU a small model is run in float32, and is trained in what it is run in: otherwise the
    policy that samples is not quite the one whose likelihoods are learned from.
    """
    small_on_cpu = device == "cpu" and model.num_parameters() < SMALL
    return not small_on_cpu and has_bfloat16(torch, device)


def _own_tokenizer(adapter: str) -> str:
    return adapter if adapter and Path(adapter, "tokenizer_config.json").is_file() else ""


def _dtype(torch: Any, model: Any, wanted: str, device: str) -> Any:
    if wanted == "stored":
        return model.dtype
    if wanted != "auto":
        return getattr(torch, wanted)
    if device != "cpu" or model.dtype == torch.float32:
        return model.dtype
    # CPUs have no fast 16-bit float but bfloat16, and many not that one.
    small = model.num_parameters() < SMALL
    return torch.bfloat16 if has_bfloat16(torch, device) and not small else torch.float32


def _tried(place: str, load: Any) -> Any:
    """Load something; the libraries' long texts become one line."""
    try:
        return load()
    except (OSError, ValueError, KeyError, ImportError) as error:
        if offline.wanted() and not Path(place).exists():
            raise SelfdebugError(
                f"there is no folder {place}, and --offline forbids fetching a model from the hub"
            ) from error
        said = " ".join(str(error).split())[:200]
        raise SelfdebugError(f"cannot load {place}: {said}") from error
