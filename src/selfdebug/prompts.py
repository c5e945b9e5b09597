"""Requests to the messages that a model reads, and replies back to programs with exact spans.

The conversation is LeDex's (Jiang et al. 2024): the task, the wrong program as the model's own
turn, the feedback, and then the explanation before the mended program. A reply is read leniently,
as models differ, but what is taken out of it is exact: `text[start:end]` of a span is the
explanation or the program, character by character. It never parses or runs a reply.

    python -c "from selfdebug import prompts; print(prompts.parse('python', 'x = 1').spans)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from selfdebug.types import Completion, Language, Mode, Request

Span = tuple[int, int]

NAMES: dict[Language, str] = {"python": "Python", "javascript": "JavaScript"}
TAGS: dict[Language, tuple[str, ...]] = {
    "python": ("python", "py", "python3"),
    "javascript": ("javascript", "js", "jsx", "node", "mjs", "cjs"),
}
ASK: dict[Mode, str] = {
    "generate": "Write the program in {language}. Reply with the whole program in one fenced code "
    "block.",
    "refine": "Correct the program. Reply with the whole corrected program in one fenced code "
    "block.",
    "explain_refine": "First explain in a few sentences what is wrong with the program and how to "
    "correct it. Then give the whole corrected program in one fenced code block.",
}

# For tokenizers without a chat template (Jinja, as transformers renders it): base models read the
# conversation as plain text under headings. A reply ends with the end-of-text token.
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "### Response\n{{ message['content'] }}{{ eos_token }}\n\n{% else %}"
    "### Instruction\n{{ message['content'] }}\n\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}### Response\n{% endif %}"
)
NEXT_TURN = "\n### Instruction"  # where a model that goes on by itself is cut


def messages(request: Request) -> list[dict[str, str]]:
    """Return the request as chat messages, the last one the user's."""
    opening = {"role": "user", "content": f"{_task(request)}\n\n{_ask(request, 'generate')}"}
    if request.mode == "generate":
        return [opening]
    feedback = f"{request.feedback.strip()}\n\n{_ask(request, request.mode)}".strip()
    return [
        opening,
        {"role": "assistant", "content": fenced(request.task.language, request.broken)},
        {"role": "user", "content": feedback},
    ]


