"""Keys and values of a batch whose rows advance by different numbers of tokens.

A row's token at position p lies in column p, whatever the other rows do: what a row has not kept
is written over by what it draws next, and no query sees past its own position. Nothing is shifted
and nothing is padded on the left. It holds full attention alone, no windows and no recurrent
states.

    python -c "from selfdebug.backends.transformers.cache import Cache; help(Cache)"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfdebug.backends.transformers.loading import libraries

STRIDE = 256  # columns that are added at a time


class Cache:
    """What models ask of transformers' own `Cache`: `update` and `get_seq_length`."""

    def __init__(self, device: str) -> None:
        """Begin with nothing; set `lengths` before each call of the model."""
        (self._torch,) = libraries("torch")
        self._device = device
        self._layers: list[list[Any]] = []  # [keys, values] (B, H, columns, D)
        self.lengths: list[int] = []  # of each row: tokens that are kept

    def positions(self, tokens: int) -> Any:
        """Return the positions (B, T) of the next tokens."""
        torch = self._torch
        starts_B = torch.tensor(self.lengths, device=self._device)
        return starts_B[:, None] + torch.arange(tokens, device=self._device)

    def mask(self, positions_BT: Any, dtype: Any) -> Any:
        """Return what is added to the scores (B, 1, T, columns): a query sees up to itself."""
        torch = self._torch
        columns = torch.arange(max(self.lengths) + positions_BT.shape[1], device=self._device)
        hidden = columns > positions_BT[:, None, :, None]
        zeros = torch.zeros(hidden.shape, dtype=dtype, device=self._device)
        return zeros.masked_fill_(hidden, torch.finfo(dtype).min)

    def update(
        self, keys_BHTD: Any, values_BHTD: Any, layer: int, *_: Any, **__: Any
    ) -> tuple[Any, Any]:
        """Write the next tokens' keys and values of one layer; return all up to the last one's."""
        tokens = keys_BHTD.shape[2]
        end = max(self.lengths) + tokens
        if layer == len(self._layers):
            self._layers.append([keys_BHTD[:, :, :0], values_BHTD[:, :, :0]])
        held = self._layers[layer]
        for part, new_BHTD in enumerate((keys_BHTD, values_BHTD)):
            if held[part].shape[2] < end:
                held[part] = self._longer(held[part], end)
            self._write(held[part], new_BHTD, tokens)
        return held[0][:, :, :end], held[1][:, :, :end]

    def get_seq_length(self, layer: int = 0) -> int:
        """Return how many tokens the longest row has."""
        del layer  # all have the same
        return max(self.lengths, default=0)

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may be taken several times."""
        if list(rows) == list(range(len(self.lengths))):
            return
        index_B = self._torch.tensor(rows, device=self._device)
        self._layers = [[part[index_B] for part in held] for held in self._layers]
        self.lengths = [self.lengths[row] for row in rows]

    def _longer(self, part_BHTD: Any, end: int) -> Any:
        rows, heads, columns, size = part_BHTD.shape
        # Zeros, not whatever was in memory: a score that is masked may still not be NaN.
        longer = part_BHTD.new_zeros(rows, heads, -(-end // STRIDE) * STRIDE, size)
        longer[:, :, :columns] = part_BHTD
        return longer

    def _write(self, part_BHTD: Any, new_BHTD: Any, tokens: int) -> None:
        start = self.lengths[0]
        if all(length == start for length in self.lengths):
            part_BHTD[:, :, start : start + tokens] = new_BHTD
            return
        rows_B1 = self._torch.arange(len(self.lengths), device=self._device)[:, None]
        part_BHTD[rows_B1, :, self.positions(tokens)] = new_BHTD.transpose(1, 2)
