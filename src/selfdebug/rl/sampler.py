"""Replies of the policy as it is being trained, by the batched sampler of `backends/transformers`.

python -c "from selfdebug.rl.sampler import Sampler; help(Sampler)"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from selfdebug import prompts
from selfdebug.backends.transformers import drafting, drawing, stepping
from selfdebug.backends.transformers.batching import Row
from selfdebug.backends.transformers.drawing import end_tokens
from selfdebug.backends.transformers.loading import Loaded, prompt_ids
from selfdebug.rl.spans import text_of
from selfdebug.types import Completion, Request, Sampling


@dataclass(frozen=True, slots=True)
class Reply:
    """What was sampled: the tokens, and what they say. number: of the replies to its prompt."""

    prompt: int
    number: int
    prompt_ids: list[int]
    ids: list[int]
    completion: Completion


class Sampler:
    """Samples from a model that others change between calls."""

    def __init__(
        self, model: Any, tokenizer: Any, device: str, sampling: Sampling, rows_at_once: int
    ) -> None:
        """rows_at_once: of one batch. sampling's seed is not used."""
        text_config = model.config.get_text_config()
        context = int(getattr(text_config, "max_position_embeddings", 0) or 0)
        self._loaded = Loaded(model, tokenizer, device, context, is_encoder_decoder=False)
        plain = tokenizer.chat_template == prompts.CHAT_TEMPLATE
        self._stop = (*sampling.stop, prompts.NEXT_TURN) if plain else sampling.stop
        self._settings = Sampling(
            sampling.temperature, sampling.top_p, sampling.max_tokens, stop=self._stop
        )
        self._size = rows_at_once

    def use(self, model: Any) -> None:
        """Sample from this model from now on: the trainer has put an adapter into it."""
        inside = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._loaded = replace(self._loaded, model=inside)

    def fits(self, request: Request) -> bool:
        """Tell whether a reply of full length has room in the model's context."""
        ids = prompt_ids(self._loaded.tokenizer, prompts.messages(request))
        return not self._loaded.context or len(ids) + self._settings.max_tokens <= (
            self._loaded.context
        )

    def replies(self, requests: Sequence[Request], n: int, seed: str) -> Iterator[Reply]:
        """Yield n replies to each request, as they come: the longest prompts' first."""
        tokenizer, model = self._loaded.tokenizer, self._loaded.model
        asked = [prompt_ids(tokenizer, prompts.messages(request)) for request in requests]
        order = sorted(range(len(asked)), key=lambda place: -len(asked[place]))
        places = [(place, number) for place in order for number in range(n)]
        drafts = stepping.fits(self._loaded)
        draw = stepping.draw if drafts else drawing.draw
        was_training = model.training
        model.eval()
        try:
            for start in range(0, len(places), self._size):
                batch = places[start : start + self._size]
                rows = [
                    Row(asked[place], self._settings.max_tokens, self._settings,
                        f"{seed} {place} {number}",
                        drafting.repeated(tokenizer, requests[place]) if drafts else ())
                    for place, number in batch
                ]  # fmt: skip
                draw(self._loaded, rows)
                for (place, number), row in zip(batch, rows, strict=True):
                    ids = list(row.reply or ())
                    completion = self._completion(requests[place], len(row.prompt), ids)
                    yield Reply(place, number, asked[place], ids, completion)
        finally:
            model.train(was_training)

    def _completion(self, request: Request, prompt: int, ids: list[int]) -> Completion:
        text = text_of(self._loaded.tokenizer, ids)
        places = [place for stop in self._stop if (place := text.find(stop)) >= 0]
        ended = bool(places) or ids[-1:] in ([end] for end in end_tokens(self._loaded))
        return prompts.parse(
            request.task.language,
            text[: min(places, default=len(text))],
            entry_point=request.task.entry_point,
            finish_reason="stop" if ended else "length",
            prompt_tokens=prompt,
            completion_tokens=len(ids),
        )