def fenced(language: Language, code: str) -> str:
    """Return code in a fence that is longer than any that the code holds."""
    longest = max((len(found) for found in re.findall(r"^ {0,3}(`{3,})", code, re.M)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks}{language}\n{code.rstrip()}\n{ticks}"


def parse(
    language: Language,
    text: str,
    *,
    entry_point: str = "",
    finish_reason: str = "stop",
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
) -> Completion:
    """Return a reply as a Completion; its code is "" when there is none to be found.

    Of several fenced blocks the program is the last one that defines the entry point (models quote
    lines of the wrong program before, and show how to call it after), else the last one in the
    language. Without a fence it is the run of lines that look like code.
    """
    start = max(text.rfind("</think>") + len("</think>"), 0) if "</think>" in text else 0
    block = _choose(language, list(_blocks(text, start)), text, entry_point)
    block = block or _unfenced(language, text, start)
    spans: dict[str, Span] = {}
    if block is not None:
        spans["code"] = block.code
    before = _strip(text, (start, block.outer[0] if block else len(text)))
    after = _strip(text, (block.outer[1], len(text))) if block else before
    explanation = before if before[0] < before[1] else after
    if explanation[0] < explanation[1]:
        spans["explanation"] = explanation

    def cut(name: str) -> str:
        return text[slice(*spans[name])] if name in spans else ""

    return Completion(
        text,
        cut("code"),
        cut("explanation"),
        spans,
        finish_reason,
        prompt_tokens,
        completion_tokens,
    )


class _Block(NamedTuple):
    tag: str
    code: Span
    outer: Span  # with its fence


def _ask(request: Request, mode: Mode) -> str:
    return ASK[mode].format(language=NAMES[request.task.language])


def _task(request: Request) -> str:
    """Return the prompt, and the name that the tests will call where the prompt does not say it."""
    task = request.task
    # A program that reads its input has no entry point.
    if not task.entry_point or re.search(rf"\b{re.escape(task.entry_point)}\b", task.prompt):
        return task.prompt.strip()
    return f"{task.prompt.strip()}\n\nThe program must define `{task.entry_point}`."


_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*$", re.M)


def _blocks(text: str, start: int) -> Iterator[_Block]:
    """Yield the fenced blocks from `start` on; a reply cut short leaves its last one open."""
    while opening := _FENCE.search(text, start):
        code = min(opening.end() + 1, len(text))
        mark = opening[1]
        end_line = re.compile(rf"^ {{0,3}}{mark}{mark[0]}*[ \t\r]*$", re.M)
        closing = end_line.search(text, code)
        end, start = (closing.start(), closing.end()) if closing else (len(text), len(text))
        if text[code:end].strip():
            yield _Block(opening[2].lower(), (code, end), (opening.start(), start))


def _choose(language: Language, blocks: list[_Block], text: str, entry: str) -> _Block | None:
    ours = [block for block in blocks if block.tag in TAGS[language]]
    # A tag that is no language we know ("", "text", "solution") may still hold the program.
    others = {tag for tags in TAGS.values() for tag in tags} | {"bash", "sh", "json", "diff"}
    candidates = ours or [block for block in blocks if block.tag not in others]
    name = re.escape(entry.partition(".")[0])
    defines = re.compile(rf"\b(?:def|class|function\*?|const|let|var)\s+{name}\b|^{name}\s*=", re.M)
    defining = [block for block in candidates if entry and defines.search(text, *block.code)]
    return (defining or candidates or [None])[-1]


_STARTS: dict[Language, re.Pattern[str]] = {
    "python": re.compile(
        r"(?:from\s+[\w.]+\s+import\b|import\s+\w|(?:async\s+)?def\s|class\s+\w|@\w)"
    ),
    "javascript": re.compile(
        r"""(?:export\s+)?(?:(?:async\s+)?function\b|(?:const|let|var|class)\s+[\w{[])|"""
        r"""import\s.*['"]|['"]use strict|module\.exports"""
    ),
}
# Indented, closing or commented lines, statements, and calls or assignments at the top level.
_GOES_ON: dict[Language, re.Pattern[str]] = {
    "python": re.compile(
        r"\s|[)\]}#]|(?:if|elif|else|for|while|try|except|finally|with|return|assert)\b.*:?$|"
        r"[A-Za-z_][\w.]*(?:\[.*\])?\s*(?::[^=]+)?[-+*/%|&^]?=[^=]|[A-Za-z_][\w.]*\("
    ),
    "javascript": re.compile(
        r"\s|[)\]}]|/[/*]|\*|(?:if|else|for|while|do|switch|try|catch|finally|return|throw)\b.*[{;(]|"
        r"[A-Za-z_$][\w.$]*(?:\[.*\])?\s*[-+*/%|&^]?=[^=]|[A-Za-z_$][\w.$]*\("
    ),
}


def _unfenced(language: Language, text: str, start: int) -> _Block | None:
    """Return the first run of lines that look like a program, up to the prose after it."""
    first, last = -1, -1
    for line in re.compile(r"[^\n]+\n?").finditer(text, start):
        opens = _STARTS[language].match(line[0])
        if first < 0 and opens:
            first = line.start()
        elif first < 0:
            continue
        elif line[0].strip() and not opens and not _GOES_ON[language].match(line[0]):
            break
        if line[0].strip():
            last = line.end()
    return None if first < 0 else _Block("", (first, last), (first, last))


def _strip(text: str, span: Span) -> Span:
    """Return the span without the white space at its ends."""
    start, end = span
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    return start, max(start, start + len(inner.strip()))
