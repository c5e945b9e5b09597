"""Settings survive run.toml, and a wrong one is named."""

import tomllib
from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfdebug import config
from selfdebug.types import SelfdebugError


@dataclass(frozen=True)
class Example:
    name: str
    mode: Literal["refine", "generate"] = "refine"
    rounds: int = 3
    temperature: float = 0.8
    stop: tuple[str, ...] = ()
    check: bool = False
    later: float | None = None  # not given: left out of run.toml


PLAIN = st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.booleans()
PLAIN |= st.floats(allow_nan=False)


@given(st.dictionaries(st.text("ab_ é", min_size=1), PLAIN | st.lists(PLAIN)))
def test_any_plain_values_survive_toml(table):
    # TOML's integers have 64 bits at least; Python reads any.
    assert tomllib.loads(config.to_toml({"settings": table})) == {"settings": table}


def test_settings_survive_run_toml(tmp_path):
    example = Example('a "b"\\\n', "generate", 5, 0.5, ("x", "```"), True)
    (tmp_path / "run.toml").write_text(config.to_toml({"settings": config.as_table(example)}))
    read = config.read_run(tmp_path / "run.toml")["settings"]
    assert config.settings(Example, read) == example
    assert "later" not in read
    assert config.settings(Example, {**read, "later": 1}) == replace(example, later=1.0)


def test_what_is_not_given_keeps_its_default_and_text_becomes_the_type():
    given = {"name": "n", "rounds": "7", "temperature": "1", "stop": "a,b", "check": "true"}
    assert config.settings(Example, given) == replace(
        Example("n"), rounds=7, temperature=1.0, stop=("a", "b"), check=True
    )


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": "n", "round": 3}, "run.toml: no setting 'round': did you mean rounds?"),
        ({"name": "n", "zzz": 3}, "run.toml: no setting 'zzz': there are: name, mode, rounds"),
        ({}, "run.toml: the setting 'name' is missing"),
        ({"name": "n", "mode": "fast"}, "run.toml: mode is 'fast', not one of refine, generate"),
        ({"name": "n", "rounds": "x"}, "run.toml: rounds is 'x', not a whole number"),
        ({"name": "n", "rounds": True}, "run.toml: rounds is True, not a whole number"),
        ({"name": "n", "rounds": 2.5}, "run.toml: rounds is 2.5, not a whole number"),
        ({"name": "n", "check": "maybe"}, "run.toml: check is 'maybe', not true or false"),
        ({"name": 3}, "run.toml: name is 3, not text"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(values, says):
    with pytest.raises(SelfdebugError) as caught:
        config.settings(Example, values, "run.toml")
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("text", "says"),
    [("a = ", "run.toml is not TOML"), ("a = 1", "'a' stands outside a table")],
)
def test_a_broken_run_toml_is_one_clear_line(tmp_path, text, says):
    path = tmp_path / "run.toml"
    with pytest.raises(SelfdebugError, match="cannot read"):
        config.read_run(path)
    path.write_text(text)
    with pytest.raises(SelfdebugError, match=says):
        config.read_run(path)


def test_a_run_says_what_it_ran_on():
    tables = tomllib.loads(config.to_toml(config.describe()))
    assert tables["versions"]["selfdebug"]
    assert tables["hardware"]["cores"] >= 1
    assert tables["hardware"]["memory_gib"] > 0
    assert set(tables["run"]) == {"started", "git"}
