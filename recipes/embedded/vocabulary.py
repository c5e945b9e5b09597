"""The embedded model's tokenizer: byte-level BPE, one token for each fixed sentence and digit.

The sentences that `selfdebug.prompts`, `stages`, `explanations` and the feedback always say alike
are single tokens, and so are fences and field names: a conversation is little more than its
programs and values. It trains the tokenizer and reads no data.

    python -c "from recipes.embedded import vocabulary; print(len(vocabulary.sentences()))"
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from selfdebug import prompts, stages
from selfdebug.explanations import CORRECT
from selfdebug.feedback.failing_test import WHAT
from selfdebug.publish.tokens import QWEN  # so that llama.cpp can split texts alike

SIZE = 1_024
PASSING = "No visible test fails."  # what `failing_test` says of a right program
PAD, END, USER, ASSISTANT = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"
# A user's turn ends where the assistant's begins; the assistant's own ends with END.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
    "{% else %}<|user|>{{ message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def sentences() -> list[str]:
    """Return the texts that are one token each."""
    names = prompts.NAMES.values()
    asked = {ask.format(language=name) for ask in prompts.ASK.values() for name in names}
    fixed = [*asked, PASSING, stages.RECOGNISE, *CORRECT, *WHAT.values()]
    fields = [f"{name + ':':<9} " for name in ("Input", "Expected", "Got", "Error", "Check")]
    fences = [f"```{language}\n" for language in prompts.NAMES] + ["\n```"]
    return sorted({*fixed, *fields, *fences})


def trained(texts: Iterable[str]) -> Any:
    """Return a PreTrainedTokenizerFast of SIZE tokens, trained on texts."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    fixed = sentences()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE - len(fixed),
        special_tokens=[PAD, END, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        min_frequency=2,
    )
    tokenizer.train_from_iterator(_without(fixed, texts), trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in fixed])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=1_024,
        padding_side="left",
    )


def _without(fixed: list[str], texts: Iterable[str]) -> Iterable[str]:
    found = re.compile("|".join(map(re.escape, fixed)))
    return (found.sub("\n", text) for text in texts)
