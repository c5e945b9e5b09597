"""TRL's GRPOTrainer with advantages of shape (B, T), on an in-process sampler.

It overrides methods that TRL does not promise to keep: TRL is pinned, and tests/test_rl.py holds
their shape. On a CPU log-probabilities come from plain logits, where TRL's fused head scores every
position and recomputes; a prompt is read once for all the replies to it, and no padding is.

    python -c "from selfdebug.rl.trainer import check_loss; help(check_loss)"
"""

from __future__ import annotations

from typing import Any

from selfdebug.backends.transformers.loading import libraries
from selfdebug.backends.transformers.stepping import full_attention
from selfdebug.rl import credit
from selfdebug.types import SelfdebugError

TOKEN_LOSSES = ("grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo")
DIVIDED_BY_ROW = ("grpo", "sapo")  # whose loss is a mean over rows of means over their tokens
DIVIDED_BY_PART = ("bnpo",)  # a mean over the tokens of one forward pass


def check_loss(loss: str, *, importance: str = "token", liger: bool = False) -> None:
    """Raise SelfdebugError for a loss that has one weight for a whole reply, not one a token.

    importance: TRL's importance_sampling_level. liger: whether its kernel computes the loss.
    """
    why = ""
    if loss not in TOKEN_LOSSES:
        why = f"loss {loss!r} weighs whole replies"
    elif importance != "token":
        why = "importance sampling by whole replies mixes the spans"
    elif liger:
        why = "liger's kernel takes one advantage a reply"
    if why:
        losses = ", ".join(TOKEN_LOSSES)
        raise SelfdebugError(f"{why}: credit for single tokens needs one of {losses}")


