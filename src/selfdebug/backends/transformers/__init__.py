"""Models on this machine: causal or encoder-decoder, from a folder or the hub, with adapters.

Needs the extra `train` (torch, transformers, peft). A reply depends on the request, the seed and
its number among the n, not on what else is sampled with it, as far as rounding allows. The
model's own sampling settings are not used: `types.Sampling` says all. It trains nothing.

    selfdebug eval demo --backend transformers --option model=runs/sft --jobs 32 --out runs/mine
"""

from __future__ import annotations

import copy
import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from selfdebug import config, prompts
from selfdebug.backends.transformers import drafting, drawing, stepping
from selfdebug.backends.transformers.batching import Batches, Row
from selfdebug.backends.transformers.drawing import end_tokens
from selfdebug.backends.transformers.loading import libraries, load, prompt_ids
from selfdebug.backends.transformers.writing import Piece, Writing
from selfdebug.types import Completion, Judge, Request, Sampling, SelfdebugError

REMEMBERED = 16  # explanations, for the next ones to be drafted by


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


class TooLong(SelfdebugError):
    """A request leaves no room for a reply in the model's context."""


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
        self._explanations: deque[Sequence[int]] = deque(maxlen=REMEMBERED)  # newest first
        self._batches = Batches(lambda rows: draw(self._loaded, rows), options.batch_size)
        self._wanted: Callable[[], bool] | None = None

    def while_wanted(self, wanted: Callable[[], bool]) -> Transformers:
        """Return the same backend for one piece of work: a reply not `wanted` any more is cut."""
        shared = copy.copy(self)
        shared._wanted = wanted
        return shared

    def write(
        self,
        messages: Sequence[Mapping[str, str]],
        n: int,
        sampling: Sampling,
        on_piece: Callable[[Piece], bool],
    ) -> None:
        """Reply n times to a conversation, and return when all replies have ended.

        on_piece: called with each piece as the model writes it, from any thread, so it must be
        quick; where it returns False that reply ends. Raises TooLong, and SelfdebugError for a
        conversation that the model's chat template refuses.
        """
        (jinja2,) = libraries("jinja2")
        try:
            ids = self._prompt(messages)
        except jinja2.TemplateError as error:
            raise SelfdebugError(f"{self.name} takes no such conversation: {error}") from error
        room = self._room(len(ids), sampling)
        if room <= 0:
            raise TooLong(f"{self.name} reads {self._loaded.context} tokens; this is {len(ids)}")
        stops = self._stops(sampling)
        # Stop texts are looked for while writing, so replies with different ones share a batch.
        rows = self._drawn(ids, room, n, replace(sampling, stop=(), max_tokens=room))
        for number, row in enumerate(rows):

            def say(text: str, reason: str, tokens: int, number: int = number) -> bool:
                return on_piece(Piece(number, text, reason, tokens, len(ids)))

            row.watch = Writing(self._loaded.tokenizer, self._ends, stops, room, say).add
        self._batches.run(rows)

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
        ids = self._prompt(prompts.messages(request))
        room = self._room(len(ids), sampling)
        draft: Sequence[int] = ()
        if self._drafts:
            said = list(self._explanations) if request.mode == "explain_refine" else ()
            draft = drafting.repeated(self._loaded.tokenizer, request, said)
        settled = replace(sampling, stop=self._stops(sampling))
        rows = self._drawn(ids, room, n, settled, draft)
        if room > 0:
            return rows
        if self._options.overlong == "error":
            raise TooLong(
                f"{self.name} reads {self._loaded.context} tokens, and the request for task "
                f"{request.task.id} has {len(ids)}: --option overlong=skip counts it as no reply"
            )
        return [replace(row, reply=()) for row in rows]

    def _drawn(
        self,
        ids: Sequence[int],
        room: int,
        n: int,
        sampling: Sampling,
        draft: Sequence[int] = (),
    ) -> list[Row]:
        said = hashlib.sha256(repr(ids).encode()).hexdigest()
        rows = [
            Row(ids, room, replace(sampling, seed=0), f"{sampling.seed} {said} {number}", draft)
            for number in range(n)
        ]
        if (wanted := self._wanted) is not None:
            for row in rows:
                row.watch = lambda _token: wanted()
        return rows

    def _prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        apart = self._loaded.is_encoder_decoder
        return prompt_ids(self._loaded.tokenizer, messages, is_encoder_decoder=apart)

    def _room(self, prompt: int, sampling: Sampling) -> int:
        """Return how many tokens a reply may have; 0 or less: the prompt fills the context."""
        context = self._loaded.context
        if not context:
            return sampling.max_tokens
        # In an encoder-decoder model prompt and reply each have the context.
        left = context - prompt
        if self._loaded.is_encoder_decoder:
            left = context if left >= 0 else 0
        return min(sampling.max_tokens, left)

    def _stops(self, sampling: Sampling) -> tuple[str, ...]:
        """Return also the text that only a base model goes on to write; others end their turn."""
        own = self._loaded.tokenizer.chat_template == prompts.CHAT_TEMPLATE
        return (*sampling.stop, prompts.NEXT_TURN) if own else sampling.stop

    def _completion(self, request: Request, row: Row) -> Completion:
        reply = row.reply or ()
        text: str = self._loaded.tokenizer.decode(
            reply, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        places = [place for stop in row.settings.stop if (place := text.find(stop)) >= 0]
        ended = bool(places) or (bool(reply) and reply[-1] in self._ends)
        completion = prompts.parse(
            request.task.language,
            text[: min(places, default=len(text))],
            entry_point=request.task.entry_point,
            finish_reason="stop" if ended else "length",
            prompt_tokens=len(row.prompt),
            completion_tokens=len(reply),
        )
        if self._drafts and completion.explanation:
            tokens = self._loaded.tokenizer(completion.explanation, add_special_tokens=False)
            self._explanations.appendleft(tokens["input_ids"])
        return completion
