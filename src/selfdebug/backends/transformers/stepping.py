"""Draw the replies of one batch in steps of several tokens each: the draft's, as far as they hold.

Each step runs the model on the last token of every row and on the next tokens of its draft, draws
at every place with that place's own random number, and keeps the tokens up to the first that is
not the draft's. So a reply is the one that `drawing.draw` gives, token by token, for greedy and for
sampled text alike: a draft changes its cost alone, and rounding as far as a batch does. Rows that
have ended leave the batch at once. It runs models of full attention; `fits` says which.

    python -c "from selfdebug.backends.transformers.stepping import draw; help(draw)"
"""

from __future__ import annotations

import inspect
from collections.abc import Container, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from selfdebug.backends.transformers import drafting
from selfdebug.backends.transformers.batching import Row
from selfdebug.backends.transformers.cache import Cache
from selfdebug.backends.transformers.drafting import Draft
from selfdebug.backends.transformers.drawing import end_tokens, has_stopped, picked
from selfdebug.backends.transformers.loading import Loaded, library

# What a step costs besides its tokens, and what it costs more where it takes several tokens a row,
# in tokens: it reads every weight and calls every layer. A tiny model's weights are at hand, and
# a few tokens more are nothing beside the calls.
CPU, GPU = (24.0, 16.0), (256.0, 16.0)
TINY_ON_CPU, TINY_IN_A_BATCH = (80.0, 18.0), (24.0, 4.0)
TINY, FEW = 10_000_000, 2  # parameters, rows


@dataclass(eq=False, slots=True)
class _Line:
    """A row whose reply is being drawn."""

    row: Row
    uniforms: Sequence[float]
    draft: Draft | None
    reply: list[int] = field(default_factory=list[int])

    @property
    def room(self) -> int:
        """Tokens that may follow the next one."""
        return self.row.room - len(self.reply) - 1

    def proposal(self, width: int) -> Sequence[int]:
        """Return at most `width` next tokens of the draft."""
        return () if self.draft is None else self.draft.propose(min(width, self.room))

    def keep(self, tokens: Sequence[int]) -> None:
        """Write tokens that the model has drawn to the reply."""
        self.reply += tokens
        if self.draft is not None:
            self.draft.follow(self.reply, len(tokens))


def fits(loaded: Loaded) -> bool:
    """Tell whether a model's cache can forget tokens: full attention in every layer, no encoder."""
    model, config = loaded.model, loaded.model.config.get_text_config()
    return (
        not loaded.is_encoder_decoder
        and full_attention(config)
        and {"position_ids", "logits_to_keep"} <= {*inspect.signature(model.forward).parameters}
        and config._attn_implementation in {"sdpa", "eager"}
    )


def full_attention(config: Any) -> bool:
    """Tell whether every layer sees all tokens before: no windows, no recurrent states."""
    kinds: Sequence[str] = getattr(config, "layer_types", None) or ()
    windows = getattr(config, "sliding_window", None) if not kinds else None
    return set(kinds) <= {"full_attention"} and not windows


def draw(loaded: Loaded, rows: Sequence[Row]) -> None:
    """Give each row its reply: token ids up to and with the end token, where it came.

    The rows have the same settings and the same room.
    """
    torch = library("torch")
    settings, ends = rows[0].settings, set(end_tokens(loaded))
    lines = [_Line(row, row.uniforms(), Draft(row.draft) if row.draft else None) for row in rows]
    tiny = loaded.device == "cpu" and loaded.model.num_parameters() < TINY
    alone = tiny and len(rows) <= FEW
    overhead, many = CPU if loaded.device == "cpu" else GPU
    if tiny:
        overhead, many = TINY_ON_CPU if alone else TINY_IN_A_BATCH
    with torch.inference_mode(), _one_thread(only=alone):
        cache = _read(loaded, rows)
        while lines:
            width = drafting.width([(line.draft, line.room) for line in lines], overhead, many)
            proposals = [line.proposal(width) for line in lines]
            drawn = _step(loaded, cache, lines, proposals)
            going: list[int] = []
            for place, line in enumerate(lines):
                kept, wanted = _watched(line.row, _holding(proposals[place], drawn[place], ends))
                line.keep(kept)
                cache.lengths[place] += len(kept)
                stopped = has_stopped(loaded.tokenizer, line.reply, len(kept), settings.stop)
                if kept[-1] in ends or line.room < 0 or stopped or not wanted:
                    line.row.end(line.reply)
                else:
                    going.append(place)
            if going and len(going) < len(lines):
                cache.select(going)
            lines = [lines[place] for place in going]


