"""An Ollama Modelfile: the context said outright, and the chat template in Ollama's own language.

Ollama reads 4,096 tokens of any model unless it is told otherwise, and knows the templates of well-
known models alone. The template is not translated but observed: what the tokenizer writes before,
between and after the turns of a conversation.

    python -c "from selfdebug.publish.ollama import turns; help(turns)"
"""

from __future__ import annotations

from typing import Any

from selfdebug import prompts
from selfdebug.backends.transformers.loading import Loaded
from selfdebug.types import SelfdebugError

DEFAULT = 4_096  # tokens, of a model that says no limit
TURNS = ("first?", "one.", "second?", "two.", "third?")


def modelfile(loaded: Loaded, weights: str) -> str:
    """Return the Modelfile of a GGUF file in the same folder."""
    tokenizer = loaded.tokenizer
    before, to_assistant, to_user, after = turns(tokenizer)
    template = (
        '{{ range $i, $m := .Messages }}{{ if eq $m.Role "assistant" }}'
        f"{to_assistant}{{{{ else if $i }}}}{to_user}{{{{ else }}}}{before}{{{{ end }}}}"
        f"{{{{ $m.Content }}}}{{{{ end }}}}{after}"
    )
    stops = [tokenizer.eos_token]
    if tokenizer.chat_template == prompts.CHAT_TEMPLATE:
        stops.append(prompts.NEXT_TURN.strip())
    lines = [
        f"FROM ./{weights}",
        f'TEMPLATE """{template}"""',
        f"PARAMETER num_ctx {loaded.context or DEFAULT}",
        *(f'PARAMETER stop "{stop}"' for stop in stops),
    ]
    return "\n".join(lines) + "\n"


def turns(tokenizer: Any) -> tuple[str, str, str, str]:
    """Return what stands before the first turn, the assistant's, a later user's, and at the end.

    Raises SelfdebugError for a template that these four do not describe.
    """
    text = _rendered(tokenizer, TURNS)
    parts: list[str] = []
    for turn in TURNS:
        part, found, text = text.partition(turn)
        if not found:
            raise SelfdebugError("the chat template leaves out turns: no Modelfile describes it")
        parts.append(part)
    before, to_assistant, to_user, *same = parts
    alone = _rendered(tokenizer, TURNS[:1])
    if same != [to_assistant, to_user] or alone != before + TURNS[0] + text:
        raise SelfdebugError("the chat template treats turns unalike: no Modelfile describes it")
    return before, to_assistant, to_user, text


def _rendered(tokenizer: Any, said: tuple[str, ...]) -> str:
    roles = ("user", "assistant") * len(said)
    messages = [{"role": r, "content": c} for r, c in zip(roles, said, strict=False)]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
