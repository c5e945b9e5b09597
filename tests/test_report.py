"""The report: one page, complete, honest, and closed to whatever a model wrote into it."""

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdebug import config, report
from selfdebug.report import charts
from selfdebug.report.episodes import diff
from selfdebug.report.text import escape, percent, prose, seconds
from selfdebug.stats import wilson
from selfdebug.store import Store, write_text
from selfdebug.types import (
    Completion,
    Episode,
    SelfdebugError,
    Task,
    Test,
    TestResult,
    Turn,
    Verdict,
)

BROKEN = "def last(xs):\n    return xs[len(xs)]\n"
FIXED = "def last(xs):\n    return xs[len(xs) - 1]\n"
TASK = Task(
    "demo/last",
    "python",
    "Return the last item.",
    "last",
    (Test("v", "program", "assert last([1]) == 1"),),
    broken=BROKEN,
    bug_kind="off_by_one",
)
FAILED = TestResult(
    "v", "exception", "last([1])", "1", message="IndexError: list index out of range", line=2
)
RUN = {"settings": {"benchmark": "demo", "backend": "search", "mode": "refine"}}


def turn(code, result, explanation="", hidden="pass"):
    results = (result, TestResult("h", hidden, hidden=True))
    return Turn(Completion("", code, explanation), Verdict("demo/last", "", results, "A"))


def episode(text="", **fields):
    first = turn(BROKEN, FAILED, hidden="wrong")
    second = turn(FIXED, TestResult("v", "pass"), f"Item `len(xs)` is past the end. {text}")
    made = Episode("demo/last", "refine", 0, "search", (first, second), 0.25, "passed", best=1)
    return replace(made, **fields)


def page(*episodes, tasks=(TASK,), right=(), run=RUN):
    return report.render({t.id: t for t in tasks}, episodes or [episode()], right, run)


class Reader(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.words = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def text_of(html):
    return " ".join(" ".join(Reader(html).words).split())


def test_an_episode_tells_explanation_failing_test_change_and_verdict_in_this_order():
    read = text_of(page())
    places = [
        read.index(part)
        for part in (
            "Item len(xs) is past the end.",
            "The program raises an error.",
            "Input last([1]) Expected 1 Error IndexError: list index out of range",
            "Line 2 return xs[len(xs)]",
            "- return xs[len(xs)] 2 + return xs[len(xs) - 1 ]",
            "passes 1 of 1 visible test and 1 of 1 hidden test",
            "Return the last item.",
        )
    ]
    assert places == sorted(places)


def test_the_headline_and_the_table_count():
    tasks = [TASK, replace(TASK, id="js", language="javascript", bug_kind="logic")]
    lost = episode(task_id="js", best=0, stopped="exhausted", seconds=0.75)
    read = text_of(page(episode(), lost, tasks=tasks))
    assert "1 of 2 bugs repaired 50%, 95% interval 9–91%" in read
    assert "500 ms median time 2 episodes" in read
    assert "All 2 50% 9–91% 1.0 500 ms" in read
    assert "JavaScript 1 0% 0–79% – 750 ms" in read
    assert "Python 1 100% 21–100% 1.0 250 ms" in read


def test_repaired_by_the_visible_tests_alone_is_not_repaired():
    only = (turn(BROKEN, FAILED), turn(FIXED, TestResult("v", "pass"), hidden="wrong"))
    html = page(episode(turns=only))
    assert 'data-outcome="visible only"' in html
    assert "0 of 1 bugs repaired" in text_of(html)
    assert "Visible tests" in text_of(html)  # a column of its own, since it differs


def test_what_the_figures_rest_on_is_said():
    assert "Scored by hidden tests too" in text_of(page())
    assert "tier A" in text_of(page())
    visible = tuple(
        replace(t, verdict=replace(t.verdict, results=t.verdict.visible, trust="in_process"))
        for t in episode().turns
    )
    read = text_of(page(episode(turns=visible)))
    assert "This benchmark has no hidden tests: the visible ones score." in read
    assert "ran beside the program" in read


def test_tasks_without_a_known_bug_are_solved_not_repaired():
    read = text_of(page(episode(), tasks=[replace(TASK, broken="")]))
    assert "1 of 1 tasks solved" in read


def test_a_first_program_that_passes_is_no_repair():
    html = page(episode(turns=episode().turns[-1:], best=0), tasks=[replace(TASK, broken="")])
    assert 'data-outcome="right at first"' in html
    assert "1 of 1 tasks solved" in text_of(html)


def test_right_programs_that_were_broken_are_shown():
    right = episode(turns=tuple(reversed(episode().turns)))
    read = text_of(page(episode(), right=[right]))
    assert "100% of right programs broken" in read
    assert "Right programs that were broken" in read
    kept = text_of(page(episode(), right=[episode()]))
    assert "0% of right programs broken" in kept
    assert "Right programs that were broken" not in kept


def test_an_episode_without_a_program_or_explanation():
    read = text_of(page(episode(turns=(), best=0, stopped="no_reply")))
    assert "There is no program: no program came back." in read


def test_every_iteration_can_be_read_when_there_are_several():
    turns = (*episode().turns[:1], turn("x = 1\n", FAILED, "A try."), *episode().turns[1:])
    read = text_of(page(episode(turns=turns, best=2)))
    assert "Every iteration First program" in read
    assert "Refinement 1 A try." in read
    assert "after so many refinements" in read


def test_the_page_needs_nothing_else_and_allows_no_other_script():
    html = page()
    for tag, attributes in Reader(html).tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert not {"src", "href", "action", "srcdoc"} & attributes.keys()
    assert not re.search(r"@import|url\(", html)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )


