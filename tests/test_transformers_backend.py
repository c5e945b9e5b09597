"""Local models: every architecture, seeds that are a row's own, adapters, and clear errors."""

import threading
from dataclasses import replace

import pytest

import tiny_models
from selfdebug import prompts
from selfdebug.backends import transformers as backend
from selfdebug.backends.transformers import drawing, loading
from selfdebug.backends.transformers.drawing import draw
from selfdebug.types import Request, Sampling, SelfdebugError, Task
from tiny_models import torch

ARCHITECTURES = ("llama", "qwen2", "gpt_bigcode", "t5")
SHORT = Sampling(max_tokens=24)
CHATML = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def request(number=1, words=1):
    task = Task(f"t{number}", "python", f"Add {number}. " + "Again. " * words, "add", ())
    return Request(task, "generate")


# Requests of different lengths, so that a batch is padded.
REQUESTS = [request(number, words) for number, words in ((1, 1), (2, 9), (3, 4), (4, 2))]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {name: tiny_models.write_model(folder / name, name) for name in ARCHITECTURES}


@pytest.fixture(scope="module")
def llama(models):
    return opened(models["llama"])


def opened(folder, **options):
    return backend.create(None, model=str(folder), **{k: str(v) for k, v in options.items()})


def texts(rows):
    return [[reply.text for reply in row] for row in rows]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_reply_depends_on_its_request_seed_and_number_not_on_the_batch(models, name):
    one_batch = opened(models[name], batch_size=32).sample(REQUESTS, 3, SHORT)
    small = opened(models[name], batch_size=2)
    alone = [small.sample([asked], 3, SHORT)[0] for asked in REQUESTS]
    assert texts(one_batch) == texts(alone)
    again = small.sample(REQUESTS[::-1], 5, SHORT)[::-1]
    assert [row[:3] for row in texts(again)] == texts(one_batch)
    assert texts(small.sample(REQUESTS, 3, replace(SHORT, seed=1))) != texts(one_batch)
    assert len({text for row in texts(one_batch) for text in row}) == 12


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_rows_that_end_leave_the_batch_and_the_others_go_on_as_before(models, name, monkeypatch):
    engine = opened(models[name])
    # Random weights end one reply in 640 at each token: some rows end early, most go on.
    long = Sampling(max_tokens=60, temperature=1.5)
    at_once = engine.sample(REQUESTS, 10, long)
    lengths = {reply.completion_tokens for row in at_once for reply in row}
    assert max(lengths) == 60 > min(lengths)
    monkeypatch.setattr(drawing, "PART", 7)
    assert texts(engine.sample(REQUESTS, 10, long)) == texts(at_once)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_temperature_0_is_the_engines_own_greedy_text(models, name):
    engine = opened(models[name])
    ((reply,),) = engine.sample(REQUESTS[:1], 1, replace(SHORT, temperature=0.0))
    loaded = loading.load(str(models[name]))
    ids = loading.prompt_ids(
        loaded.tokenizer,
        prompts.messages(REQUESTS[0]),
        is_encoder_decoder=loaded.is_encoder_decoder,
    )
    inputs = torch.tensor([ids])
    out = loaded.model.generate(inputs, max_new_tokens=24, do_sample=False, pad_token_id=0)[0]
    out = out[1:] if loaded.is_encoder_decoder else out[len(ids) :]
    assert reply.text == loaded.tokenizer.decode(out, skip_special_tokens=True)
    assert reply.prompt_tokens == len(ids)


def test_tokens_are_drawn_with_the_models_probabilities(models):
    """One step, many rows: the shares of the tokens against softmax(logits / T), top-p kept."""
    loaded = loading.load(str(models["llama"]))
    ids = loading.prompt_ids(loaded.tokenizer, prompts.messages(REQUESTS[0]))[-8:]
    with torch.no_grad():
        logits = loaded.model(torch.tensor([ids])).logits[0, -1]
    for top_p in (1.0, 0.5):
        settings = Sampling(temperature=0.5, top_p=top_p, max_tokens=1)
        rows = [backend.Row(ids, 1, settings, str(number)) for number in range(4000)]
        draw(loaded, rows)
        drawn = torch.zeros(len(logits))
        for row in rows:
            # Nothing is left of a reply that is one token of padding.
            drawn[(row.reply or [loaded.tokenizer.pad_token_id])[0]] += 1 / len(rows)
        wanted = torch.softmax(logits / 0.5, -1)
        if top_p < 1:
            order = wanted.argsort(descending=True)
            before = wanted[order].cumsum(0) - wanted[order]
            wanted[order[before >= top_p]] = 0
            wanted /= wanted.sum()
            assert not drawn[wanted == 0].any()
        # Half the L1 distance of 4,000 draws over 640 tokens is about 0.15 by chance alone.
        assert (drawn - wanted).abs().sum() / 2 < 0.2
        top = wanted.argsort(descending=True)[:50]
        assert abs(drawn[top].sum() - wanted[top].sum()) < 0.03


