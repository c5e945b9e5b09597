"""A GGUF file on a CPU, by OpenVINO: some times as fast as PyTorch, from small wheels.

For evaluation, harvest and use. Needs the extra `openvino`; `selfdebug export-model --format gguf`
writes what it reads. The requests of a call are answered together. Each has a seed of its own, for
one seed draws alike for every prompt; the replies to one request are drawn apart. The same prompt
twice in a call gets the same replies twice, so it is not for RL's groups.

    selfdebug eval demo --backend openvino --option model=runs/model --out runs/mine
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
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
    """A local model; see `Options`. Calls of several threads are answered one after the other."""

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
            self._pipe: Any = self._genai.ContinuousBatchingPipeline(
                str(path), self._genai.SchedulerConfig(), "CPU", settings
            )
        except RuntimeError as error:
            said = " ".join(str(error).split())[:200]
            raise SelfdebugError(f"OpenVINO cannot load {path}: {said}") from error
        self._tokenizer: Any = self._pipe.get_tokenizer()
        self._lock = threading.Lock()

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return n completions for each request, in the order of the requests."""
        with self._lock:
            texts = [self._prompt(request) for request in requests]
            inputs = [self._tokenizer.encode(t, add_special_tokens=False).input_ids for t in texts]
            settings = [self._settings(text, n, sampling) for text in texts]
            found: list[Any] = self._pipe.generate(inputs, settings) if requests else []
            rows = [
                [(reply, self._tokenizer.decode(reply)) for reply in _mixed(each, own.rng_seed)]
                for each, own in zip(found, settings, strict=True)
            ]
        return [
            [self._completion(request, int(ids.shape[1]), *reply, sampling) for reply in row]
            # Greedy replies are all the same, and written once.
            * (n // len(row))
            for request, ids, row in zip(requests, inputs, rows, strict=True)
        ]

    def _prompt(self, request: Request) -> str:
        messages = prompts.messages(request)
        return self._tokenizer.apply_chat_template(messages, add_generation_prompt=True)

    def _stops(self, sampling: Sampling) -> tuple[str, ...]:
        own = self._tokenizer.chat_template == prompts.CHAT_TEMPLATE
        return (*sampling.stop, prompts.NEXT_TURN) if own else sampling.stop

    def _settings(self, text: str, n: int, sampling: Sampling) -> Any:
        """Return the settings of one request."""
        settings = self._genai.GenerationConfig()
        settings.max_new_tokens = sampling.max_tokens
        settings.stop_strings = set(self._stops(sampling))
        if sampling.temperature > 0:
            settings.do_sample = True
            settings.temperature, settings.top_p = sampling.temperature, sampling.top_p
            settings.num_return_sequences = n
            # Of the prompt too: one seed draws alike for every prompt.
            settings.rng_seed = zlib.crc32(f"{sampling.seed} {text}".encode()) >> 1
        return settings

    def _completion(
        self, request: Request, asked: int, reply: list[int], said: str, sampling: Sampling
    ) -> Completion:
        """Return a reply as far as a stop text. asked: tokens of the prompt."""
        places = [place for end in self._stops(sampling) if (place := said.find(end)) >= 0]
        ended = bool(places) or len(reply) < sampling.max_tokens
        return prompts.parse(
            request.task.language,
            said[: min(places, default=len(said))],
            entry_point=request.task.entry_point,
            finish_reason="stop" if ended else "length",
            prompt_tokens=asked,
            completion_tokens=len(reply),
        )


def _mixed(found: Any, seed: int) -> list[list[int]]:
    """Return the replies to a request in no order: OpenVINO's begin with the likeliest."""
    replies: list[list[int]] = list(found.m_generation_ids)
    Random(seed).shuffle(replies)
    return replies


def _library() -> Any:
    try:
        return import_module("openvino_genai")
    except ImportError as error:
        raise SelfdebugError(
            f"this backend needs OpenVINO GenAI ({error}): pip install 'selfdebug[openvino]'"
        ) from error
