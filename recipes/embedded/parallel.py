"""Several processes that train one model together, each on its share of every step.

Two threads of one process gain nothing on matrices as small as the embedded model's; two processes
with a thread each learn 1.5 times as fast. torch's launcher starts them; one process alone
passes through here unchanged. For CPUs: a GPU learns this model in minutes by itself.

    torchrun --nproc-per-node 2 -m recipes.pretrain_embedded train --out runs/embedded --threads 1
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from selfdebug import ranks


def join() -> None:
    """Meet the other processes of the launcher, if there are any."""
    if ranks.count() > 1:
        from torch import distributed

        distributed.init_process_group("gloo")


@contextmanager
def first_goes_ahead() -> Iterator[None]:
    """Let the first process do the enclosed alone, and the others after it: it writes files."""
    if ranks.count() == 1:
        yield
        return
    from torch import distributed

    if not ranks.is_first():
        distributed.barrier()
    yield
    if ranks.is_first():
        distributed.barrier()


def agreed(value: float) -> float:
    """Return the first process's value, in every process."""
    if ranks.count() == 1:
        return value
    import torch
    from torch import distributed

    told = torch.tensor([value], dtype=torch.float64)
    distributed.broadcast(told, src=0)
    return float(told)


def summed(model: Any, loss: float) -> float:
    """Add up the gradients of all processes; return the sum of their losses."""
    if ranks.count() == 1:
        return loss
    import torch
    from torch import distributed

    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([*(g.flatten() for g in gradients), gradients[0].new_tensor([loss])])
    distributed.all_reduce(flat)
    at = 0
    for gradient in gradients:
        gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
        at += gradient.numel()
    return float(flat[-1])