def test_both_themes_and_small_screens_are_styled():
    html = page()
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 40rem" in html
    assert 'name="viewport"' in html


def poisoned(text):
    """Return a page with `text` wherever a model or a data set could have put it."""
    bad = TestResult("v", "wrong", text, text, text, text, line=1)
    task = replace(TASK, id=text, prompt=text, bug_kind=text, broken="x")
    turns = (turn(text, bad, text), turn(f"{text}\n1", bad, text), turn(f"{text}\n2", bad, text))
    made = episode(task_id=text, turns=turns, best=2, backend=text)
    twin = replace(
        TASK, id=f"{text}2", language="javascript", broken="x"
    )  # so that kinds are menus
    again = replace(made, task_id=twin.id)
    run = {"settings": {"benchmark": text, "backend": text, text: text}}
    return page(made, again, tasks=(task, twin), right=[made], run=run)


def shape(html):
    return Counter((tag, *sorted(attributes)) for tag, attributes in Reader(html).tags)


PLAIN = shape(poisoned("zq zq"))


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</pre></details><iframe src=//evil>",
        "<!-- <b>",
        "&lt;b&gt;",
        "`<b>`",
        "$title ${policy} {x} %s",
    ],
)
def test_nothing_that_a_model_wrote_becomes_markup(text):
    html = poisoned(text)
    # Marks in a diff depend on its words, and code in a sentence on its backticks.
    ignored = {("mark",), ("code",)}
    assert {k: v for k, v in shape(html).items() if k not in ignored} == {
        k: v for k, v in PLAIN.items() if k not in ignored
    }
    assert text in Reader(html).words or "`" in text


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
def test_no_text_at_all_becomes_markup(text):
    text = f"zq{text}zq"
    found = shape(poisoned(text))
    assert found.keys() <= PLAIN.keys() | {("mark",), ("code",)}


def test_what_would_hide_or_reorder_text_is_made_visible():
    assert escape("a\u202eb\x00\x1b[1m\ud800") == "a⟨U+202E⟩b⟨U+0000⟩⟨U+001B⟩[1m?"
    assert escape("tab\tline\nreturn\r\n") == "tab\tline\nreturn\n"


def test_explanations_set_code_as_code():
    assert prose(" Use `a < b`, not `b`. ") == "Use <code>a &lt; b</code>, not <code>b</code>."


