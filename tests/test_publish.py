"""Published models: what llama.cpp reads is what transformers reads, and says the same."""

import json
import subprocess
import sys
from itertools import islice

import pytest

import llama_cpp
import tiny_models
from selfdebug import prompts
from selfdebug.backends.transformers import loading
from selfdebug.benchmarks import world
from selfdebug.models import EMBEDDED
from selfdebug.publish import card, ollama, publish, tokens
from selfdebug.types import Request, SelfdebugError
from tiny_models import torch

pytest.importorskip("gguf", reason="no gguf: pip install 'selfdebug[gguf]'")
CHATML = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
ASKED = 100  # of twenty, two near-ties are a tenth; it depends on the processor which they are
TEXTS = (
    "def first(xs):\n    return xs[0]  # é ü 123 'tis\n\n\tx=={} ```python\n```\n",
    "  two  spaces\r\n\r\nI'll we've 12345 日本語 <|user|> and The program crashes. Twice",
    "",
)


def written(tmp_path, model, weights="f16", **settings):
    publish(str(model), tmp_path / weights, form="gguf", weights=weights, **settings)
    return tmp_path / weights / "model.gguf"


def greedy(model, ids, count):
    with torch.inference_mode():
        out = model.generate(
            torch.tensor([ids]), max_new_tokens=count, do_sample=False, pad_token_id=0
        )
    return out[0, len(ids) :].tolist()


def conversations():
    """Of held-out tasks, by turns to be written and to be left as they are."""
    for number, task in enumerate(islice(world.load("test"), ASKED)):
        right = Request(task, "refine", task.reference, "No visible test fails.")
        yield prompts.messages(right if number % 2 else Request(task, "generate"))


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "least"), [("f16", 1.0), ("q8_0", 0.95)])
def test_llama_cpp_says_what_transformers_says(weights, least, tmp_path):
    """The shipped model's greedy text; a toy's is often a tie, which any rounding breaks."""
    loaded = loading.load(str(EMBEDDED))
    asked = list(conversations())
    prompts_ids = [loading.prompt_ids(loaded.tokenizer, messages) for messages in asked]
    ours = [greedy(loaded.model, ids, 32) for ids in prompts_ids]
    texts = [loaded.tokenizer.decode(ids, skip_special_tokens=True) for ids in ours]
    assert len(set(texts)) > ASKED / 2
    with llama_cpp.served(written(tmp_path, EMBEDDED, weights)) as address:
        found = [
            llama_cpp.ask(
                address, "/v1/chat/completions", messages=messages, temperature=0, max_tokens=32
            )["choices"][0]["message"]["content"]
            for messages in asked
        ]
    # Servers take white space off the ends.
    same = sum(a.strip() == b.strip() for a, b in zip(found, texts, strict=True))
    assert same >= least * ASKED


def added(tokenizer):
    """As the embedded model's: whole sentences that are one token."""
    from tokenizers import AddedToken

    tokenizer.add_tokens([AddedToken("The program crashes.", normalized=False)])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|user|>", "<|assistant|>"]})


@pytest.mark.parametrize("kind", ["gpt-2", "qwen2", "llama-bpe", "starcoder"])
def test_llama_cpp_reads_a_text_as_the_same_tokens(kind, tmp_path):
    model = tiny_models.write_model(tmp_path / "m", "qwen2", template=CHATML)
    tokenizer = loading.load_tokenizer(str(model))
    described = json.loads(tokenizer.backend_tokenizer.to_str())
    described["pre_tokenizer"] = splitting(kind)
    (tmp_path / "m" / "tokenizer.json").write_text(json.dumps(described))
    tokenizer = loading.load_tokenizer(str(model))
    added(tokenizer)
    tokenizer.save_pretrained(model)
    resized = loading.load_model(str(model))
    resized.resize_token_embeddings(len(tokenizer))
    resized.save_pretrained(model)
    with llama_cpp.served(written(tmp_path, model)) as address:
        for text in TEXTS:
            found = llama_cpp.ask(address, "/tokenize", content=text, parse_special=True)
            wanted = tokenizer(text, add_special_tokens=False)["input_ids"]
            assert found["tokens"] == wanted


def splitting(kind):
    """The part of a tokenizer.json that llama.cpp has this name for."""
    steps = next(steps for steps, name in tokens.SPLITTERS.items() if name == kind)
    known = {
        "Digits": {"type": "Digits", "individual_digits": True},
        "ByteLevel": byte_level(False),
        "ByteLevel regex": byte_level(True),
    }
    split = {"type": "Split", "behavior": "Isolated", "invert": False}
    parts = [known.get(s) or {**split, "pattern": {"Regex": s}} for s in steps]
    return {"type": "Sequence", "pretokenizers": parts}


