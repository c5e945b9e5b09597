"""Nouns as JSON values: any text comes back, and a wrong field is named."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdebug.encoding import decode, encode
from selfdebug.types import Completion, Episode, Repair, TestResult, Turn, Verdict

REPAIR = Repair("k", "task", "python", "a", "b", "c", "d", "injected", "A")
TURN = Turn(Completion("x", "x"), Verdict("task", "ab12", (TestResult("t", "wrong"),), "A"))
EPISODE = Episode("task", "refine", 3, "fake", (TURN,), 0.25, "exhausted")


def test_a_field_at_its_default_is_left_out_and_comes_back() -> None:
    value = encode(TURN.completion)
    assert value == {"text": "x", "code": "x"}
    assert decode(Completion, value) == TURN.completion


VALUES = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@settings(deadline=None)
@given(st.text(), st.dictionaries(st.text(), VALUES))
def test_any_text_survives_json(text, details):
    details = {
        k: v for k, v in details.items() if v == v and v not in (float("inf"), -float("inf"))
    }
    noun = replace(REPAIR, broken=text, details=details)
    assert decode(Repair, encode(noun)) == noun


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"origin": "guessed"}, "Repair.origin is 'guessed', not one of injected, harvested"),
        ({"tier": 1}, "Repair.tier is 1, not a str"),
        ({"details": []}, r"Repair.details is \[\], not an object"),
    ],
)
def test_a_wrong_field_is_named(fields, says):
    with pytest.raises(ValueError, match=says):
        decode(Repair, encode(REPAIR) | fields)


def test_a_wrong_field_deep_inside_is_named():
    value = encode(EPISODE)
    value["turns"][0]["verdict"]["results"][0]["status"] = "fine"
    with pytest.raises(ValueError, match=r"Episode.turns\[\].verdict.results\[\].status is 'fine'"):
        decode(Episode, value)
