"""The language server end to end: a plain client, the real sandbox, buffers that nobody saved.

pytest tests/test_lsp.py -m 'slow or not slow'
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="needs the extra `editor`")

from lsp_client import EDITOR, Client, Message

CANCELLED, EDITED = -32800, -32801
TOKEN = "mine"

WRONG = "def double(x):\n    return 3 * x\n"
RIGHT = "def double(x):\n    return 2 * x\n"
TESTS = "from double import double\n\nassert double(2) == 4\nassert double(5) == 10\n"
LOOPING = "def double(x):\n    while True:\n        x += 1\n"

WRONG_JS = "const last = (xs) => {\n  return xs[xs.length];\n};\nmodule.exports = { last };\n"
RIGHT_JS = WRONG_JS.replace("xs.length]", "xs.length - 1]")
TESTS_JS = (
    "const assert = require('node:assert');\nconst { last } = require('./last.js');\n\n"
    "assert.strictEqual(last([1, 2]), 2);\nassert.strictEqual(last([3]), 3);\n"
)

Start = Callable[..., Client]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server on a folder with one wrong program, its tests, and a fake backend."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "double.py").write_text(WRONG)
    (folder / "test_double.py").write_text(TESTS)
    reply = f"On line 2, `3 * x` is wrong: change it to `2 * x`.\n\n```\n{RIGHT}```\n"
    (tmp_path / "replies.json").write_text(json.dumps([reply]))
    clients: list[Client] = []

    def client(*flags: str, capabilities: Message = EDITOR) -> Client:
        if "--backend" not in flags:
            flags = (*flags, "--backend", "fake", "--option", f"replies={tmp_path}/replies.json")
        clients.append(Client(folder, *flags, capabilities=capabilities))
        return clients[-1]

    yield client
    for each in clients:
        each.kill()


def explained(diagnostics: list[Message]) -> bool:
    return any("\n" in each["message"] for each in diagnostics)


def runs(client: Client) -> list[int]:
    """The processes that the server has started and that still live."""
    parent = client.process.pid
    children: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, above = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(above) == parent and state != "Z":
            children.append(int(path.parent.name))
    return children


def below(pids: list[int]) -> set[int]:
    """These processes and all that descend from them: the sandbox with its candidates."""
    found = set(pids)
    while True:
        more = {
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/stat")
            if _parent(path) in found
        }
        if more <= found:
            return found
        found |= more


def _parent(path: Path) -> int:
    try:
        return int(path.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def gone(pids: set[int], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while alive := {pid for pid in pids if _lives(pid)}:
        if time.monotonic() > deadline:
            raise AssertionError(f"still there: {alive}")
        time.sleep(0.05)
    return True


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def looping(client: Client) -> tuple[int, set[int]]:
    """Ask for a fix of a program that never ends; return the request and its processes."""
    uri = client.open("double.py", LOOPING)
    number = client.ask_command("selfdebug.fix", uri, token=TOKEN)
    client.wait("$/progress", lambda p: p["value"]["kind"] == "report")
    deadline = time.monotonic() + 60
    while len(found := below(runs(client))) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)  # the run, and a judge and a zygote of each worker
    assert len(found) >= 4
    return number, found


# From a wrong file to a mended buffer


def test_a_save_shows_failing_tests_and_offers_what_passed_them(start: Start) -> None:
    client = start()
    uri = client.open("double.py")
    client.save(uri)
    shown = client.diagnostics(uri, explained)
    assert [each["code"] for each in shown] == ["test_double.py:3", "test_double.py:4"]
    assert {each["range"]["start"]["line"] for each in shown} == {1}
    assert "On line 2, `3 * x` is wrong" in client.hover(uri, 2)
    assert client.hover(uri, 1) == ""
    fix = client.actions(uri, 2, only=["quickfix"])[0]
    assert fix["isPreferred"]
    assert client.apply(fix["edit"])
    assert client.texts[uri] == (2, RIGHT)
    assert client.diagnostics(uri, lambda found: not found) == [], (
        "this text has passed, no other run is needed"
    )
    assert (client.folder / "double.py").read_text() == WRONG, "writing is the editor's"
    assert (client.folder / "test_double.py").read_text() == TESTS
    assert client.close() == 0


@pytest.mark.slow
def test_a_fix_works_on_what_the_buffer_holds(start: Start) -> None:
    client = start()
    (client.folder / "double.py").write_text(RIGHT)
    uri = client.open("double.py", f"# an unsaved line\r\n{WRONG}".replace("\n", "\r\n"))
    assert client.actions(uri, 1)[0]["command"]["command"] == "selfdebug.fix"
    found = client.command("selfdebug.fix", uri)
    assert found["outcome"] == "fixed"
    assert client.texts[uri][1].endswith("return 2 * x\r\n")
    message = client.wait("window/showMessage")["message"]
    assert "On line 2, `3 * x` is wrong" in message
    assert "2 of 2 tests fail; with a change all 2 pass." in message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "wrong", "right", "tests", "text"),
    [
        ("double.py", WRONG, RIGHT, "test_double.py", TESTS),
        pytest.param(
            *("last.js", WRONG_JS, RIGHT_JS, "last.test.js", TESTS_JS),
            marks=pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
        ),
    ],
)
def test_search_mends_both_languages(
    start: Start, name: str, wrong: str, right: str, tests: str, text: str
) -> None:
    client = start("--backend", "search")
    (client.folder / name).write_text(wrong)
    (client.folder / tests).write_text(text)
    uri = client.open(name)
    client.save(uri)
    shown = client.diagnostics(uri, explained)
    assert {each["range"]["start"]["line"] for each in shown} == {1}
    assert "On line 2" in client.hover(uri, 2)
    assert client.command("selfdebug.fix", uri)["outcome"] == "fixed"
    assert client.texts[uri][1] == right
    assert (client.folder / tests).read_text() == text


@pytest.mark.slow
def test_a_right_file_has_no_diagnostics_and_no_fix(start: Start) -> None:
    client = start()
    uri = client.open("double.py", RIGHT)
    assert client.command("selfdebug.fix", uri)["outcome"] == "already_right"
    assert client.diagnostics(uri) == []
    assert [each["title"] for each in client.actions(uri, 2)] == ["selfdebug: run the tests"]


@pytest.mark.slow
def test_saved_tests_are_run_for_the_open_file_that_they_test(start: Start) -> None:
    client = start()
    uri, tests = client.open("double.py", RIGHT), client.open("test_double.py")
    client.command("selfdebug.run", uri)
    assert client.diagnostics(uri) == []
    (client.folder / "test_double.py").write_text(TESTS.replace("10", "11"))
    client.save(tests)
    (shown,) = client.diagnostics(uri, bool)
    assert shown["message"].startswith("test_double.py:4: double(5) gave 10, expected 11")


@pytest.mark.slow
def test_tests_of_another_name_are_named_by_the_command(start: Start) -> None:
    client = start()
    (client.folder / "test_double.py").rename(client.folder / "examples.py")
    uri = client.open("double.py")
    assert client.command("selfdebug.run", uri, "examples.py")["outcome"] == "fixed"
    assert client.command("selfdebug.fix", uri)["outcome"] == "fixed"
    assert client.texts[uri][1] == RIGHT


# What must never happen


@pytest.mark.slow
def test_an_edit_during_a_run_ends_it_and_nothing_is_changed(start: Start) -> None:
    client = start()
    number, processes = looping(client)
    (uri,) = client.texts
    client.change(uri, f"{LOOPING}# typed meanwhile\n")
    assert client.answer(number)["error"]["code"] == EDITED
    assert gone(processes)
    assert not list(client.rest("workspace/applyEdit"))
    assert client.texts[uri][1].endswith("# typed meanwhile\n")


@pytest.mark.slow
def test_a_fix_of_the_new_text_does_not_wait_for_the_end_of_the_old_one(start: Start) -> None:
    client = start()
    number, _ = looping(client)
    (uri,) = client.texts
    client.change(uri, WRONG)
    assert client.command("selfdebug.fix", uri)["outcome"] == "fixed"
    assert client.answer(number)["error"]["code"] == EDITED
    assert client.texts[uri] == (3, RIGHT)


@pytest.mark.slow
def test_a_fix_that_the_editor_refuses_is_an_error(start: Start) -> None:
    client = start()
    client.refuse = True
    number = client.ask_command("selfdebug.fix", client.open("double.py"))
    assert "did not take the change" in client.answer(number)["error"]["message"]


@pytest.mark.slow
def test_tests_are_never_edited(start: Start) -> None:
    client = start()
    uri = client.open("test_double.py", TESTS.replace("10", "11") + "\ndef test_it(): pass\n")
    assert client.command("selfdebug.fix", uri)["outcome"] == "refused"
    assert "tests are never edited" in client.wait("window/showMessage")["message"]
    assert not list(client.rest("workspace/applyEdit"))


# Cancelling


def test_cancelling_a_request_stops_the_sandbox(start: Start) -> None:
    client = start()
    number, processes = looping(client)
    client.notify("$/cancelRequest", {"id": number})
    assert client.answer(number)["error"]["code"] == CANCELLED
    assert gone(processes)
    assert client.wait("$/progress", lambda p: p["value"]["kind"] == "end")["token"] == TOKEN


@pytest.mark.slow
def test_cancelling_the_progress_stops_the_sandbox(start: Start) -> None:
    client = start()
    number, processes = looping(client)
    client.notify("window/workDoneProgress/cancel", {"token": TOKEN})
    assert client.answer(number)["error"]["code"] == CANCELLED
    assert gone(processes)


@pytest.mark.slow
def test_closing_the_file_stops_the_sandbox(start: Start) -> None:
    client = start()
    _, processes = looping(client)
    (uri,) = client.texts
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert gone(processes)


@pytest.mark.slow
def test_shutdown_stops_the_sandbox_and_leaves_nothing_behind(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o777)
    monkeypatch.setenv("TMPDIR", str(scratch))
    client = start()
    _, processes = looping(client)
    assert list(scratch.iterdir())
    assert client.close() == 0
    assert gone(processes)
    assert not list(scratch.iterdir())


@pytest.mark.slow
def test_a_run_does_not_outlive_a_server_that_was_killed(start: Start) -> None:
    client = start()
    _, processes = looping(client)
    client.kill()
    assert gone(processes)


# Progress, messages, several files


@pytest.mark.slow
def test_progress_begins_reports_and_ends_under_a_token_that_the_server_made(
    start: Start,
) -> None:
    client = start()
    uri = client.open("double.py")
    client.save(uri)
    token = client.wait("window/workDoneProgress/create")["token"]
    client.wait("$/progress", lambda p: p["value"]["kind"] == "end")
    told = [p["value"] for p in client.rest("$/progress") if p["token"] == token]
    assert [value["kind"] for value in told[:2]] == ["begin", "report"]
    assert told[0]["title"] == "selfdebug: double.py"
    assert "2 fail; looking for a repair" in [value.get("message") for value in told]


@pytest.mark.slow
def test_an_editor_without_progress_or_versioned_edits_gets_none(start: Start) -> None:
    client = start(capabilities={})
    uri = client.open("double.py")
    client.command("selfdebug.fix", uri)
    assert client.texts[uri][1] == RIGHT
    (asked,) = client.rest("workspace/applyEdit")
    assert set(asked["edit"]) == {"changes"}
    assert not list(client.rest("$/progress"))


REFUSED = [
    ("other.py", "x = 1\n", "found no tests of other.py: no test_other.py or other_test.py"),
    ("other.js", "let x;\n", "found no tests of other.js: no other.test.js"),
    ("double.py", "\n", "double.py is empty"),
    ("notes.txt", "x\n", "only .py, .js, .mjs, .cjs files can be mended"),
]


@pytest.mark.slow
def test_what_cannot_be_done_is_said_in_one_line(start: Start) -> None:
    client = start()
    for name, text, message in REFUSED:
        uri = client.open(name, text)
        assert client.command("selfdebug.explain", uri)["outcome"] == "refused"
        said = client.wait("window/showMessage")
        assert message in said["message"]
        assert said["type"] == 2
        assert "--" not in said["message"], "an editor has no options"


@pytest.mark.slow
def test_a_save_without_tests_says_so_once(start: Start) -> None:
    client = start()
    uri = client.open("other.py", "x = 1\n")
    for _ in range(2):
        client.save(uri)
        client.wait("$/progress", lambda p: p["value"]["kind"] == "end")
    assert len(list(client.rest("window/showMessage"))) == 1


@pytest.mark.slow
def test_a_backend_that_cannot_be_opened_is_said_too(start: Start) -> None:
    client = start("--backend", "fake", "--option", "replies=no-such-file.json")
    client.command("selfdebug.fix", client.open("double.py"))
    assert "no-such-file.json" in client.wait("window/showMessage")["message"]


NO_TIER = """
from types import SimpleNamespace
from selfdebug.sandbox import probes
probes.best_tier = lambda: SimpleNamespace(tier="D")
"""


@pytest.mark.slow
def test_a_sandbox_that_refuses_is_said(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_TIER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    client = start()
    uri = client.open("double.py")
    client.save(uri)
    said = client.wait("window/showMessage")
    assert "no sandbox tier holds on this machine; `selfdebug doctor` says" in said["message"]
    assert said["type"] == 1
    assert client.diagnostics(uri) == [], "nothing is known"


@pytest.mark.slow
def test_the_server_answers_while_files_are_run_at_the_same_time(start: Start) -> None:
    client = start()
    _, processes = looping(client)
    for name in ("double_a", "double_b"):
        (client.folder / f"{name}.py").write_text(WRONG)
        (client.folder / f"test_{name}.py").write_text(TESTS.replace("from double", f"from {name}"))
    others = [client.open(f"{name}.py") for name in ("double_a", "double_b")]
    for uri in others:
        client.save(uri)
    started = time.monotonic()
    client.actions(others[0], 1)
    assert time.monotonic() - started < 2, "an answer waits for no run"
    for uri in others:
        assert client.diagnostics(uri, explained)
    assert processes & below(runs(client)), "the first run goes on beside them"


def test_a_command_for_no_open_file_is_an_error(start: Start) -> None:
    client = start()
    for arguments in ([], [7], ["untitled:Untitled-1"], ["file:///not-open.py"]):
        asked = {"command": "selfdebug.fix", "arguments": arguments}
        answer = client.answer(client.ask("workspace/executeCommand", asked))
        assert answer["error"]["code"] == -32602
