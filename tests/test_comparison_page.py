"""The page of a comparison: sentences first, and no difference claimed that chance explains."""

import itertools
import json
import re
from pathlib import Path

import pytest

from episodes import episode, write
from selfdebug.compare import compare
from selfdebug.report import charts
from selfdebug.report.comparison import sentences, write_comparison
from selfdebug.store import write_text
from selfdebug.types import (
    SelfdebugError,
)

TASKS = 40


def run(folder: Path, mended: int, explanation: str = "") -> Path:
    """Forty tasks whose first program fails; the first `mended` of them are mended."""
    made = [
        episode(f"t{n}", "V", "v" if n < mended else "V", explanation=explanation)
        for n in range(TASKS)
    ]
    write_text(folder / "run.toml", '[settings]\nbenchmark = "world"\n')
    return write(folder, made)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [run(tmp_path / "resample", 8), run(tmp_path / "refine", 26)]


def test_a_difference_is_told_in_points_with_its_interval(folders: list[Path]) -> None:
    (said, *_) = sentences(compare(folders, rounds=1))
    assert "<b>refine</b> mends 65% with one more try, resample 20%" in said
    assert re.search(r"<b>more</b>, \+45\.0 points, 95% interval \+\d+\.\d to \+\d+\.\d", said)


def test_what_chance_explains_is_said_to_be_no_difference(tmp_path: Path) -> None:
    alike = [run(tmp_path / "resample", 8), run(tmp_path / "refine", 9)]
    (said, *_) = sentences(compare(alike, rounds=1))
    assert "no difference that could be told from chance" in said


def test_several_controls_are_compared_with(tmp_path: Path, folders: list[Path]) -> None:
    three = [run(tmp_path / "shuffled", 9), *folders]
    found = compare(three, rounds=1, controls=["resample", "shuffled"])
    assert [(c.run, c.control) for c in found.contrasts] == [
        ("refine", "resample"),
        ("refine", "shuffled"),
    ]
    (said,) = [sentence for sentence in sentences(found) if "mends" in sentence]  # one a run
    assert said.index("resample 20%: <b>more</b>") < said.index("shuffled 22%: <b>more</b>")


def test_the_page_needs_nothing_else_and_escapes_what_models_wrote(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    folders = [run(tmp_path / "resample", 8), run(tmp_path / "refine", 26, hostile)]
    (tmp_path / "sft").mkdir()
    rows = (
        '{"stage": "mixture", "step": 1, "loss": 2.0}\n{"stage": "mixture", "step": 9, "loss": 1}'
    )
    (tmp_path / "sft" / "losses.jsonl").write_text(rows)
    page = tmp_path / "page.html"
    write_comparison(compare(folders, rounds=1), folders, page, training=[tmp_path / "sft"])
    text = page.read_text()
    assert not re.search(r"(?:src|href)=|@import|url\(", text)
    assert hostile not in text
    assert "&lt;script&gt;" in text
    assert "Training of sft" in text
    assert text.count("<article") + text.count('<details class="episode') == TASKS


def test_names_at_the_ends_of_lines_keep_apart() -> None:
    drawn = charts.curves({"one": [0.1, 0.5], "two": [0.1, 0.5], "three": [0.2, 0.51]})
    heights = [float(y) for y in re.findall(r'class="label s\d" x="[\d.]+" y="([\d.]+)"', drawn)]
    ordered = sorted(heights)
    assert all(b - a >= 12.9 for a, b in itertools.pairwise(ordered))


def test_a_folder_without_curves_is_named(tmp_path: Path, folders: list[Path]) -> None:
    with pytest.raises(SelfdebugError, match="nowhere holds neither losses"):
        write_comparison(
            compare(folders, rounds=1),
            folders,
            tmp_path / "page.html",
            training=[tmp_path / "nowhere"],
        )
    assert not (tmp_path / "page.html").exists()


def test_curves_of_reinforcement_learning_are_drawn(tmp_path: Path, folders: list[Path]) -> None:
    rows = [
        {"step": n, "loss": 0.1, "kl": n / 100, "completions/mean_length": 50 + n}
        | {"spans/code": -2 + n / 10, "spans/reply": -1, "replies/unchanged": 0.5}
        | ({"replies/breaking": 1 / 3} if n % 7 == 0 else {})  # not each step has such prompts
        for n in range(1, 41)
    ]
    lines = [json.dumps(row) for row in [*rows, {"step": 40, "train_runtime": 9}]]
    write_text(tmp_path / "rl" / "curves.jsonl", "\n".join(lines))
    page = tmp_path / "page.html"
    write_comparison(compare(folders, rounds=1), folders, page, training=[tmp_path / "rl"])
    text = page.read_text()
    assert "Reward, by the words that earn it <small>means of 2 steps</small>" in text
    names = re.findall(r'<text class="label s\d"[^>]*>([^<]+)<', text)
    assert names[2:] == ["program", "form", "changes nothing", "breaks right ones", "KL", "mean"]


def marks(drawn: str) -> list[str]:
    return re.findall(r'class="share"[^>]*>([^<]+)<', drawn)


def test_an_axis_holds_nought_and_every_value_between_round_numbers() -> None:
    assert marks(charts.lines({"reward": [(0, -3.4), (10, 1.2)]})) == [*map(str, range(-4, 3))]
    assert marks(charts.lines({"share": [(0, 0.1), (1, 0.2)]}, shares=True))[-1] == "100%"
    assert marks(charts.lines({"nothing": [(0, 0.0), (1, 0.0)]})) == ["0", "0.2"]
    assert charts.lines({"one": [(1, 1.0)]}) == ""