def byte_level(regex):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True} | {
        "use_regex": regex
    }


def test_a_tokenizer_that_llama_cpp_would_read_otherwise_is_refused():
    own = {"model": {"type": "BPE"}, "pre_tokenizer": {"type": "Whitespace"}}
    with pytest.raises(SelfdebugError, match=r"no pattern that splits texts .*safetensors"):
        tokens.splitter(own)


def test_the_embedded_model_s_tokenizer_is_one_that_llama_cpp_reads():
    vocabulary = pytest.importorskip("recipes.embedded.vocabulary")
    own = vocabulary.trained(["def first(xs):\n    return xs[0]\n"])
    assert tokens.splitter(json.loads(own.backend_tokenizer.to_str())) == "qwen2"


def test_an_adapter_is_merged_and_its_card_is_kept(tmp_path):
    peft = pytest.importorskip("peft")
    base = tiny_models.write_model(tmp_path / "base")
    torch.manual_seed(1)
    settings = peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    adapted = peft.get_peft_model(loading.load_model(str(base)), settings)
    adapted.save_pretrained(tmp_path / "adapter")
    (tmp_path / "adapter" / "README.md").write_text("---\nlicense: mit\n---\nHow it went.\n")
    publish(str(tmp_path / "adapter"), tmp_path / "out", figures=[("tasks", "pass"), ("9", "50%")])
    ids = [5, 9, 77]
    alone = loading.load(str(tmp_path / "out"))
    on_top = loading.load(str(tmp_path / "adapter"))
    assert greedy(alone.model, ids, 12) == greedy(on_top.model, ids, 12)
    said = (tmp_path / "out" / "README.md").read_text()
    assert "license: mit" in said
    assert "| 9 | 50% |" in said
    assert said.rstrip().endswith("How it went.")
    assert not list(tmp_path.glob(".*draft"))


def test_without_an_evaluation_the_card_says_so():
    assert "nothing is known" in card.card("m", "", "gguf", "", ())


def test_a_modelfile_says_the_context_and_the_template_in_ollamas_language(tmp_path):
    loaded = loading.load(str(tiny_models.write_model(tmp_path, template=CHATML)))
    said = ollama.modelfile(loaded, "model.gguf")
    assert said.startswith("FROM ./model.gguf\n")
    assert "PARAMETER num_ctx 512\n" in said
    assert 'PARAMETER stop "</s>"' in said
    before, to_assistant, to_user, after = ollama.turns(loaded.tokenizer)
    assert (before, to_user) == ("<|user|>", "</s><|user|>")
    assert to_assistant == after == "</s><|assistant|>"
    for part in (before, to_assistant, to_user, after):
        assert part in said


def test_a_template_that_a_modelfile_cannot_say_is_refused(tmp_path):
    template = "{{ messages[-1]['content'] }}"
    loaded = loading.load(str(tiny_models.write_model(tmp_path, template=template)))
    with pytest.raises(SelfdebugError, match="leaves out turns"):
        ollama.modelfile(loaded, "model.gguf")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "onnx"}, "no format 'onnx': there are safetensors, gguf"),
        ({"form": "gguf", "weights": "q2"}, "no weights 'q2': there are f16, q8_0, q4_0"),
        ({"to": "m"}, "is there already"),
        ({"model": "t5", "form": "gguf"}, "this is a t5 model"),
    ],
)
def test_what_cannot_be_written_is_one_line_and_leaves_nothing(settings, message, tmp_path):
    for name, architecture in (("m", "llama"), ("t5", "t5")):
        tiny_models.write_model(tmp_path / name, architecture)
    settings = dict(settings)
    model, to = settings.pop("model", "m"), settings.pop("to", "out")
    with pytest.raises(SelfdebugError, match=message) as caught:
        publish(str(tmp_path / model), tmp_path / to, **settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*draft"))


@pytest.mark.slow
def test_the_verb_says_the_files_that_it_wrote(tmp_path):
    tiny_models.write_model(tmp_path / "m")
    done = subprocess.run(
        [sys.executable, "-m", "selfdebug", "export-model", "m", "--to", "out", "--format", "gguf"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["out/Modelfile", "out/README.md", "out/model.gguf"]
