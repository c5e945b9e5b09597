"""A GGUF file on a CPU, by OpenVINO: some times as fast as PyTorch, from small wheels.

For evaluation, harvest and use. Needs the extra `openvino`; `selfdebug export-model --format gguf`
writes what it reads. One sampled request is one call: within a call OpenVINO draws the replies to
one prompt apart, but the same prompt given twice gets the same reply, and the draws of different
prompts go together. So it is not for RL's groups.

    selfdebug eval demo --backend openvino --option model=runs/model --out runs/mine
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from selfdebug import config, prompts
from selfdebug.types import Completion, Judge, Request, Sampling, SelfdebugError


@dataclass(frozen=True)
class Options:
    """What `--option NAME=VALUE` sets.

    model: a .gguf file, or a folder with a model.gguf. threads: of the CPU; 0: as many as it has.
    """

    model: str
    threads: int = 0


def create(judge: Judge, **options: str) -> OpenVINO:
    """Open the backend; `model` is needed, see `Options` for the others."""
    del judge  # the model writes programs, the loop judges them
    return OpenVINO(config.settings(Options, options, "openvino backend"))


class OpenVINO:
    """A local model; see `Options`. Many threads may ask; they are answered one after the other."""

    def __init__(self, options: Options) -> None:
        """Load the model."""
        self.name = f"openvino:{options.model}"
        path = Path(options.model)
        path = path / "model.gguf" if path.is_dir() else path
        if not path.is_file() or path.suffix != ".gguf":
            raise SelfdebugError(
                f"no GGUF file at {path}: selfdebug export-model MODEL --to DIR --format gguf"
            )
        self._genai = _library()
        settings = {"INFERENCE_NUM_THREADS": options.threads} if options.threads else {}
        try:
            self._pipe: Any = self._genai.LLMPipeline(str(path), "CPU", **settings)
        except RuntimeError as error:
            said = " ".join(str(error).split())[:200]
            raise SelfdebugError(f"OpenVINO cannot load {path}: {said}") from error
        self._tokenizer: Any = self._pipe.get_tokenizer()
        self._lock = threading.Lock()

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return n completions for each request, in the order of the requests."""
        return [self._replies(request, n, sampling) for request in requests]

    def _replies(self, request: Request, n: int, sampling: Sampling) -> list[Completion]:
        text: str = self._tokenizer.apply_chat_template(
            prompts.messages(request), add_generation_prompt=True
        )
        stop = sampling.stop
        if self._tokenizer.chat_template == prompts.CHAT_TEMPLATE:
            stop = (*stop, prompts.NEXT_TURN)
        settings = self._genai.GenerationConfig()
        settings.max_new_tokens = sampling.max_tokens
        settings.stop_strings = set(stop)
        if sampling.temperature > 0:
            settings.do_sample = True
            settings.temperature, settings.top_p = sampling.temperature, sampling.top_p
            settings.num_return_sequences = n
            # Of the prompt too: one seed draws alike for every prompt.
            settings.rng_seed = zlib.crc32(f"{sampling.seed} {text}".encode()) >> 1
        with self._lock:
            inputs = self._tokenizer.encode(text, add_special_tokens=False)
            replies: list[list[int]] = self._pipe.generate(inputs, settings).tokens
            texts: list[str] = [self._tokenizer.decode(reply) for reply in replies]
        done: list[Completion] = []
        for reply, said in zip(replies, texts, strict=True):
            places = [place for end in stop if (place := said.find(end)) >= 0]
            ended = bool(places) or len(reply) < sampling.max_tokens
            done.append(
                prompts.parse(
                    request.task.language,
                    said[: min(places, default=len(said))],
                    entry_point=request.task.entry_point,
                    finish_reason="stop" if ended else "length",
                    prompt_tokens=int(inputs.input_ids.shape[1]),
                    completion_tokens=len(reply),
                )
            )
        return done if len(done) == n else done * n  # greedy replies are all the same


def _library() -> Any:
    try:
        return import_module("openvino_genai")
    except ImportError as error:
        raise SelfdebugError(
            f"this backend needs OpenVINO GenAI ({error}): pip install 'selfdebug[openvino]'"
        ) from error
