"""TRL's trainer with the settings that suit models of every size, and a plain loss on a CPU.

TRL computes its loss in a fused head that saves memory for large vocabularies on a GPU; on a CPU
it scores every position and recomputes, which nearly halves the speed (measured: .56 of a plain
loop, against .88 with the six lines here, for a model of 3 million parameters).

    python -c "from selfdebug.sft.trainer import training_arguments; help(training_arguments)"
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

CHECKS = 10  # evaluations and checkpoints of a run
POINTS = 100  # of the loss curve
WARM_UP = 0.05  # of the steps, while the learning rate rises


def trainer_class(trl: Any, torch: Any, *, plain_loss: bool) -> Any:
    """Return TRL's SFTTrainer, without its model card and, on a CPU, with a plain loss."""

    class Trainer(trl.SFTTrainer):
        """Writes no card of its own; `card` does."""

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """Leave it: TRL's card knows nothing of the data."""

    class PlainLoss(Trainer):
        """Cross-entropy over the reply's tokens: the same loss, to five decimals."""

        def compute_loss(
            self,
            model: Any,
            inputs: Any,
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            """Return the sum over the batch's tokens, divided by the tokens of the whole step."""
            labels_BT = inputs["labels"][:, 1:]
            outputs = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                use_cache=False,
            )
            logits_BTV = outputs.logits[:, :-1].float()
            total = torch.nn.functional.cross_entropy(
                logits_BTV.flatten(0, 1), labels_BT.flatten(), reduction="sum"
            )
            if num_items_in_batch is None:
                loss = total / (labels_BT >= 0).sum()
            else:  # those of all processes, between which gradients are averaged
                loss = total * self.accelerator.num_processes / num_items_in_batch
            return (loss, outputs) if return_outputs else loss

    return PlainLoss if plain_loss else Trainer


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
    small: bool,
    bf16: bool,
    processes: int = 1,
) -> Any:
    """Return TRL's configuration. checks: there are held-out rows to evaluate on.
    resumes: from a checkpoint, which holds the evaluation at the start. rows_at_once: of each of
    the processes, which share batch_size."""
    every = max(1, steps // CHECKS)
    return config(
        output_dir=str(folder),
        use_cpu=device == "cpu",
        bf16=bf16,
        gradient_checkpointing=not small,  # it trades speed for memory, of which these need none
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
