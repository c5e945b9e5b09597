"""The settings of TRL's GRPO that suit models of every size.

python -c "from selfdebug.rl.arguments import grpo_arguments; help(grpo_arguments)"
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

WARM_UP = 5  # steps, while the learning rate rises


def grpo_arguments(
    grpo_config: Any, settings: Any, *, folder: Path, device: str, small: bool, bf16: bool
) -> Any:
    """Return TRL's configuration for the settings of `rl.Settings`.

    One step is one batch of prompts, sampled by the policy that is then changed: every step is a
    boundary at which a run can be resumed to the bit.
    """
    rows = settings.prompts * settings.replies
    at_once = min(settings.rows_at_once or (32 if small else 4), rows)
    at_once = math.gcd(at_once, rows)
    return grpo_config(
        output_dir=str(folder),
        use_cpu=device == "cpu",
        bf16=bf16,
        gradient_checkpointing=not small,  # it trades speed for memory, of which these need none
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=rows // at_once,
        steps_per_generation=rows // at_once,
        num_generations=settings.replies,
        max_completion_length=settings.max_tokens,
        temperature=settings.temperature,
        max_steps=settings.steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=WARM_UP,
        beta=settings.kl,
        loss_type=settings.loss,
        importance_sampling_level="token",
        scale_rewards="none",
        disable_dropout=True,  # what was sampled without is scored without
        shuffle_dataset=False,  # the prompts are numbers
        seed=settings.seed,
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=2,
        logging_steps=1,
        dataloader_pin_memory=device != "cpu",
        disable_tqdm=True,
        report_to="none",
    )