def trainer_class(trl: Any, torch: Any, *, plain_logits: bool) -> Any:
    """Return the trainer; give it a `rollout` (see `rollout.Rollout`) beside TRL's arguments."""
    (trl_utils,) = libraries("trl.trainer.utils")

    class SpanTrainer(trl.GRPOTrainer):
        """Centres each reward in its group, and puts it on its own tokens."""

        def __init__(self, *, rollout: Any, args: Any, **others: Any) -> None:
            check_loss(
                args.loss_type,
                importance=args.importance_sampling_level,
                liger=args.use_liger_kernel,
            )
            trl_trainer: Any = super()
            trl_trainer.__init__(rollout_func=rollout, args=args, **others)
            self._rollout = rollout
            self._rewards_BK: Any = None

        def _calculate_rewards(self, inputs: Any, *others: Any) -> Any:
            self._rollout.finish(inputs)
            trl_trainer: Any = super()
            self._rewards_BK = trl_trainer._calculate_rewards(inputs, *others)
            return self._rewards_BK

        def _prepare_inputs(self: Any, generation_batch: Any) -> Any:
            """Split a step's replies without shuffling them: those to one prompt stay together."""
            parts = self.args.steps_per_generation
            if self._step % (parts * self.num_iterations) == 0 or self._buffered_inputs is None:
                replies = self._generate_and_score_completions(generation_batch)
                self._buffered_inputs = trl_utils.split_tensor_dict(replies, parts)
            return self._buffered_inputs[self._step % parts]

        def _generate_and_score_completions(self: Any, inputs: Any) -> Any:
            trl_trainer: Any = super()
            output: Any = trl_trainer._generate_and_score_completions(inputs)
            mask_BT, group = output["completion_mask"], self.num_generations
            rewards_BK = self._rewards_BK * self._rollout.weights.to(mask_BT.device)
            malformed_B = self._rollout.malformed(inputs).to(mask_BT.device)
            rewards_BK = credit.with_least(rewards_BK, malformed_B, group)
            spans_BKT = self._rollout.spans(inputs, mask_BT.shape[1]).to(mask_BT.device)
            credit_BT = credit.advantages(credit.centred(rewards_BK, group), spans_BKT, group)
            # What the loss will divide by: the length of the row, the mean of its part or of all.
            divisor = mask_BT.sum(dim=-1, keepdim=True).float()
            if self.args.loss_type in DIVIDED_BY_PART:  # parts are of unlike lengths
                rows = self.args.per_device_train_batch_size
                divisor = divisor.view(-1, rows, 1).mean(dim=1).repeat_interleave(rows, dim=0)
            elif self.args.loss_type not in DIVIDED_BY_ROW:
                divisor = divisor.mean()
            output["advantages"] = credit_BT * divisor
            measured = self._rollout.learn(inputs, self._rewards_BK, self.state.global_step)
            for name, value in measured.items():
                self._metrics["train"][name].append(value)
            return output

        def _save_checkpoint(self: Any, model: Any, trial: Any) -> None:
            folder = f"{self.args.output_dir}/checkpoint-{self.state.global_step}"
            self._rollout.save(folder)  # first: a checkpoint counts once TRL's own part is there
            trl_trainer: Any = super()
            trl_trainer._save_checkpoint(model, trial)

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """Leave it: TRL's card knows nothing of the data."""

    class PlainLogits(SpanTrainer):
        """Scores the replies' tokens alone, without recomputing."""

        def _get_per_token_logps_and_entropies(
            self, model: Any, ids_BT: Any, mask_BT: Any, kept: int, batch_size: int = 0, **_: Any
        ) -> Any:
            rows = batch_size or len(ids_BT)
            parts = zip(ids_BT.split(rows), mask_BT.split(rows), strict=True)
            found = [self._of_tokens(model, ids, mask, kept) for ids, mask in parts]
            return *(torch.cat(values) for values in zip(*found, strict=True)), None

        def _of_tokens(self, model: Any, ids_BT: Any, mask_BT: Any, kept: int) -> Any:
            """Leave out the columns that are padding in every row; what they would score is 0."""
            used_T = mask_BT.any(dim=0).nonzero()
            start, end = int(used_T.min()), int(used_T.max()) + 1
            padding = mask_BT.shape[1] - end
            found = self._scored(model, ids_BT[:, start:end], mask_BT[:, start:end], kept - padding)
            return (torch.nn.functional.pad(values, (0, padding)) for values in found)

        def _scored(self, model: Any, ids_BT: Any, mask_BT: Any, kept: int) -> Any:
            shares = full_attention(model.config.get_text_config())
            with self.accelerator.autocast():
                if shares and not self.args.gradient_checkpointing:
                    logits_BTV = replies_logits(model, ids_BT, mask_BT, kept)
                else:  # a layer without a cache of keys, or one that is computed anew
                    logits_BTV = model(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False,
                                       logits_to_keep=kept + 1).logits[:, :-1]  # fmt: skip
            logps_BTV = (logits_BTV.float() / self.temperature).log_softmax(dim=-1)
            with torch.no_grad():
                entropies_BT = -(logps_BTV.exp() * logps_BTV).sum(dim=-1)
            return logps_BTV.gather(-1, ids_BT[:, -kept:, None]).squeeze(-1), entropies_BT

    return PlainLogits if plain_logits else SpanTrainer


def replies_logits(model: Any, ids_BT: Any, mask_BT: Any, kept: int) -> Any:
    """Return what the model says before each of a row's last `kept` tokens, shape (B, kept, V).

    Rows with the same prompt share its keys and values, forwards and backwards.
    """
    torch, transformers = libraries("torch", "transformers")
    prompts_B2T = torch.stack([ids_BT[:, :-kept], mask_BT[:, :-kept]], dim=1)
    distinct_G2T, group_B = torch.unique(prompts_B2T, dim=0, return_inverse=True)
    ids_GT, mask_GT = distinct_G2T.unbind(dim=1)
    cache = transformers.DynamicCache()
    first_G1V = model(
        input_ids=ids_GT, attention_mask=mask_GT, past_key_values=cache, use_cache=True,
        logits_to_keep=1,
    ).logits  # fmt: skip
    cache.batch_select_indices(group_B)
    rest_BTV = model(
        input_ids=ids_BT[:, -kept:], attention_mask=mask_BT, past_key_values=cache, use_cache=True
    ).logits
    return torch.cat([first_G1V[group_B], rest_BTV[:, :-1]], dim=1)
