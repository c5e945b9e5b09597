"""Models on this machine: causal or encoder-decoder, from a folder or the hub, with adapters.

Needs the extra `train` (torch, transformers, peft). A reply depends on the request, the seed and
its number among the n, not on what else is sampled with it, as far as rounding allows. The
model's own sampling settings are not used: `types.Sampling` says all. It trains nothing.

    selfdebug eval demo --backend transformers --option model=runs/sft --jobs 32 --out runs/mine
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from selfdebug import config, prompts
from selfdebug.backends.transformers import drawing, stepping
from selfdebug.backends.transformers.batching import Batches, Row
from selfdebug.backends.transformers.drawing import end_tokens
from selfdebug.backends.transformers.loading import load, prompt_ids
from selfdebug.types import Completion, Judge, Request, Sampling, SelfdebugError


@dataclass(frozen=True)
class Options:
    """What `--option NAME=VALUE` sets.

    model: a folder, a hub name, or a model that is shipped. adapter: a PEFT adapter on top; an
    adapter's folder may also be the model. overlong "skip": a request that fills the model's
    context gets an empty reply instead of an error. draft: what a mended program is drafted by;
    it changes the speed alone. "none" leaves everything to transformers' own `generate`.
    """

    model: str
    adapter: str = ""
    device: str = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch_size: int = 32
    overlong: Literal["error", "skip"] = "error"
    draft: Literal["broken", "none"] = "broken"


def create(judge: Judge, **options: str) -> Transformers:
    """Open the backend; `model` is needed, see `Options` for the others."""
    del judge  # the model writes programs, the loop judges them
    return Transformers(config.settings(Options, options, "transformers backend"))


class Transformers:
    """A local model; see `Options`. Many threads may ask at once, and share its batches."""

    def __init__(self, options: Options) -> None:
        """Load the model."""
        self.name = "+".join(filter(None, (f"transformers:{options.model}", options.adapter)))
        self._options = options
        self._loaded = load(
            options.model, adapter=options.adapter, device=options.device, dtype=options.dtype
        )
        self._ends = set(end_tokens(self._loaded))
        self._drafts = options.draft == "broken" and stepping.fits(self._loaded)
        draw = stepping.draw if self._drafts else drawing.draw
        self._batches = Batches(lambda rows: draw(self._loaded, rows), options.batch_size)

    def sample(
        self, requests: Sequence[Request], n: int, sampling: Sampling
    ) -> list[list[Completion]]:
        """Return n completions for each request, in the order of the requests."""
        table = [self._rows(request, n, sampling) for request in requests]
        self._batches.run([row for rows in table for row in rows if row.reply is None])
        return [
            [self._completion(request, row) for row in rows]
            for request, rows in zip(requests, table, strict=True)
        ]

    def _rows(self, request: Request, n: int, sampling: Sampling) -> list[Row]:
        """Return a row for each of n replies; without room for one, they are empty already."""
        tokenizer, context = self._loaded.tokenizer, self._loaded.context
        apart = self._loaded.is_encoder_decoder  # prompt and reply each have the context
        ids = prompt_ids(tokenizer, prompts.messages(request), is_encoder_decoder=apart)
        room = sampling.max_tokens
        if context:
            room = min(room, context if apart else context - len(ids))
        # Strings that only a base model goes on to write; a chat model ends its turn.
        stop = sampling.stop
        if tokenizer.chat_template == prompts.CHAT_TEMPLATE:
            stop = (*stop, prompts.NEXT_TURN)
        settings = replace(sampling, seed=0, stop=stop)
        said = hashlib.sha256(repr(ids).encode()).hexdigest()
        draft = self._draft(request) if self._drafts else ()
        rows = [Row(ids, room, settings, f"{sampling.seed} {said} {k}", draft) for k in range(n)]
        if room > 0 and len(ids) <= (context or len(ids)):
            return rows
        if self._options.overlong == "error":
            raise SelfdebugError(
                f"{self.name} reads {context} tokens, and the request for task {request.task.id} "
                f"has {len(ids)}: --option overlong=skip counts it as no reply"
            )
        return [replace(row, reply=()) for row in rows]

    def _draft(self, request: Request) -> list[int]:
        """Return the tokens of the reply that would repeat the broken program."""
        if not request.broken:
            return []
        text = prompts.fenced(request.task.language, request.broken)
        ids: list[int] = self._loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        return [*ids, self._loaded.tokenizer.eos_token_id]

    def _completion(self, request: Request, row: Row) -> Completion:
        reply = row.reply or ()
        text: str = self._loaded.tokenizer.decode(
            reply, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        places = [place for stop in row.settings.stop if (place := text.find(stop)) >= 0]
        ended = bool(places) or (bool(reply) and reply[-1] in self._ends)
        return prompts.parse(
            request.task.language,
            text[: min(places, default=len(text))],
            entry_point=request.task.entry_point,
            finish_reason="stop" if ended else "length",
            prompt_tokens=len(row.prompt),
            completion_tokens=len(reply),
        )
