"""The store: what was appended is read back, whatever killed the writer."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdebug.encoding import encode
from selfdebug.store import Store, key_of, write_text
from selfdebug.types import (
    Completion,
    Episode,
    Repair,
    SelfdebugError,
    Task,
    Test,
    TestResult,
    TraceStep,
    Turn,
    Verdict,
)

RESULT = TestResult(
    "t1", "wrong", "f(1)", "2", "1", line=3, lines=(1, 2), trace=(TraceStep(2, {"x": "1"}),)
)
VERDICT = Verdict("task", "ab12", (RESULT, TestResult("t2", "pass", hidden=True)), "A")
COMPLETION = Completion("Why.\n```\nx\n```", "x\n", "Why.", {"code": (9, 11)})
EPISODE = Episode(
    "task", "refine", 3, "fake", (Turn(COMPLETION, VERDICT, "wrong"),), 0.25, "exhausted"
)
TASK = Task("task", "python", "Write f.", "f", (Test("t1", "call", "{}", hidden=True),))


def repair(number: int, **fields: object) -> Repair:
    base = Repair(f"k{number}", "task", "python", "a", "b", "c", "d", "injected", "A")
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("noun", [TASK, RESULT, VERDICT, COMPLETION, EPISODE, repair(1)])
def test_every_noun_survives_the_file(noun, tmp_path):
    with Store(tmp_path / "a.jsonl", type(noun)) as store:
        assert store.append(noun)
    assert list(Store(tmp_path / "a.jsonl", type(noun))) == [noun]


def test_lone_surrogates_of_untrusted_code_can_be_stored(tmp_path):
    with Store(tmp_path / "a.jsonl", Repair) as store:
        store.append(repair(1, broken="x = '\udc80'"))
    assert next(iter(Store(tmp_path / "a.jsonl", Repair))).broken == "x = '\udc80'"


def test_a_known_key_is_not_written_again(tmp_path):
    with Store(tmp_path / "a.jsonl", Repair) as store:
        assert store.append(repair(1)) is True
        assert store.append(repair(1, fixed="other")) is False
        assert store.append_many([repair(1), repair(2), repair(2)]) == 1
        assert (len(store), store.keys(), "k2" in store) == (2, ["k1", "k2"], True)
        assert [r.fixed for r in store] == ["d", "d"]


def test_nouns_without_a_key_are_keyed_by_content():
    assert key_of(RESULT) == key_of(replace(RESULT))
    assert key_of(RESULT) != key_of(replace(RESULT, got="2"))


def test_an_episode_is_keyed_by_how_it_was_made_not_by_its_outcome():
    assert key_of(EPISODE) == key_of(replace(EPISODE, seconds=9.0))
    assert key_of(EPISODE) != key_of(replace(EPISODE, seed=4))


def test_resume_and_extend(tmp_path):
    for numbers, new in (((1, 2), 2), ((1, 2, 3), 1)):
        with Store(tmp_path / "a.jsonl", Repair) as store:
            assert store.append_many(map(repair, numbers)) == new
    assert Store(tmp_path / "a.jsonl", Repair).keys() == ["k1", "k2", "k3"]


def test_merge_takes_what_is_new(tmp_path):
    for name, numbers in (("a", (1, 2)), ("b", (2, 3)), ("c", (3, 4))):
        with Store(tmp_path / name, Repair) as store:
            store.append_many(map(repair, numbers))
    with Store(tmp_path / "a", Repair) as store:
        assert store.merge(tmp_path / "b", tmp_path / "c") == 2
        assert store.keys() == ["k1", "k2", "k3", "k4"]
        with pytest.raises(SelfdebugError, match=r"cannot merge .*nowhere: no such file"):
            store.merge(tmp_path / "nowhere")


def test_a_missing_file_is_an_empty_store_and_reading_makes_none(tmp_path):
    store = Store(tmp_path / "deep" / "a.jsonl", Repair)
    assert (list(store), len(store)) == ([], 0)
    assert not store.path.parent.exists()


def test_appending_while_iterating_does_not_loop_for_ever(tmp_path):
    with Store(tmp_path / "a", Repair) as store:
        store.append_many(map(repair, range(3)))
        for number, _ in enumerate(store):
            store.append(repair(10 + number))
        assert len(store) == 6


def test_what_came_before_a_failing_source_is_kept(tmp_path):
    def source():
        yield repair(1)
        raise RuntimeError("the source broke")

    with Store(tmp_path / "a", Repair) as store, pytest.raises(RuntimeError):
        store.append_many(source())
    assert Store(tmp_path / "a", Repair).keys() == ["k1"]


THREE_LINES = b"".join(
    __import__("json").dumps(encode(repair(n, broken="é\n" * n))).encode() + b"\n"
    for n in (1, 2, 3)
)


@settings(max_examples=300, deadline=None)
@given(cut=st.integers(0, len(THREE_LINES)), zeros=st.integers(0, 3))
def test_cut_at_any_byte_only_the_torn_line_is_lost(tmp_path_factory, cut, zeros):
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    # A power cut may leave zeros where data should be.
    path.write_bytes(THREE_LINES[:cut] + b"\0" * zeros)
    left = THREE_LINES[:cut]
    whole = left.count(b"\n") + (zeros == 0 and left[-1:] == b"}")  # only the newline is missing
    with Store(path, Repair) as store:
        assert [r.key for r in store] == [f"k{n + 1}" for n in range(whole)]
        assert store.append(repair(9))
        store.append(repair(10))
    expected = [f"k{n + 1}" for n in range(whole)] + ["k9", "k10"]
    assert [r.key for r in Store(path, Repair)] == expected
    assert path.read_bytes().endswith(b"\n")
    assert b"\0" not in path.read_bytes()


WRITER = """
import sys
from selfdebug.store import Store
from selfdebug.types import Repair

