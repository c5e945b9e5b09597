"""The playground over HTTP: runs, hints in their order, what a cap holds back, and who gets in.

pytest tests/test_play.py
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from playgrounds import BROKEN, LARGEST, RIGHT, ask, opened, run, student
from selfdebug.interfaces.web import guard, texts
from selfdebug.interfaces.web.hints import RUNGS
from selfdebug.interfaces.web.playground import MAX_CHARS, Playground
from selfdebug.interfaces.web.views import STATIC, TEMPLATES
from selfdebug.types import SelfdebugError, code_sha

FIXED_LINE = "if number &gt; best:"


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    with opened(tmp_path_factory.mktemp("play")) as found:
        yield found


def test_a_failing_test_shows_input_expected_and_got(playground: Playground) -> None:
    page = run(student(playground), BROKEN).text
    assert "1 of 2 tests pass" in page
    for shown in ("largest([1, 5, 2])", "<dd>5</dd>", '<dd class="got">1</dd>'):
        assert shown in page


def test_all_tests_pass_and_hidden_ones_count(playground: Playground) -> None:
    client = student(playground)
    assert "All 2 tests pass" in run(client, RIGHT).text
    cheat = "def largest(numbers):\n    return 5 if 5 in numbers else 1\n"
    page = run(client, cheat).text
    assert "1 hidden ones do not" in page
    assert "-3" not in page
    assert "What kind" not in page  # the tests that can be seen give nothing to hint at


def test_hints_come_one_after_the_other(playground: Playground) -> None:
    client = student(playground)
    page = run(client, BROKEN).text
    for rung, shown in (
        ("kind", "error of logic"),
        ("where", "Look at line 4"),
        ("why", "best = 1"),
    ):
        answer = ask(client, page, rung)
        assert shown in answer
        assert FIXED_LINE not in answer
    answer = ask(client, page, "fix")
    assert re.sub("</?mark>", "", answer).count(FIXED_LINE) == 1


def test_no_hint_can_be_skipped(playground: Playground) -> None:
    client = student(playground)
    code = f"{BROKEN}# another\n"
    page = run(client, code).text
    for rung in RUNGS[1:]:
        assert "There are no more hints" in ask(client, page, rung)
    query = "select rung from hints where code_sha = ?"
    assert not playground.storage.rows(query, (code_sha(code),))


@pytest.mark.parametrize("cap", ["none", "kind", "where", "why"])
def test_past_the_cap_the_fix_is_in_no_answer(tmp_path: Path, cap: str) -> None:
    with opened(tmp_path, cap=cap) as playground:
        client = student(playground)
        page = run(client, BROKEN).text
        answers = [client.get(f"/exercise/{LARGEST}").text, page]
        for rung in (*RUNGS, *RUNGS):
            answers.append(ask(client, page, rung))
        own = {"exercise": "own", "language": "python", "tests": "assert largest([1, 5, 2]) == 5"}
        page = client.post("/run", data={**own, "code": BROKEN}).text
        answers += [page, *(ask(client, page, rung) for rung in RUNGS)]
        assert not any("number &gt; best" in re.sub("<[^>]+>", "", text) for text in answers)
        allowed = RUNGS[: RUNGS.index(cap) + 1] if cap in RUNGS else ()
        given = playground.storage.rows("select distinct rung from hints")
        assert {row["rung"] for row in given} == set(allowed)


def test_own_code_and_tests(playground: Playground) -> None:
    client = student(playground)
    fields = {"exercise": "own", "language": "javascript", "code": "const f = (x) => x + 1\n"}
    page = client.post("/run", data={**fields, "tests": "console.assert(f(1) === 3)"}).text
    assert "0 of 1 tests pass" in page
    assert "console.assert(f(1) === 3)" in client.get("/own").text
    page = client.post("/run", data={**fields, "tests": "f(1)"}).text
    assert "asserts nothing" in page


def test_a_program_comes_back_exactly_and_harmless(playground: Playground) -> None:
    client = student(playground)
    code = "</textarea><script>alert(1)</script> \"'&amp;\u202e\n"
    assert "<script>alert" not in run(client, code).text
    page = client.get(f"/exercise/{LARGEST}").text
    assert (
        "&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &quot;&#x27;&amp;amp;\u202e" in page
    )


def test_students_do_not_see_each_other(playground: Playground) -> None:
    one, other = student(playground), student(playground)
    run(one, BROKEN.replace("best", "mine"))
    assert "mine" in one.get(f"/exercise/{LARGEST}").text
    assert "mine" not in other.get(f"/exercise/{LARGEST}").text


def test_a_student_can_be_forgotten(playground: Playground) -> None:
    client = student(playground)
    client.post("/me", data={"nickname": "Ada"})
    run(client, BROKEN.replace("best", "secret"))
    assert 'value="Ada"' in client.get("/").text
    client.post("/forget")
    assert not playground.storage.rows("select id from students where nickname = 'Ada'")
    assert not playground.storage.rows("select id from runs where code like '%secret%'")


def test_only_the_teacher_sees_the_class(playground: Playground) -> None:
    client = student(playground)
    client.post("/me", data={"nickname": "=cmd()"})
    run(client, BROKEN)
    for path in ("/teacher", "/teacher?key=guess", "/teacher/export.csv"):
        assert client.get(path).status_code in (403, 404)
        assert "wrong value" not in client.get(path).text
    assert client.post("/teacher/erase").status_code == 404
    page = client.get("/teacher?key=teach").text
    assert "wrong value" in page
    assert "number &lt; best" not in page
    rows = list(csv.DictReader(io.StringIO(client.get("/teacher/export.csv").text)))
    assert "'=cmd()" in [row["nickname"] for row in rows]
    exported = client.get("/teacher/export.json").json()
    assert exported["exercises"][0]["errors"]["wrong"] >= 1
    assert "code" not in exported["runs"][0]


def test_everything_can_be_erased(tmp_path: Path) -> None:
    with opened(tmp_path, cap="none") as playground:
        client = student(playground)
        run(client, BROKEN.replace("best", "traceless"))
        client.get("/teacher?key=teach")
        assert "Nobody has run anything yet" in client.post("/teacher/erase").text
        files = (tmp_path / "runs").iterdir()
        assert not any(b"traceless" in file.read_bytes() for file in files)


def test_a_new_playground_goes_on_with_the_old_runs(tmp_path: Path) -> None:
    with opened(tmp_path, cap="none") as playground:
        client = student(playground)
        run(client, RIGHT)
    with opened(tmp_path, cap="none") as playground:
        again = student(playground)
        again.cookies = client.cookies
        assert "1 of 1 solved" in again.get("/").text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_another_site_cannot_send(playground: Playground, origin: str) -> None:
    answer = student(playground).post("/run", data={}, headers={"origin": origin})
    assert answer.status_code == 403


def test_another_name_for_this_machine_is_refused(playground: Playground) -> None:
    answer = student(playground).get("/", headers={"host": "rebound.example"})
    assert answer.status_code == 421


def test_sizes_are_bounded(playground: Playground) -> None:
    client = student(playground)
    assert "too long" in run(client, "x" * (MAX_CHARS + 1)).text
    assert run(client, "x" * guard.MAX_BODY).status_code == 413
    chunks = (b"x" * 65536 for _ in range(10))
    assert client.post("/run", content=chunks).status_code == 413


def test_malformed_requests_are_answered(playground: Playground) -> None:
    client = student(playground)
    for data in ({}, {"exercise": "no/such"}, {"exercise": "own/x"}, {"exercise": "own"}):
        for path in ("/run", "/hint"):
            assert 400 <= client.post(path, data=data).status_code < 500
    assert client.post("/run", content=b"%ff&&=&" * 99).status_code == 400
    assert client.get("/exercise/../../etc/passwd").status_code == 404


def test_pages_bring_their_own_policy(playground: Playground) -> None:
    client = student(playground)
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
    page = client.get("/").text
    assert not re.search(r'<script(?! src="/static/)|\son\w+=|\sstyle=|https?://', page)


def test_the_vendored_file_has_its_licence() -> None:
    assert (STATIC / "htmx-2.0.11.min.js").stat().st_size > 40_000
    assert "Zero-Clause BSD" in (STATIC / "htmx-LICENSE.txt").read_text()


def test_who_has_the_word_may_join(playground: Playground) -> None:
    client = student(playground, join_token="ourclass7", local=False)  # noqa: S106
    assert client.get("/", headers={"host": "10.0.0.7:8010"}).status_code == 403
    assert client.get("/join/wrong").status_code == 403
    assert client.get("/join/ourclass7").status_code == 200
    assert client.get("/").status_code == 200


def test_an_address_that_others_reach_wants_a_token() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        guard.check_address(host, "")
    guard.check_address("0.0.0.0", "ourclass7")
    for host, token in (
        ("0.0.0.0", ""),
        ("192.168.1.5", ""),
        ("school.example", ""),
        ("::1", "abc"),
    ):
        with pytest.raises(SelfdebugError):
            guard.check_address(host, token)


def test_every_text_is_there_and_used() -> None:
    pages = "\n".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    source = "\n".join(path.read_text() for path in TEMPLATES.parent.glob("*.py"))
    used = set(re.findall(r"\bt\.(\w+)", pages)) | set(re.findall(r'texts\["(\w+)"\]', source))
    used |= set(re.findall(r'(?:Refused\(|said=)"(\w+)"', source))
    used -= {"get"}
    known = texts.load().keys()
    assert not used - known
    # These are put together: hint_kind, label_wrong, ...
    composed = re.compile("(hint|ask|kind|symptom|label)_|python|javascript|solved|tried")
    assert not {key for key in known - used if not composed.match(key)}
    assert {f"{word}_{rung}" for word in ("hint", "ask") for rung in RUNGS} <= known


def test_a_translation_is_one_file(tmp_path: Path, playground: Playground) -> None:
    english = texts.ENGLISH.read_text()
    path = tmp_path / "de.toml"
    path.write_text(english.replace('"Find the bug"', '"Finde den Fehler"'))
    assert texts.load(path)["home_title"] == "Finde den Fehler"
    for old, new, said in (
        ("home_title =", "heim =", "the texts home_title are missing"),
        ('run = "', 'extra = "x"\nrun = "', "there are no texts extra"),
        ("{solved} of", "of", r"progress must show \{solved\}"),
        ("{solved} of", "{solved.x} of", "progress must be a text, with names alone in braces"),
    ):
        path.write_text(english.replace(old, new, 1))
        with pytest.raises(SelfdebugError, match=said):
            texts.load(path)