@contextmanager
def _one_thread(*, only: bool) -> Generator[None]:
    """Take one thread where a step has so little to do that a second one costs more."""
    torch = library("torch")
    before: int = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if only else before)
        yield
    finally:
        torch.set_num_threads(before)


def _watched(row: Row, tokens: list[int]) -> tuple[list[int], bool]:
    """Show tokens to whoever watches the row; return those that were wanted, and if more are."""
    if row.watch is not None:
        for place, token in enumerate(tokens, start=1):
            if not row.watch(token):
                return tokens[:place], False
    return tokens, True


def _read(loaded: Loaded, rows: Sequence[Row]) -> Cache:
    """Return the cache of all prompts but for their last tokens; equal prompts are read once."""
    prompts = list(dict.fromkeys(tuple(row.prompt[:-1]) for row in rows))
    cache = Cache(loaded.device)
    cache.lengths = [0] * len(prompts)
    if any(prompts):
        _run(loaded, cache, _filled(loaded, prompts, 0), keep=1)
    cache.lengths = [len(prompt) for prompt in prompts]
    places = {prompt: place for place, prompt in enumerate(prompts)}
    cache.select([places[tuple(row.prompt[:-1])] for row in rows])
    return cache


def _step(
    loaded: Loaded, cache: Cache, lines: Sequence[_Line], proposals: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Return what the model draws after each row's last token and after each proposed one."""
    last = [(line.reply or line.row.prompt)[-1] for line in lines]
    ids = [(one, *more) for one, more in zip(last, proposals, strict=True)]
    width = max(map(len, ids))
    logits_BTV = _run(loaded, cache, _filled(loaded, ids, 0), keep=width)
    numbers = [line.uniforms[len(line.reply) :][:width] for line in lines]
    # Near its end a row has fewer numbers than there are places.
    uniforms_N = _filled(loaded, numbers, 0.0)
    drawn_N = picked(logits_BTV.flatten(0, 1), uniforms_N.flatten(), lines[0].row.settings)
    return drawn_N.view(len(lines), width).tolist()


def _filled(loaded: Loaded, rows: Sequence[Sequence[float]], filler: float) -> Any:
    """Return rows of different lengths as one tensor, filled up on the right."""
    torch = library("torch")
    longest = max(map(len, rows))
    full = [[*row, *[filler] * (longest - len(row))] for row in rows]
    return torch.tensor(full, device=loaded.device)


def _run(loaded: Loaded, cache: Cache, ids_BT: Any, keep: int) -> Any:
    positions_BT = cache.positions(ids_BT.shape[1])
    # What fills a row up may lie behind the last position that the model knows.
    known = positions_BT.clamp(max=loaded.context - 1) if loaded.context else positions_BT
    return loaded.model(
        input_ids=ids_BT,
        position_ids=known,
        attention_mask=cache.mask(positions_BT, loaded.model.dtype),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=keep,
    ).logits


def _holding(draft: Sequence[int], drawn: Sequence[int], ends: Container[int]) -> list[int]:
    """Return the drawn tokens up to the first that is not the draft's, or that ends the reply."""
    kept: list[int] = []
    for place, token in enumerate(drawn):
        kept.append(token)
        if token in ends or place >= len(draft) or token != draft[place]:
            break
    return kept