def test_threads_that_ask_at_once_share_batches_and_get_their_own_replies(llama, monkeypatch):
    alone = [llama.sample([asked], 2, SHORT)[0] for asked in REQUESTS]
    sizes, run, barrier = [], llama._batches._run, threading.Barrier(len(REQUESTS))
    monkeypatch.setattr(llama._batches, "_run", lambda rows: (sizes.append(len(rows)), run(rows)))
    together = [None] * len(REQUESTS)

    def ask(place):
        barrier.wait()
        for _ in range(3):
            together[place] = llama.sample([REQUESTS[place]], 2, SHORT)[0]

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(REQUESTS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts(together) == texts(alone)
    assert sum(sizes) == 3 * 2 * len(REQUESTS)
    assert max(sizes) > 2


def test_one_callers_failure_is_not_anothers(llama, monkeypatch):
    run, failing = llama._batches._run, threading.local()
    inside, released, failed = threading.Event(), threading.Event(), []

    def flaky(rows):
        if getattr(failing, "now", False):
            inside.set()
            released.wait(5)
            raise MemoryError
        run(rows)

    monkeypatch.setattr(llama._batches, "_run", flaky)

    def fail():
        failing.now = True
        try:
            llama.sample(REQUESTS[:1], 1, SHORT)
        except MemoryError:
            failed.append(True)

    thread = threading.Thread(target=fail)
    thread.start()
    inside.wait(5)  # else the other caller might take these rows along
    replies = []
    other = threading.Thread(target=lambda: replies.append(llama.sample(REQUESTS[1:], 1, SHORT)))
    other.start()
    released.set()
    thread.join()
    other.join()
    assert failed == [True]
    assert [len(row) for row in replies[0]] == [1, 1, 1]


def test_the_tokenizers_own_chat_template_is_used(models, tmp_path):
    tiny_models.write_model(tmp_path, template=CHATML)
    tokenizer = loading.load_tokenizer(str(tmp_path))
    ids = loading.prompt_ids(tokenizer, prompts.messages(REQUESTS[0]))
    text = tokenizer.decode(ids)
    assert text.startswith("<|user|>Add 1.")
    assert text.endswith("</s><|assistant|>")


def test_without_a_template_the_conversation_is_text_under_headings(models):
    tokenizer = loading.load_tokenizer(str(models["llama"]))
    asked = Request(request().task, "refine", "def add(): 0\n", "It fails.")
    text = tokenizer.decode(loading.prompt_ids(tokenizer, prompts.messages(asked)))
    parts = [
        "### Instruction\nAdd 1.",
        "### Response\n```python\ndef add(): 0",
        "</s>",
        "It fails.",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.endswith("### Response\n")


def test_a_base_model_that_goes_on_with_the_next_turn_is_cut(tmp_path):
    asked = request()
    said = "```python\ndef add(): 1\n```\n### Instruction\nNow something else.\n"
    tiny_models.write_model(tmp_path, texts=[said, asked.task.prompt])
    tiny_models.teach(tmp_path, [(prompts.messages(asked), said * 2)], steps=80)
    ((reply,),) = opened(tmp_path).sample([asked], 1, Sampling(temperature=0, max_tokens=200))
    assert reply.text == "```python\ndef add(): 1\n```"
    assert (reply.code, reply.finish_reason) == ("def add(): 1\n", "stop")
    assert reply.completion_tokens < 60


@pytest.mark.parametrize("name", ["llama", "gpt_bigcode"])
def test_near_the_end_of_the_context_replies_are_shorter(models, name):
    engine = opened(models[name])
    near = next(r for words in range(200) if prompt_length(engine, r := request(1, words)) > 480)
    room = 512 - prompt_length(engine, near)
    rows = engine.sample([near, *REQUESTS], 2, Sampling(max_tokens=64))
    assert all(reply.completion_tokens <= room for reply in rows[0])
    assert max(reply.completion_tokens for row in rows[1:] for reply in row) > room


def prompt_length(engine, asked):
    return len(loading.prompt_ids(engine._loaded.tokenizer, prompts.messages(asked)))


def test_a_request_that_fills_the_context_is_one_line_or_no_reply(models):
    long = request(7, 900)
    with pytest.raises(SelfdebugError, match=r"reads 512 tokens.*task t7 has \d+.*overlong=skip"):
        opened(models["llama"]).sample([long], 1, SHORT)
    skipping = opened(models["llama"], overlong="skip")
    (none,), (some,) = skipping.sample([long, REQUESTS[0]], 1, SHORT)
    assert (none.text, none.code, none.finish_reason) == ("", "", "length")
    assert some.completion_tokens


def test_an_adapter_is_found_by_its_folder_or_named_beside_the_model(models, tmp_path):
    peft = pytest.importorskip("peft")
    base = loading.load_model(str(models["llama"]))
    torch.manual_seed(1)
    settings = peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    adapted = peft.get_peft_model(base, settings)
    adapted.save_pretrained(tmp_path)
    by_folder = opened(tmp_path).sample(REQUESTS, 1, SHORT)
    beside = opened(models["llama"], adapter=tmp_path).sample(REQUESTS, 1, SHORT)
    plain = opened(models["llama"]).sample(REQUESTS, 1, SHORT)
    assert texts(by_folder) == texts(beside) != texts(plain)


def test_a_shipped_model_goes_by_its_name(models, monkeypatch):
    monkeypatch.setattr(loading, "SHIPPED", models["llama"].parent)
    engine = opened("llama")
    assert engine.name == "transformers:llama"
    assert texts(engine.sample(REQUESTS, 1, SHORT)) == texts(
        opened(models["llama"]).sample(REQUESTS, 1, SHORT)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "./no/such/folder"}, "no model at ./no/such/folder"),
        ({"model": "EMPTY"}, "holds no model: there is no config.json"),
        ({"model": "WEIGHTLESS"}, "cannot load .*model.safetensors"),
        ({"model": "TOKENLESS"}, "cannot load"),
        ({"model": "LLAMA", "adapter": "./nothing"}, "no model at ./nothing"),
        ({"model": "LLAMA", "device": "cuda"}, "sees no GPU"),
        ({"model": "LLAMA", "dtype": "int3"}, "dtype is 'int3', not one of auto"),
        ({}, "'model' is missing"),
    ],
)
def test_what_is_wrong_is_one_line(models, tmp_path, options, message):
    if "device" in options and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    (tmp_path / "EMPTY").mkdir()
    for name, gone in (("WEIGHTLESS", "model.safetensors"), ("TOKENLESS", "tokenizer.json")):
        tiny_models.write_model(tmp_path / name)
        (tmp_path / name / gone).unlink()
    places = {"LLAMA": str(models["llama"])}
    for name in ("EMPTY", "WEIGHTLESS", "TOKENLESS"):
        places[name] = str(tmp_path / name)
    with pytest.raises(SelfdebugError, match=message) as caught:
        backend.create(None, **{key: places.get(value, value) for key, value in options.items()})
    assert "\n" not in str(caught.value)


