"""Which of several processes of one training this is, as torchrun and accelerate number them.

All of them train; the first alone writes and prints. This starts no process, and says to the
others only that it is there.

    python -m torch.distributed.run --nproc_per_node 2 -m selfdebug train sft runs/bugs ...
"""

from __future__ import annotations

import os


def count() -> int:
    """Return how many processes there are; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return this process's number, from 0 on; 0 without a launcher."""
    return int(os.environ.get("RANK", "0")) if count() > 1 else 0


def is_first() -> bool:
    """Tell whether this process is the one that writes and prints."""
    return rank() == 0


def wait(*, cpu: bool) -> None:
    """Return when every process has come here. cpu: they train without GPUs."""
    if count() == 1:
        return
    from selfdebug.backends.transformers.loading import libraries

    (accelerate,) = libraries("accelerate")
    accelerate.PartialState(cpu=cpu).wait_for_everyone()
