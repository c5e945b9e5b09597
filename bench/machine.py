"""A row of bench/RESULTS.md, and what it says of the machine that it was measured on.

python bench/machine.py
"""

from __future__ import annotations

import datetime
import os
import platform

import torch

from selfdebug.backends.transformers.loading import has_bfloat16


def described(dtype: str = "") -> str:
    """Return cores, versions, number type, load and day."""
    cores = len(os.sched_getaffinity(0))
    number = dtype or ("bfloat16" if has_bfloat16(torch, "cpu") else "float32")
    lacks = "" if has_bfloat16(torch, "cpu") else " (no bfloat16 here)"
    load = os.getloadavg()[0]
    return (
        f"{cores} cores, {platform.machine()}, torch {torch.__version__}, {number}{lacks}, "
        f"load {load:.1f}, {datetime.date.today()}"
    )


def say(what: str, peer: str, ratio: float, figures: str, dtype: str = "") -> None:
    """Print a row at once: the next one may take an hour."""
    print(f"| {what} | {peer} | {ratio:.2f} x | {figures} | {described(dtype)} |", flush=True)


if __name__ == "__main__":
    print(described())
