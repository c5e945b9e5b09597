"""CodeBLEU by the paper's definition: each part worked out by hand, and what a reward needs."""

import pytest

from selfdebug.rewards.codebleu import codebleu, matches, score
from selfdebug.rewards.codebleu.flow import DEEP
from selfdebug.rewards.codebleu.javascript_code import structure as of_javascript
from selfdebug.rewards.codebleu.ngrams import bleu
from selfdebug.rewards.codebleu.python_code import structure as of_python


class TestNgrams:
    def test_clipped_precisions_of_one_to_four_by_hand(self):
        """7 of 10 tokens, 4 of 9 pairs, 2 of 8 triples; no four, which counts as 0.1 of 7."""
        candidate, reference = "def f ( a ) : return a + 1", "def f ( b ) : return b + 2"
        by_hand = (7 / 10 * 4 / 9 * 2 / 8 * 0.1 / 7) ** (1 / 4)
        assert bleu(candidate.split(), reference.split()) == pytest.approx(by_hand)

    def test_a_keyword_counts_five_times_among_single_tokens_alone(self):
        """`def` and `return`: (5 + 5 + 5) of (8 + 10); longer n-grams as before."""
        candidate, reference = "def f ( a ) : return a + 1", "def f ( b ) : return b + 2"
        by_hand = (15 / 18 * 4 / 9 * 2 / 8 * 0.1 / 7) ** (1 / 4)
        found = bleu(candidate.split(), reference.split(), {"def", "return"})
        assert found == pytest.approx(by_hand)

    def test_a_token_counts_no_more_often_than_the_reference_has_it(self):
        """Papineni et al. 2002, example 2: "the" seven times against two."""
        reference = ["the", "cat", "is", "on", "the", "mat"]
        by_hand = (2 / 7 * 0.1 / 6 * 0.1 / 5 * 0.1 / 4) ** (1 / 4)
        assert bleu(["the"] * 7, reference) == pytest.approx(by_hand)

    def test_a_short_candidate_pays_for_its_brevity(self):
        assert bleu("abcd", "abcdefgh") == pytest.approx(2.718281828**-1)


class TestSyntax:
    def test_subtrees_of_the_reference_that_the_candidate_has_by_hand(self):
        """Module, def, arguments, return, a + 1: only the arguments are the same."""
        found = matches("python", "def f(a):\n    return a", "def f(a):\n    return a + 1")
        assert found.syntax == pytest.approx(1 / 5)

    def test_names_and_numbers_are_leaves_whose_text_is_not_compared(self):
        found = matches("python", "def f(a):\n    return a + 1", "def g(b):\n    return b + 2")
        assert found.syntax == 1

    def test_javascript_by_hand(self):
        """program, function, parameters, block, return, a + 1; the parameters are the same."""
        found = matches(
            "javascript", "function f(a) { return a; }", "function f(a) { return a + 1; }"
        )
        assert found.syntax == pytest.approx(1 / 6)


class TestFlow:
    def test_edges_by_hand(self):
        """y = x; return y. Read x from the parameter, y from x, read y from its assignment."""
        _, flow = of_python("def f(x):\n    y = x\n    return y")
        assert flow == {
            "var_0 comesFrom var_0": 1,
            "var_1 computedFrom var_0": 1,
            "var_1 comesFrom var_1": 1,
        }
        _, same = of_javascript("function g(a) { const b = a; return b; }")
        assert same == flow

    def test_share_of_the_references_edges_by_hand(self):
        """Of the reference's three the candidate has two: it reads x once, not twice."""
        found = matches(
            "python", "def f(x):\n    y = x\n    return y", "def f(x):\n    y = x\n    return x"
        )
        assert found.flow == pytest.approx(2 / 3)

    def test_after_a_branch_a_value_may_come_from_either_arm(self):
        for code, structure in (
            ("def f(c):\n    x = 1\n    if c:\n        x = 2\n    return x", of_python),
            ("function f(c) { let x = 1; if (c) { x = 2; } return x; }", of_javascript),
        ):
            assert structure(code)[1] == {
                "var_0 comesFrom var_0": 1,
                "var_1 comesFrom var_1": 2,
            }

    def test_in_a_loop_a_value_may_come_from_the_last_time_around(self):
        """s += i reads s from before the loop and from itself; return reads it from both too."""
        python = "def f(xs):\n    s = 0\n    for i in xs:\n        s += i\n    return s"
        javascript = "function f(xs) { let s = 0; for (const i of xs) { s += i; } return s; }"
        by_hand = {
            "var_0 comesFrom var_0": 1,  # xs
            "var_1 computedFrom var_0": 1,  # i from xs
            "var_2 comesFrom var_2": 4,
            "var_1 comesFrom var_1": 1,
            "var_2 computedFrom var_2": 1,
            "var_2 computedFrom var_1": 1,
        }
        for code, structure in ((python, of_python), (javascript, of_javascript)):
            found = structure(code)[1]
            assert sorted(found.values()) == sorted(by_hand.values())
            assert found.total() == 9

    def test_other_names_have_the_same_flow(self):
        a = "def f(xs):\n    t = [x for x in xs if x]\n    return sum(t)"
        b = a.replace("xs", "items").replace("t =", "kept =").replace("(t)", "(kept)")
        assert of_python(a) == of_python(b)
        assert of_python(a)[1]

    def test_what_a_comprehension_or_a_function_binds_is_unknown_outside(self):
        assert of_python("y = [x for x in [1]]\nx")[1].total() == 1  # the comprehension's own
        assert not of_javascript("const f = (x) => 1; x;")[1]

    def test_deep_loops_take_no_longer_than_their_text(self):
        depth = 4 * DEEP
        code = "".join(f"{' ' * n}for i{n} in xs:\n" for n in range(depth)) + " " * depth + "pass"
        assert of_python(code)[0]
        assert of_javascript("for (;x;) " * 100 + "x = x + 1;")[1]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "def f(a, b):\n    c = a * b\n    return c - 1\n"),
        ("javascript", "function f(a, b) {\n  const c = a * b;\n  return c - 1;\n}\n"),
    ],
)
def test_a_program_is_most_like_itself_and_then_like_itself_with_a_bug(language, code):
    other = "print(1)" if language == "python" else "console.log(1);"
    assert codebleu(language, code, code) == 1
    bug = code.replace("- 1", "+ 1")
    assert 1 > codebleu(language, bug, code) > codebleu(language, other, code)
    broken = code.replace(")", "", 1)
    assert codebleu(language, bug, code) > codebleu(language, broken, code) > 0


def test_a_part_that_the_reference_lacks_is_left_out_of_the_mean():
    found = matches("python", "f()", "f()")
    assert (found.flow, found.mean) == (None, 1)


def test_the_score_is_the_mean_over_the_repairs():
    near, far = "def f(a):\n    return a", "def g():\n    pass"
    one, two = codebleu("python", near, near), codebleu("python", near, far)
    assert score("python", near, [near, far]) == pytest.approx((one + two) / 2)
    assert score("python", near, []) is score("python", " ", [near]) is None


@pytest.mark.parametrize("language", ["python", "javascript"])
@pytest.mark.parametrize(
    "code",
    ["x = " + "+".join(["a"] * 9000), "x = " + "(" * 3000, "x" * 30_000, "\0", "'", "if x:", "🐍"],
)
def test_no_program_is_too_odd_to_be_scored(language, code):
    assert 0 <= codebleu(language, code, "x = 1") <= 1