def test_a_diff_numbers_the_lines_and_marks_what_changed_in_them():
    before = "\n".join(f"line {i}" for i in range(20))
    after = before.replace("line 10", "line ten")
    found = diff(before, after)
    assert "<i>11</i><i></i>- line <mark>10</mark>" in found
    assert "<i></i><i>11</i>+ line <mark>ten</mark>" in found
    assert "<i>8</i><i>8</i>  line 7\n" in found
    assert "line 6" not in found
    assert diff(before, before) == "<p>The same program.</p>"


def test_lines_that_have_nothing_in_common_are_not_marked():
    assert "<mark>" not in diff("return xs\n", "while True: pass\n")


def test_distant_changes_are_two_pieces():
    before = "\n".join(f"line {i}" for i in range(40))
    assert diff(before, before.replace("line 5\n", "x\n").replace("line 35", "y")).count("gap") == 1


@pytest.mark.parametrize(
    ("share", "says"),
    [(0.0, "0%"), (0.004, "1%"), (0.5, "50%"), (0.996, "99%"), (1.0, "100%"), (float("nan"), "–")],
)
def test_not_all_is_never_shown_as_all(share, says):
    assert percent(share) == says


def test_times_have_two_digits():
    assert [seconds(s) for s in (0.0123, 0.5, 1.0, 2.345, 61.2)] == [
        "12 ms",
        "500 ms",
        "1.0 s",
        "2.3 s",
        "61 s",
    ]


def test_a_bar_draws_the_share_and_its_interval():
    drawn = charts.bar(wilson(3, 4))
    assert '<rect class="fill" width="75.0"' in drawn
    assert "M30.1 5H95.4" in drawn


def test_a_curve_ends_at_the_share_that_was_reached():
    drawn = charts.cumulative({"Python": [0.1, 0.2, 1.0, float("inf")]})
    (path,) = re.findall(r'class="line s0" d="([^"]*)"', drawn)
    heights = [float(y) for y in re.findall(r"V([\d.]+)", path)]
    assert heights == sorted(heights, reverse=True)
    bottom, top = charts._y(0), charts._y(1)
    assert (bottom - heights[-1]) / (bottom - top) == pytest.approx(0.75, abs=0.001)
    assert charts.cumulative({"Python": [float("inf")]}) == ""


@pytest.mark.parametrize("share", [0.2, 0.98])
def test_names_of_curves_that_end_alike_do_not_cover_each_other(share):
    times = [0.1, *(1.0 for _ in range(int(share * 50))), *[float("inf")] * int(50 - share * 50)]
    drawn = charts.cumulative({"Python": times, "JavaScript": [0.2, *times[1:]]})
    one, other = map(float, re.findall(r'class="name s\d" x="[\d.]+" y="([\d.]+)"', drawn))
    assert abs(one - other) >= 13


@given(st.lists(st.floats(1e-4, 1e5), min_size=2, max_size=5))
def test_any_times_fit_on_the_axis(times):
    drawn = charts.cumulative({"Python": times})
    places = [float(x) for x in re.findall(r'class="tick" x="([\d.]+)"', drawn)]
    places += [float(x) for x in re.findall(r"H([\d.]+)V", drawn)]
    assert min(places) >= charts.LEFT
    assert max(places) <= charts.WIDTH - charts.RIGHT + 0.1
    assert len(re.findall('class="tick"', drawn)) <= 10


def test_a_folder_of_an_evaluation_is_read(tmp_path):
    with pytest.raises(SelfdebugError, match=r"holds no episodes\.jsonl: is it the folder"):
        report.write(tmp_path)
    with Store(tmp_path / "tasks.jsonl", Task) as tasks:
        tasks.append(TASK)
    with Store(tmp_path / "episodes.jsonl", Episode) as episodes:
        episodes.append(episode("é\ud800"))
    write_text(tmp_path / "run.toml", config.to_toml(RUN))
    path = report.write(tmp_path)
    assert path == tmp_path / "report.html"
    assert "1 of 1 bugs repaired" in text_of(path.read_text(encoding="utf-8"))
