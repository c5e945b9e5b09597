"""Requests read as LeDex's conversation; whatever a model replies, the spans are exact."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfdebug.prompts import fenced, messages, parse
from selfdebug.types import Request, Task

TASK = Task("t", "python", "Add two numbers.", "add", ())
WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
BROKEN = Request(TASK, "explain_refine", WRONG, "The program fails a test.")


def test_a_new_program_is_asked_for_in_one_message():
    (message,) = messages(Request(TASK, "generate"))
    assert message["role"] == "user"
    assert message["content"].startswith("Add two numbers.\n\nThe program must define `add`.")
    assert "Python" in message["content"]


def test_a_repair_is_a_conversation_of_task_wrong_program_and_feedback():
    first, second, third = messages(BROKEN)
    assert [m["role"] for m in (first, second, third)] == ["user", "assistant", "user"]
    assert first == messages(Request(TASK, "generate"))[0]
    assert second["content"] == f"```python\n{WRONG}```"
    assert third["content"].startswith("The program fails a test.\n\nFirst explain")


def test_refine_asks_for_no_explanation():
    asked = messages(Request(TASK, "refine", WRONG, "It fails."))[-1]["content"]
    assert "explain" not in asked
    assert asked.startswith("It fails.\n\nCorrect the program.")


def test_the_name_is_not_repeated_when_the_prompt_says_it():
    prompt = "def add(a, b):\n    '''Add.'''\n"
    (message,) = messages(Request(Task("t", "python", prompt, "add", ()), "generate"))
    assert "must define" not in message["content"]


def test_a_fence_inside_the_program_does_not_end_the_block():
    code = 'DOC = """\n```\nx\n```\n"""\n'
    assert parse("python", fenced("python", code)).code == code


JS = "function add(a, b) {\n  return a + b;\n}\n"


@pytest.mark.parametrize(
    ("language", "reply", "explanation", "code"),
    [
        ("python", f"It subtracts.\n\n```python\n{RIGHT}```\n", "It subtracts.", RIGHT),
        ("python", f"It subtracts.\n```py\n{RIGHT}```\nNow it adds.", "It subtracts.", RIGHT),
        ("python", f"```\n{RIGHT}```\nIt subtracted.", "It subtracted.", RIGHT),
        ("python", f"~~~python\n{RIGHT}~~~", "", RIGHT),
        # cut short by the token limit
        ("python", f"Why.\n```python\n{RIGHT}", "Why.", RIGHT),
        ("python", "Why.\n```python", "Why.\n```python", ""),
        # no fence at all
        ("python", RIGHT, "", RIGHT),
        ("python", f"It subtracts.\n\n{RIGHT}\nThis adds them.", "It subtracts.", RIGHT),
        ("python", f"import math\n\nX = 3\n\n{RIGHT}", "", f"import math\n\nX = 3\n\n{RIGHT}"),
        ("python", "I cannot help with that.", "I cannot help with that.", ""),
        ("python", "", "", ""),
        # several blocks: what is quoted before and how it is called after is not the program
        (
            "python",
            f"Here\n```python\nreturn a - b\n```\nis wrong.\n```python\n{RIGHT}```\n"
            "Use it:\n```python\nprint(add(1, 2))\n```\n",
            "Here\n```python\nreturn a - b\n```\nis wrong.",
            RIGHT,
        ),
        ("python", f"```python\nx\n```\n```python\n{RIGHT}```", "```python\nx\n```", RIGHT),
        (
            "python",
            f"```sh\npip install x\n```\n```\n{RIGHT}```",
            "```sh\npip install x\n```",
            RIGHT,
        ),
        ("python", "```javascript\nadd = 1\n```", "```javascript\nadd = 1\n```", ""),
        # thoughts come before the reply and may hold drafts
        (
            "python",
            f"<think>```python\ndef add(): 0\n```</think>\nWhy.\n```python\n{RIGHT}```",
            "Why.",
            RIGHT,
        ),
        ("javascript", f"It subtracts.\n```js\n{JS}```", "It subtracts.", JS),
        ("javascript", f"It subtracts.\n\n{JS}\nThis adds.", "It subtracts.", JS),
        ("javascript", "const add = (a, b) => a + b;\n", "", "const add = (a, b) => a + b;\n"),
        ("javascript", f"```js\nx\n```\n```js\n{JS}```\n```js\nadd()\n```", "```js\nx\n```", JS),
    ],
)
def test_replies(language, reply, explanation, code):
    done = parse(language, reply, entry_point="add")
    assert (done.explanation, done.code) == (explanation, code)


def test_a_method_is_found_by_its_class():
    reply = "```python\nclass S:\n    def f(self): 0\n```\n```python\nS().f()\n```"
    assert parse("python", reply, entry_point="S.f").code.startswith("class S")


def test_windows_line_ends_are_kept():
    assert parse("python", "Why.\r\n```python\r\nx = 1\r\n```\r\n").code == "x = 1\r\n"


def test_what_the_server_said_is_kept():
    done = parse("python", RIGHT, finish_reason="length", prompt_tokens=3, completion_tokens=4)
    assert (done.finish_reason, done.prompt_tokens, done.completion_tokens) == ("length", 3, 4)


FENCES = ["```", "```python\n", "~~~", "````", "</think>", "\n", "\r\n", " ", "\t"]
CODE = ["def add(a):\n", "    return 1\n", "x = 1\n", "function add() {\n", "}\n", "Prose. ", "é😀"]
PIECES = st.sampled_from([*FENCES, *CODE])
REPLIES = st.lists(PIECES, max_size=12).map("".join) | st.text()
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))


@given(REPLIES, st.sampled_from(["python", "javascript"]))
def test_spans_are_exact_and_apart_whatever_the_reply(reply, language):
    done = parse(language, reply, entry_point="add")
    assert done.text == reply
    pieces = {"code": done.code, "explanation": done.explanation}
    assert {n: reply[slice(*span)] for n, span in done.spans.items()} == {
        name: piece for name, piece in pieces.items() if piece
    }
    ordered = sorted(done.spans.values())
    assert all(first[1] <= second[0] for first, second in pairwise(ordered))


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])),
    st.sampled_from([WRONG, RIGHT]),
)
def test_an_explained_program_is_read_back(prose, code):
    prose = prose.strip().replace("`", "'").replace("~", "-").replace("</think>", "")
    done = parse("python", f"{prose}\n\n{fenced('python', code)}\n", entry_point="add")
    assert (done.explanation, done.code) == (prose, code)