def test_without_torch_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(loading, "import_module", missing)
    with pytest.raises(SelfdebugError, match=r"pip install 'selfdebug\[train\]'"):
        opened("anything")


@pytest.mark.parametrize(("small", "instructions"), [(True, True), (False, True), (False, False)])
def test_a_small_model_is_trained_in_what_it_is_run_in(models, monkeypatch, small, instructions):
    model = loading.load(str(models["llama"]), device="cpu").model
    monkeypatch.setattr(loading, "SMALL", model.num_parameters() + small)
    monkeypatch.setattr(loading, "has_bfloat16", lambda *_: instructions)
    assert loading.trains_in_bfloat16(torch, model, "cpu") == (instructions and not small)


@pytest.mark.parametrize(("instructions", "dtype"), [(True, "bfloat16"), (False, "float32")])
def test_no_processor_emulates_bfloat16(models, tmp_path, monkeypatch, instructions, dtype):
    """Emulated, a product takes some 200 times as long as in float32."""
    folder = tiny_models.write_model(tmp_path / "half")
    loading.load_model(str(folder)).to(torch.bfloat16).save_pretrained(folder)
    monkeypatch.setattr(loading, "SMALL", 0)  # as if the model were large
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": instructions})
    assert loading.load(str(folder), device="cpu").model.dtype == getattr(torch, dtype)
