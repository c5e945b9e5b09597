"""TRL's trainer with the settings that suit models of every size, and a loss for CPUs.

On a GPU TRL's own fused head makes logits for the replies' tokens alone, piece by piece. On a CPU
it makes them for every position and once more going back; there the loss below takes its place.

    python -c "from selfdebug.sft.trainer import training_arguments; help(training_arguments)"
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selfdebug.sft.rows import IGNORED

CHECKS = 10  # evaluations and checkpoints of a run
POINTS = 100  # of the loss curve
WARM_UP = 0.05  # of the steps, while the learning rate rises


def trainer_class(trl: Any, torch: Any, *, on_cpu: bool) -> Any:
    """Return TRL's SFTTrainer, without its model card and, on a CPU, with a loss of ours."""

    class Trainer(trl.SFTTrainer):
        """Writes no card of its own; `card` does."""

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """Leave it: TRL's card knows nothing of the data."""

    class ReplyLoss(Trainer):
        """The same loss, to five decimals, from logits of the replies' tokens alone."""

        def compute_loss(
            self,
            model: Any,
            inputs: Any,
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            """Return the sum over the batch's tokens, divided by the tokens of the whole step."""
            labels_BT = torch.nn.functional.pad(inputs["labels"][:, 1:], (0, 1), value=IGNORED)
            wanted_BT = labels_BT != IGNORED
            # Rows are filled up on the right, where causal attention does not look: no mask.
            # What is computed anew going back would be computed without the hooks.
            deep = not self.args.gradient_checkpointing
            with positions(self.accelerator.unwrap_model(model), wanted_BT, deep=deep):
                outputs = model(input_ids=inputs["input_ids"], use_cache=False)
            total = torch.nn.functional.cross_entropy(
                outputs.logits.float(), labels_BT[wanted_BT], reduction="sum"
            )
            if num_items_in_batch is None:
                num_items_in_batch = wanted_BT.sum()
            elif self.args.average_tokens_across_devices:
                total = total * self.accelerator.num_processes  # whose mean the gradient becomes
            loss = total / num_items_in_batch
            return (loss, outputs) if return_outputs else loss

    return ReplyLoss if on_cpu else Trainer


@contextmanager
def positions(model: Any, wanted_BT: Any, *, deep: bool) -> Generator[None]:
    """Have the model's head make logits (N, V) for the wanted positions, one after the other.

    deep: nor does the last layer's MLP, which works on each position by itself, see the others.
    """

    def choose(_module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0][wanted_BT],)

    def put_back(_module: Any, _inputs: Any, found_NH: Any) -> Any:
        every_BTH = found_NH.new_zeros(*wanted_BT.shape, found_NH.shape[-1])
        every_BTH[wanted_BT] = found_NH
        return every_BTH

    hooks = [model.get_output_embeddings().register_forward_pre_hook(choose)]
    mlps = [module for name, module in model.named_modules() if name.endswith(".mlp")]
    if deep and mlps and not hasattr(mlps[-1], "experts"):
        hooks += [mlps[-1].register_forward_pre_hook(choose)]
        hooks += [mlps[-1].register_forward_hook(put_back)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def training_arguments(
    config: Any,
    *,
    folder: Path,
    device: str,
    steps: int,
    rows_at_once: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    checks: bool,
    resumes: bool,
    checkpointing: bool,
    bf16: bool,
    processes: int = 1,
) -> Any:
    """Return TRL's configuration. checks: there are held-out rows to evaluate on.
    resumes: from a checkpoint, which holds the evaluation at the start. rows_at_once: of each of
    the processes, which share batch_size. checkpointing: compute layers anew going back, which
    trades speed for memory."""
    every = max(1, steps // CHECKS)
    return config(
        output_dir=str(folder),
        use_cpu=device == "cpu",
        bf16=bf16,
        gradient_checkpointing=checkpointing,
        per_device_train_batch_size=rows_at_once,
        per_device_eval_batch_size=rows_at_once,
        gradient_accumulation_steps=math.ceil(batch_size / (rows_at_once * processes)),
        num_train_epochs=1,  # the rows are there as often as they are to be learned
        learning_rate=learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(WARM_UP * steps),
        seed=seed,
        train_sampling_strategy="sequential",  # `rows.schedule` has put them in order
        max_length=None,  # the rows are whole, and none is too long
        shuffle_dataset=False,
        eval_strategy="steps" if checks else "no",
        eval_on_start=checks and not resumes,
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=checks,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        logging_steps=max(1, steps // POINTS),
        dataloader_pin_memory=device != "cpu",
        disable_tqdm=True,
        ddp_find_unused_parameters=False,
        report_to="none",
    )