def repairs():
    number = 0
    while True:
        if number:
            print(number, flush=True)  # the line before this one has been written
        number += 1
        yield Repair(f"k{number}", "t", "python", "b" * 5000, "", "", "f", "injected", "A")

with Store(sys.argv[1], Repair) as store:
    if sys.argv[2] == "many":
        store.append_many(repairs())
    else:
        for repair in repairs():
            store.append(repair)
"""


@pytest.mark.parametrize("how", ["one", "many"])
@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1])
def test_a_killed_writer_loses_at_most_the_line_being_written(tmp_path, how, seconds):
    path = tmp_path / "a.jsonl"
    command = [sys.executable, "-c", WRITER, str(path), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(seconds)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = 1 + len(writer.stdout.read().splitlines())
    with Store(path, Repair) as store:  # the lock died with the writer
        assert acknowledged <= len(store) <= acknowledged + 1
        assert all(repair.broken == "b" * 5000 for repair in store)
        assert store.append(repair(0))
    assert len(Store(path, Repair)) == len(store)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"key": \n', r"a.jsonl, line 2: broken JSON"),
        (b"[1]\n", r"line 2: Repair is \[1\], not an object"),
        (b'{"key": "k"}\n', r"line 2: Repair lacks 'task_id'"),
        (b'{"code": "k"}\n', r"line 2: Repair has no field 'code'"),
    ],
)
def test_a_broken_line_in_the_middle_names_file_and_line(tmp_path, line, says):
    path = tmp_path / "a.jsonl"
    lines = THREE_LINES.splitlines(keepends=True)
    path.write_bytes(lines[0] + line + lines[1])
    with pytest.raises(SelfdebugError, match=says):
        Store(path, Repair)


def test_one_writer_at_a_time_and_any_number_of_readers(tmp_path):
    path = tmp_path / "a.jsonl"
    with Store(path, Repair) as first:
        first.append(repair(1))
        second = Store(path, Repair)
        assert second.keys() == ["k1"]
        with pytest.raises(SelfdebugError, match=r"a\.jsonl is being written by another process"):
            second.append(repair(2))
        first.append(repair(2))
    # The lock is free now, and what the first wrote meanwhile is seen before anything is written.
    with second:
        assert second.append(repair(2)) is False
        assert second.append(repair(3)) is True
    assert Store(path, Repair).keys() == ["k1", "k2", "k3"]


def test_a_path_that_cannot_be_used_is_one_clear_line(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(SelfdebugError, match=r"cannot read .*folder: Is a directory"):
        Store(tmp_path / "folder", Repair)
    (tmp_path / "file").touch()
    with pytest.raises(SelfdebugError, match=r"cannot .*a.jsonl: Not a directory"):
        Store(tmp_path / "file" / "a.jsonl", Repair).append(repair(1))


def test_a_full_disk_leaves_no_half_line(tmp_path):
    """A file size limit stands in for the full disk: the kernel cuts the write the same way."""
    script = (
        "import resource, signal, sys\n"
        "from selfdebug.store import Store\n"
        "from selfdebug.types import Repair, SelfdebugError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "new = lambda n: Repair(f'k{n}', 't', 'python', 'b' * 300, '', '', '', 'injected', 'A')\n"
        "with Store(sys.argv[1], Repair) as store:\n"
        "    try:\n"
        "        store.append_many(map(new, range(9)))\n"
        "    except SelfdebugError as error:\n"
        "        print(error)\n"
    )
    path = tmp_path / "a.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert f"cannot write {path}" in done.stdout
    assert path.read_bytes().endswith(b"}\n")
    assert Store(path, Repair).keys() == ["k0", "k1"]


def test_write_text_replaces_the_whole_file(tmp_path):
    write_text(tmp_path / "deep" / "run.toml", "a = 1\n")
    write_text(tmp_path / "deep" / "run.toml", "b = 2\n")
    assert (tmp_path / "deep" / "run.toml").read_text() == "b = 2\n"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["run.toml"]
