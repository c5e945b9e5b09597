"""Draw the replies of one batch of prompts, each from random numbers of its own.

A token is drawn by inverting the distribution's cumulative sum at one uniform number a step
(Devroye 1986, chapter III.2), and the numbers belong to the row: the other rows of a batch, their
order and their number change a reply only where rounding does. The tokens themselves come from
transformers' `generate`. Nothing of a model's own generation settings is used but its end tokens.

    python -c "from selfdebug.backends.transformers.drawing import draw; help(draw)"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from selfdebug.backends.transformers.batching import Row
from selfdebug.backends.transformers.loading import Loaded, libraries

LOOK_EVERY = 8  # steps between two searches for a stop text: decoding costs time
TAIL = 24  # tokens that are searched: a stop text and what came since the last search

Processor = Callable[[Any, Any], Any]


def draw(loaded: Loaded, rows: Sequence[Row]) -> None:
    """Give each row its reply: token ids up to and with the end token, where it came.

    The rows have the same settings and the same room.
    """
    torch, transformers = libraries("torch", "transformers")
    settings, room = rows[0].settings, rows[0].room
    tokenizer = loaded.tokenizer
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    ends = end_tokens(loaded)
    ids_BT, mask_BT = _padded(torch, loaded, rows, pad)
    start = 1 if loaded.is_encoder_decoder else ids_BT.shape[1]
    config = transformers.GenerationConfig(
        max_new_tokens=room,
        do_sample=False,
        pad_token_id=pad,
        eos_token_id=ends,
        bos_token_id=tokenizer.bos_token_id,
        decoder_start_token_id=_decoder_start(loaded),
    )
    processors: list[Processor] = []
    if settings.temperature > 0:
        top_p = settings.top_p
        narrow = transformers.TopPLogitsWarper(top_p) if top_p < 1 else None
        numbers = [row.uniforms() for row in rows]
        # In 32 bits the largest number below 1 must stay below 1.
        uniforms_BT = torch.tensor(numbers, device=loaded.device).clamp(max=1 - 2**-24)
        processors.append(_sampler(torch, uniforms_BT, start, settings.temperature, narrow))
    stops = [_stopper(torch, tokenizer, settings.stop, start)] if settings.stop else []
    with torch.inference_mode():
        out_BT = loaded.model.generate(
            input_ids=ids_BT,
            attention_mask=mask_BT,
            generation_config=config,
            logits_processor=processors,
            stopping_criteria=stops,
        )
    for row, out_T in zip(rows, out_BT[:, start:].tolist(), strict=True):
        row.reply = _until(out_T, ends, pad if pad not in ends else None)


def end_tokens(loaded: Loaded) -> list[int]:
    """Return the ids that end a reply: the tokenizer's and the model's own."""
    said: Any = loaded.model.generation_config.eos_token_id
    own: list[int] = [] if said is None else [said] if isinstance(said, int) else list(said)
    return sorted({loaded.tokenizer.eos_token_id, *own})


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


def _decoder_start(loaded: Loaded) -> int | None:
    if not loaded.is_encoder_decoder:
        return None
    config = loaded.model.config
    said = loaded.model.generation_config.decoder_start_token_id
    start = said if said is not None else getattr(config, "decoder_start_token_id", None)
    return start if start is not None else loaded.tokenizer.pad_token_id


def _sampler(
    torch: Any, uniforms_BT: Any, start: int, temperature: float, narrow: Processor | None
) -> Processor:
    """Return a processor that leaves each row the one token that its number picks."""

    def pick(ids_BT: Any, scores_BV: Any) -> Any:
        scores_BV = scores_BV.float() / temperature
        if narrow is not None:
            scores_BV = narrow(ids_BT, scores_BV)
        sums_BV = torch.softmax(scores_BV, dim=-1).cumsum(dim=-1)
        # Rounding leaves the last sum a little beside 1.
        goal_B1 = uniforms_BT[:, ids_BT.shape[1] - start, None] * sums_BV[:, -1:]
        picked_B1 = torch.searchsorted(sums_BV, goal_B1, right=True)
        picked_B1 = picked_B1.clamp(max=scores_BV.shape[1] - 1)
        only_BV = torch.full_like(scores_BV, float("-inf"))
        return only_BV.scatter(1, picked_B1, 0.0)

    return pick


def _stopper(torch: Any, tokenizer: Any, stops: Sequence[str], start: int) -> Callable[..., Any]:
    """Return a criterion that ends the rows in which a stop text has come."""

    def stopped(ids_BT: Any, scores: Any, **_: Any) -> Any:
        del scores
        new = ids_BT.shape[1] - start
        if new % LOOK_EVERY:
            return torch.zeros(len(ids_BT), dtype=torch.bool, device=ids_BT.device)
        texts = tokenizer.batch_decode(ids_BT[:, max(start, ids_BT.shape[1] - TAIL) :])
        found = [any(stop in text for stop in stops) for text in texts]
        return torch.tensor(found, device=ids_BT.device)

    return stopped


def _until(tokens: list[int], ends: Sequence[int], pad: int | None) -> list[int]:
    """Return the tokens up to the end token, without what fills the row after it."""
    for place, token in enumerate(tokens):
        if token in ends:
            return tokens[: place + 1]
    while pad is not None and tokens and tokens[-1] == pad:  # ended by a stop text
        tokens = tokens[:-1]
    return tokens
