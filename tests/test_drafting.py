"""The draft: it follows a repair through its edits, and says little where nothing is repeated."""

import pytest

from selfdebug.backends.transformers import drafting
from selfdebug.backends.transformers.drafting import Draft

BROKEN = list(range(100, 200))
REPAIRS = {
    "nothing": BROKEN,
    "one token": [*BROKEN[:50], 7, *BROKEN[51:]],
    "a line more": [*BROKEN[:50], *range(10, 20), *BROKEN[50:]],
    "a line less": [*BROKEN[:50], *BROKEN[60:]],
    "a line for another": [*BROKEN[:50], *range(10, 20), *BROKEN[60:]],
    "an explanation before": [*range(10, 50), *BROKEN],
    "two lines that swap": [*BROKEN[:40], *BROKEN[50:60], *BROKEN[40:50], *BROKEN[60:]],
}


def steps(broken, reply, overhead=24.0):
    """How many times a model would run, and over how many tokens."""
    draft, said, runs, tokens = Draft(broken), [], 0, 0
    while len(said) < len(reply):
        room = len(reply) - len(said) - 1
        width = drafting.width([(draft, room)], overhead, 16.0)
        proposed = draft.propose(min(width, room))
        right = 0
        while right < len(proposed) and proposed[right] == reply[len(said) + right]:
            right += 1
        said += reply[len(said) : len(said) + right + 1]
        draft.follow(said, right + 1)
        runs, tokens = runs + 1, tokens + 1 + len(proposed)
    return runs, tokens


@pytest.mark.parametrize("edit", REPAIRS)
def test_the_place_is_found_again_after_every_kind_of_edit(edit):
    reply = REPAIRS[edit]
    new = [token for token in reply if token not in BROKEN]
    runs, _ = steps(BROKEN, reply)
    assert runs <= len(new) + 18


def test_another_program_is_hardly_drafted():
    reply = [7 + place * place % 83 for place in range(100)]
    runs, tokens = steps(BROKEN, reply)
    assert runs == 100
    assert tokens <= 130


def test_what_was_said_before_drafts_what_is_said_in_the_same_words():
    phrase = list(range(300, 330))
    reply = [*phrase[:10], 7, *phrase[11:20], 8, *phrase[21:], *BROKEN]
    assert steps([*BROKEN, *phrase], reply)[0] <= steps(BROKEN, reply)[0] - 10


def test_what_repeats_by_chance_costs_little():
    """Punctuation is in every program: each of these tokens stands in the draft somewhere."""
    broken = [place * 7 % 10 for place in range(100)]
    reply = [place * place % 10 for place in range(100)]
    runs, tokens = steps(broken, reply)
    assert runs * (24 + 1) + tokens <= 1.3 * 100 * (24 + 1)


def test_a_draft_ends_and_never_proposes_more_than_there_is_room_for():
    draft = Draft([1, 2, 3])
    assert list(draft.propose(8)) == [1, 2, 3]
    assert draft.expected(2)[-1] < 2
    draft.follow([1, 2, 3], 3)
    assert list(draft.propose(8)) == []
    assert drafting.width([(draft, 50)], 24.0, 16.0) == 0
    assert drafting.width([(None, 50)], 24.0, 16.0) == 0


def test_where_tokens_cost_much_fewer_are_proposed():
    rows = [(Draft(BROKEN), 90)] * 4
    widths = [drafting.width(rows, overhead, 16.0) for overhead in (1.0, 24.0, 500)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]
