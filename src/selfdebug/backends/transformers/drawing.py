"""Draw the replies of one batch of prompts, each from random numbers of its own.

A token is drawn by inverting the distribution's cumulative sum at one uniform number a step
(Devroye 1986, chapter III.2), and the numbers belong to the row: the other rows of a batch, their
order and their number change a reply only where rounding does. The tokens themselves come from
transformers' `generate`, which runs every model; `stepping` draws the same ones faster for most.
Nothing of a model's own generation settings is used but its end tokens.

    python -c "from selfdebug.backends.transformers.drawing import draw; help(draw)"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from selfdebug.backends.transformers.batching import Row
from selfdebug.backends.transformers.loading import Loaded, libraries, library
from selfdebug.types import Sampling

PART = 32  # tokens between two looks at which rows have ended
TAIL = 16  # tokens that a stop text may take

Processor = Callable[[Any, Any], Any]


def draw(loaded: Loaded, rows: Sequence[Row]) -> None:
    """Give each row its reply: token ids up to and with the end token, where it came.

    The rows have the same settings and the same room. Rows that have ended leave the batch every
    few tokens, so that a long reply does not keep the short ones' places busy. A row that is
    watched ends at once.
    """
    torch, transformers = libraries("torch", "transformers")
    settings, room, apart = rows[0].settings, rows[0].room, loaded.is_encoder_decoder
    tokenizer, ends = loaded.tokenizer, end_tokens(loaded)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    ids_BT, mask_BT = _padded(torch, loaded, rows, pad)
    start = 1 if apart else ids_BT.shape[1]
    uniforms_BT = torch.tensor([row.uniforms() for row in rows], device=loaded.device)
    left: list[Row] = list(rows)
    drawn, cache = 0, None
    while left:
        # An encoder-decoder model's cache is not taken up again: it draws all at once.
        part = room if apart else min(PART, room - drawn)
        sampler = _sampler(uniforms_BT, start, settings)
        with torch.inference_mode():
            out = loaded.model.generate(
                input_ids=ids_BT,
                attention_mask=mask_BT,
                past_key_values=cache,
                generation_config=_config(transformers, loaded, part, ends, pad),
                logits_processor=[sampler] if settings.temperature > 0 else [],
                stopping_criteria=_watchers(torch, left, start, ends),
            )
        drawn += part
        going: list[int] = []
        for place, row in enumerate(left):
            if row.reply is not None:
                continue
            reply = _until(out.sequences[place, start:].tolist(), ends)
            if (
                drawn >= room
                or reply[-1] in ends
                or has_stopped(tokenizer, reply, part, settings.stop)
            ):
                row.end(reply)
            else:
                going.append(place)
        if not going:
            return
        kept_B = torch.tensor(going, device=loaded.device)
        ids_BT, uniforms_BT, cache = out.sequences[kept_B], uniforms_BT[kept_B], out.past_key_values
        cache.batch_select_indices(kept_B)
        # Whoever goes on has drawn every token of this part.
        mask_BT = torch.cat([mask_BT[kept_B], torch.ones_like(ids_BT[:, -part:])], dim=1)
        left = [left[place] for place in going]


def _watchers(torch: Any, rows: Sequence[Row], start: int, ends: Sequence[int]) -> list[Any]:
    """Return what `generate` asks after each token which rows are done: those that watchers end."""
    if not any(row.watch for row in rows):
        return []  # looking at a token waits for the GPU

    def ended(ids_BT: Any, _scores: Any) -> Any:
        for place, (row, token) in enumerate(zip(rows, ids_BT[:, -1].tolist(), strict=True)):
            # What fills the places after a row's end is no token of it.
            if row.watch is None or row.reply is not None:
                continue
            if not row.watch(token) or token in ends:
                row.end(ids_BT[place, start:].tolist())
        done = [row.watch is not None and row.reply is not None for row in rows]
        return torch.tensor(done, device=ids_BT.device)

    return [ended]


def end_tokens(loaded: Loaded) -> list[int]:
    """Return the ids that end a reply: the tokenizer's and the model's own."""
    said: Any = loaded.model.generation_config.eos_token_id
    own: list[int] = [] if said is None else [said] if isinstance(said, int) else list(said)
    return sorted({loaded.tokenizer.eos_token_id, *own})


def picked(scores_NV: Any, uniforms_N: Any, settings: Sampling) -> Any:
    """Return the tokens (N) that the numbers pick by the scores; the best at temperature 0."""
    torch = library("torch")
    if settings.temperature == 0:
        return scores_NV.argmax(dim=-1)
    scores_NV = scores_NV.float() / settings.temperature
    if settings.top_p < 1:
        scores_NV = library("transformers").TopPLogitsWarper(settings.top_p)(None, scores_NV)
    sums_NV = torch.softmax(scores_NV, dim=-1).cumsum(dim=-1)
    # In 32 bits the largest number below 1 must stay below 1, and the last sum is not quite 1.
    goal_N1 = uniforms_N.clamp(max=1 - 2**-24)[:, None] * sums_NV[:, -1:]
    return torch.searchsorted(sums_NV, goal_N1, right=True)[:, 0].clamp(max=scores_NV.shape[1] - 1)


def has_stopped(tokenizer: Any, reply: Sequence[int], new: int, stops: Sequence[str]) -> bool:
    """Tell whether a stop text has come with the last `new` tokens."""
    text: str = tokenizer.decode(reply[-new - TAIL :]) if stops else ""
    return any(stop in text for stop in stops)


def _padded(torch: Any, loaded: Loaded, rows: Sequence[Row], pad: int) -> tuple[Any, Any]:
    """Return prompts and their mask (B, T): decoders are padded on the left, encoders right."""
    longest = max(len(row.prompt) for row in rows)
    ids: list[list[int]] = []
    mask: list[list[int]] = []
    for row in rows:
        empty = longest - len(row.prompt)
        parts, ones = [[pad] * empty, list(row.prompt)], [[0] * empty, [1] * len(row.prompt)]
        if loaded.is_encoder_decoder:
            parts.reverse()
            ones.reverse()
        ids.append(parts[0] + parts[1])
        mask.append(ones[0] + ones[1])
    return torch.tensor(ids, device=loaded.device), torch.tensor(mask, device=loaded.device)


def _config(transformers: Any, loaded: Loaded, tokens: int, ends: Sequence[int], pad: int) -> Any:
    return transformers.GenerationConfig(
        max_new_tokens=tokens,
        do_sample=False,  # the sampler leaves one token to choose
        pad_token_id=pad,
        eos_token_id=list(ends),
        bos_token_id=loaded.tokenizer.bos_token_id,
        decoder_start_token_id=_decoder_start(loaded),
        return_dict_in_generate=True,
    )


def _decoder_start(loaded: Loaded) -> int | None:
    if not loaded.is_encoder_decoder:
        return None
    config = loaded.model.config
    said = loaded.model.generation_config.decoder_start_token_id
    start = said if said is not None else getattr(config, "decoder_start_token_id", None)
    return start if start is not None else loaded.tokenizer.pad_token_id


def _sampler(uniforms_BT: Any, start: int, settings: Sampling) -> Processor:
    """Return a processor that leaves each row the one token that its number picks."""

    def pick(ids_BT: Any, scores_BV: Any) -> Any:
        uniforms_B = uniforms_BT[:, ids_BT.shape[1] - start]
        picked_B1 = picked(scores_BV, uniforms_B, settings)[:, None]
        return scores_BV.new_full(scores_BV.shape, float("-inf")).scatter(1, picked_B1, 0.0)

    return pick


def _until(tokens: list[int], ends: Sequence[int]) -> list[int]:
    """Return the tokens up to the end token, without what fills the row after it."""
    ended = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: ended + 1]
