"""What the JavaScript mutators break, what they mend, and what they say about it.

pytest tests/test_mutators_javascript.py
"""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfdebug import plugins
from selfdebug.languages.javascript_edit import Edit, Program, change, child, explain, quote
from selfdebug.languages.javascript_edit.names import Names
from selfdebug.languages.javascript_edit.places import quotable
from selfdebug.mutators import javascript_logic as logic
from selfdebug.mutators import javascript_off_by_one as off_by_one
from selfdebug.types import Mutation

KINDS = ("syntax", "logic", "api_misuse", "off_by_one")

LOOPS = """\
const sums = (rows, limit) => {
  let total = 0, out = [];
  for (let i = 0; i < rows.length; i++) {
    if (rows[i] % 2 == 0 && rows[i] > limit) {
      total += rows[i - 1];
      out.push(rows[i]);
    } else {
      out = out.concat(rows.slice(i, limit - 1));
    }
  }
  return total == 0 ? -1 : out.sort((a, b) => a - b).map(x => x.toString()).join(' ');
};
"""
TEXTS = """\
function words(text) {
  const seen = new Set(), vowels = "aeiou";
  let best = '', n = 0;
  for (const word of text.split(' ')) {
    if (!word) continue;
    if (seen.has(word.toLowerCase())) {
      n++;
      break;
    }
    seen.add(word.toLowerCase());
    best = word.length > best.length ? word : best;
  }
  while (n < 3 || best === null) n += Math.floor(best.length / 2) + 1;
  return `${best}: ${n}` + ["1", "2"].map(x => parseInt(x, 10)).length;
}
"""
UNICODE = """\
const größe = (wörter) => {
  let länge = 0; // zählt „Zeichen“ 🙂
  for (const wort of wörter) { länge += wort.length; }
  return länge + '→';
};
"""
PROGRAMS = (LOOPS, TEXTS, UNICODE)


def mutator(kind):
    return plugins.load("mutators", f"javascript_{kind}")


def mutants(kind, code, seed=0):
    return list(mutator(kind).mutate(code, Random(seed)))


# Every row: an operator, a program with the bug, the same program without it. The operator has to
# mend the first into the second, break the second into the first, or both.
BOTH, MENDS, BREAKS = "both", "mends", "breaks"
ROWS = [
    ("off_by_one.boundary", "while (i <= n) i++;", "while (i < n) i++;", BOTH),
    ("off_by_one.loop_end", "while (i < n - 1) i++;", "while (i < n) i++;", BOTH),
    ("off_by_one.loop_start", "for (let i = 1; i < n; i++);", "for (let i = 0; i < n; i++);", BOTH),
    ("off_by_one.index", "y = a[i];", "y = a[i - 1];", BOTH),
    ("off_by_one.slice_end", "y = s.slice(i, j - 1);", "y = s.slice(i, j);", BOTH),
    ("off_by_one.threshold", "if (n > 9) f();", "if (n > 10) f();", BOTH),
    ("off_by_one.constant", "y = x * 3;", "y = x * 2;", BOTH),
    ("off_by_one.constant", "y = -2;", "y = -1;", BOTH),
    ("off_by_one.length", "y = a.length;", "y = a.length - 1;", MENDS),
    ("off_by_one.length", "y = a.length + 1;", "y = a.length;", BREAKS),
    ("off_by_one.quantity", "y = a.length;", "y = a.length - 1;", BREAKS),
    ("off_by_one.quantity", "var n = 5; g(n);", "var n = 5; g(n + 1);", MENDS),
    ("off_by_one.quantity", "var n = 5; y = n * n;", "var n = 5; y = n * (n + 1);", MENDS),
    ("off_by_one.fence_post", "y = a.map(f);", "y = a.map(f).slice(1);", BOTH),
    ("off_by_one.update_order", "y = a[++i];", "y = a[i++];", BOTH),
    ("logic.operator", "y = x - 1;", "y = x + 1;", BOTH),
    ("logic.operator", "y = a || b;", "y = a && b;", BOTH),
    ("logic.connective", "y = a && b && c;", "y = a || b || c;", BOTH),
    ("logic.assignment", "t = x;", "t += x;", BOTH),
    ("logic.assignment", "i--;", "i++;", BOTH),
    ("logic.negation", "if (!f(x)) g();", "if (f(x)) g();", BOTH),
    ("logic.negation", "y = a.filter(x => b.has(x));", "y = a.filter(x => !b.has(x));", BOTH),
    ("logic.boolean", "y = true;", "y = false;", BOTH),
    ("logic.initial", "let best = 0;", "let best = -Infinity;", MENDS),
    ("logic.operand", "y = a % b + c;", "y = a % b;", MENDS),
    ("logic.operand", "if (a) f();", "if (a && b) f();", BREAKS),
    ("logic.deletion", "f();\ng();\nh();", "f();\nh();", MENDS),
    ("logic.deletion", "f();\nh();", "f();\ng();\nh();", BREAKS),
    ("logic.missing_return", "function f() { g(); }", "function f() { return g(); }", BOTH),
    ("logic.branches", "if (a) { f(); } else { g(); }", "if (a) { g(); } else { f(); }", BOTH),
    ("logic.order", "y = a ? b : c;", "y = a ? c : b;", BOTH),
    ("logic.order", "y = f(a, b);", "y = f(b, a);", BOTH),
    ("logic.order", "y = a / b;", "y = b / a;", BOTH),
    (
        "logic.results",
        "function f(a) { if (a) { return 1; } return 2; }",
        "function f(a) { if (a) { return 2; } return 1; }",
        BOTH,
    ),
    ("logic.name", "let a = 1, b = 2; y = a;", "let a = 1, b = 2; y = b;", BOTH),
    ("logic.number", "y = x % 10;", "y = x % 100;", BOTH),
    ("logic.string", "y = '(';", "y = ')';", BOTH),
    ("logic.string", "y = 'yes';", "y = 'Yes';", BOTH),
    ("logic.sign", "y = -f(x);", "y = f(x);", BOTH),
    ("logic.unguarded", "if (a) f();", "f();", MENDS),
    ("logic.unguarded", "f();", "if (a) f();", BREAKS),
    ("logic.jump", "while (a) { break; }", "while (a) { continue; }", BOTH),
    (
        "logic.placement",
        "while (a) {\n  f();\n  return 1;\n}",
        "while (a) {\n  f();\n}\nreturn 1;",
        MENDS,
    ),
    ("logic.placement", "f();\ng();", "g();\nf();", BOTH),
    ("logic.shadowing", "let t; while (a) { let t = 1; }", "let t; while (a) { t = 1; }", BOTH),
    ("logic.aliasing", "let a = []; let b = a;", "let a = []; let b = [...a];", BOTH),
    ("logic.bracketing", "y = a + b * c;", "y = (a + b) * c;", BOTH),
    (
        "logic.expression",
        "let a = [1]; y = a[0]; z = a.length;",
        "let a = [1]; y = a.length; z = a.length;",
        MENDS,
    ),
    ("logic.result", "function f() { return x; }", "function f() { return -1; }", MENDS),
    (
        "logic.insertion",
        "function f() { let n = 0;\ng();\n}",
        "function f() { let n = 0;\ng();\nn++;\n}",
        MENDS,
    ),
    ("logic.guard", "let a = 1, b = 2; f();", "let a = 1, b = 2; if (a == b) f();", MENDS),
    (
        "logic.extra_operand",
        "if (x + y == z) f();if (x == 0) g();",
        "if (x + y == z || x == 0) f();if (x == 0) g();",
        MENDS,
    ),
    (
        "logic.exchange",
        "y = d[0] > 12 || d[1] > 31 || d[1] < 1;",
        "y = d[1] > 12 || d[0] > 31 || d[0] < 1;",
        MENDS,
    ),
    ("api_misuse.method", "a.unshift(x);", "a.push(x);", BOTH),
    ("api_misuse.function", "y = Math.round(x);", "y = Math.floor(x);", BOTH),
    ("api_misuse.comparator", "a.sort();", "a.sort((a, b) => a - b);", BOTH),
    ("api_misuse.comparator", "a.sort((p, q) => p > q);", "a.sort((p, q) => p - q);", BOTH),
    ("api_misuse.callback", "y = a.map(parseInt);", "y = a.map(x => parseInt(x, 10));", BOTH),
    ("api_misuse.arrow", "y = a.filter(x > 0);", "y = a.filter(x => 0);", BOTH),
    ("api_misuse.returned", "s.trim();", "s = s.trim();", BOTH),
    ("api_misuse.returned", "a = a.push(x);", "a.push(x);", BOTH),
    ("api_misuse.iteration", "for (const x in a) f(x);", "for (const x of a) f(x);", BOTH),
    ("api_misuse.keyword", "y = Set(a);", "y = new Set(a);", BOTH),
    (
        "api_misuse.keyword",
        "async function f() { return g(); }",
        "async function f() { return await g(); }",
        BOTH,
    ),
    (
        "api_misuse.spread",
        "let a = [1]; y = Math.max(a);",
        "let a = [1]; y = Math.max(...a);",
        BOTH,
    ),
    ("api_misuse.quoted_name", "let t = 1; f('t');", "let t = 1; f(t);", BOTH),
    ("api_misuse.receiver", "y = a.includes(b);", "y = b.includes(a);", BOTH),
    ("api_misuse.missing_argument", "y = parseInt(x, 2);", "y = parseInt(x);", MENDS),
    ("api_misuse.missing_argument", "y = f();", "y = f(x);", BREAKS),
    ("api_misuse.extra_argument", "y = n.toString();", "y = n.toString(2);", MENDS),
    ("api_misuse.foreign_name", "y = None;", "y = null;", BOTH),
    ("api_misuse.foreign_name", "a.append(1);", "a.push(1);", BOTH),
    ("api_misuse.foreign_name", "y = len(a);", "y = a.length;", MENDS),
    ("api_misuse.property_call", "y = a.length();", "y = a.length;", BOTH),
    ("api_misuse.step", "y = Math.abs(a - b);", "y = a - b;", MENDS),
    ("api_misuse.step", "y = a - b;", "y = Math.abs(a - b);", BREAKS),
    ("api_misuse.missing_function", "y = a - b;", "y = Math.abs(a - b);", MENDS),
    ("api_misuse.missing_method", "y = s + '';", "y = (s + '').length;", MENDS),
    ("api_misuse.equality", "y = x == 0;", "y = x === 0;", BOTH),
    ("api_misuse.negative_index", "y = a[-1];", "y = a[a.length - 1];", BOTH),
    ("api_misuse.power", "y = a ^ b;", "y = a ** b;", BOTH),
    ("api_misuse.power", "y = z + (a ^ 2);", "y = z + Math.pow(a, 2);", BREAKS),
    ("api_misuse.extreme", "y = Number.MIN_VALUE;", "y = -Infinity;", BOTH),
    ("api_misuse.element", "var i = 0; y = a.i;", "var i = 0; y = a[i];", BOTH),
    ("api_misuse.element", "y = a(i);", "y = a[i];", BREAKS),
    ("api_misuse.element", "y = a.get(i);", "y = a[i];", BOTH),
    ("api_misuse.element", "y = a[i, j];", "y = a[i][j];", BOTH),
    ("api_misuse.map_entry", "m[k] = v;", "m.set(k, v);", BREAKS),
    ("api_misuse.map_entry", "y = m[k];", "y = m.get(k);", BREAKS),
    ("api_misuse.joined", "y = a + b;", "y = a.concat(b);", BREAKS),
    ("api_misuse.joined", "y = a + b;", "y = [...a, ...b];", BREAKS),
    ("api_misuse.joined", "y = s * n;", "y = s.repeat(n);", BREAKS),
    ("api_misuse.joined", "y = [0] * n;", "y = new Array(n).fill(0);", BOTH),
    ("api_misuse.joined", "y = ','.join(a);", "y = a.join(',');", BOTH),
    ("api_misuse.membership", "if (!(x in a)) f();", "if (!a.includes(x)) f();", BOTH),
    ("api_misuse.membership", "if (o.has(k)) f();", "if (k in o) f();", BOTH),
    ("api_misuse.own_function", "y = len(a);", "y = a.length;", BREAKS),
    ("api_misuse.own_function", "y = (a - b).abs();", "y = Math.abs(a - b);", BOTH),
    ("api_misuse.own_function", "y = a.max();", "y = Math.max(...a);", BOTH),
    ("api_misuse.own_function", "y = o.keys();", "y = Object.keys(o);", BOTH),
    ("api_misuse.namespace", "y = math.abs(x);", "y = Math.abs(x);", BOTH),
    ("api_misuse.foreign_method", "y = a.collect(f);", "y = a.map(f);", BOTH),
    ("api_misuse.type_test", "y = typeof x === 'array';", "y = Array.isArray(x);", BOTH),
    ("api_misuse.type_test", "y = x === NaN;", "y = isNaN(x);", BOTH),
    ("api_misuse.rounded_quotient", "y = Math.floor(a / b);", "y = a / b;", BREAKS),
    ("api_misuse.found", "if (a.indexOf(x)) f();", "if (a.indexOf(x) !== -1) f();", BOTH),
    ("api_misuse.found", "if (!a.indexOf(x)) f();", "if (a.indexOf(x) === -1) f();", BOTH),
    ("api_misuse.found", "if (a.has(x) !== -1) f();", "if (a.has(x)) f();", BOTH),
    (
        "api_misuse.printed",
        "function f(x) { console.log(x + 1); }",
        "function f(x) { return x + 1; }",
        BOTH,
    ),
    ("api_misuse.callback_parameters", "a.map((i, x) => x);", "a.map((x, i) => x);", BOTH),
    ("api_misuse.callback_parameters", "a.map((k, v) => v);", "a.map(([k, v]) => v);", BREAKS),
    ("api_misuse.pattern", "y = s.replace(/a/, '');", "y = s.replace(/a/g, '');", BOTH),
    ("api_misuse.pattern", "y = s.split('\\s+');", "y = s.split(/\\s+/);", BOTH),
    ("api_misuse.pattern", "y = s.replace(',', '');", "y = s.replace(/,/g, '');", BREAKS),
    ("api_misuse.called_callback", "y = a.map(Number());", "y = a.map(Number);", BOTH),
    ("api_misuse.uncalled", "y = s.trim;", "y = s.trim();", BOTH),
    ("api_misuse.block_body", "y = a.map(x => { x + 1; });", "y = a.map(x => x + 1);", BOTH),
    (
        "api_misuse.loop_form",
        "for (let i in a) f(i);",
        "for (let i = 0; i < a.length; i++) f(i);",
        BOTH,
    ),
    ("api_misuse.own_value", "y = count;", "y = this.count;", BREAKS),
    ("api_misuse.wrapped_argument", "y = Math.max([a, b]);", "y = Math.max(a, b);", BOTH),
    ("api_misuse.wrapped_argument", "a.push([x]);", "a.push(x);", BOTH),
    ("api_misuse.wrapped_argument", "a.push(x, y);", "a.push([x, y]);", BOTH),
    ("api_misuse.bare_object", "for (k of o) f(k);", "for (k of Object.keys(o)) f(k);", BREAKS),
    ("api_misuse.pushed", "y = a.push(x);", "y = [...a, x];", BOTH),
    (
        "api_misuse.shared_rows",
        "y = Array(n).fill(Array(m).fill(0));",
        "y = Array.from({ length: n }, () => Array(m).fill(0));",
        BOTH,
    ),
    ("api_misuse.same_array", "if (a === []) f();", "if (a.length === 0) f();", BOTH),
    ("api_misuse.same_array", "y = a === b;", "y = a.join() === b.join();", BREAKS),
    ("api_misuse.nothing", "if (x === null) f();", "if (x === undefined) f();", BOTH),
    ("api_misuse.template", "y = '${x}!';", "y = `${x}!`;", BOTH),
    ("api_misuse.arrow", "y = a.map((p, q) > p);", "y = a.map((p, q) => p);", BOTH),
    ("api_misuse.element", "let a = [1]; y = a(0) + a[1];", "let a = [1]; y = a[0] + a[1];", MENDS),
    ("api_misuse.map_entry", "m = new Map(); m[k] = v;", "m = new Map(); m.set(k, v);", BOTH),
    ("api_misuse.map_entry", "m = new Map(); y = m[k];", "m = new Map(); y = m.get(k);", BOTH),
    ("api_misuse.joined", "let a = [1]; y = a + a;", "let a = [1]; y = [...a, ...a];", BOTH),
    ("api_misuse.joined", "let a = [1]; y = a + a;", "let a = [1]; y = a.concat(a);", BOTH),
    ("api_misuse.joined", "y = '-' * n;", "y = '-'.repeat(n);", BOTH),
    ("api_misuse.rounded_quotient", "y = c + Math.floor(a / b);", "y = c + a / b;", BOTH),
    (
        "api_misuse.callback_parameters",
        "o.entries().map((k, v) => v);",
        "o.entries().map(([k, v]) => v);",
        BOTH,
    ),
    ("api_misuse.pattern", "y = /[a-z]/.test(s);", "y = /[a-z]/i.test(s);", BOTH),
    (
        "api_misuse.own_value",
        "class A { n = 0; f() { return n; } }",
        "class A { n = 0; f() { return this.n; } }",
        BOTH,
    ),
    (
        "api_misuse.bare_object",
        "let o = {}; for (k of o) f(k);",
        "let o = {}; for (k of Object.values(o)) f(k);",
        BOTH,
    ),
    ("api_misuse.spread", "y = [f(x)];", "y = [...f(x)];", BOTH),
    (
        "api_misuse.missing_argument",
        "function f(x) { return g() + f(); }",
        "function f(x) { return g() + f(x); }",
        BOTH,
    ),
]


@pytest.mark.parametrize(("operator", "wrong", "right", "does"), ROWS)
def test_an_operator_mends_its_bug_and_puts_it_in(operator, wrong, right, does):
    kind = operator.split(".")[0]
    full = f"javascript_{operator}"
    if does != BREAKS:
        assert right in {m.fixed for m in mutator(kind).repair(wrong) if m.mutator == full}
    if does != MENDS:
        # Another operator may make the same bug, and the seed decides which of them comes first.
        bugs = [bug for seed in range(8) for bug in mutants(kind, right, seed)]
        assert wrong in {bug.broken for bug in bugs if bug.mutator == full}


LEFT_ALONE = [
    ("element", "const m = new Map(); y = m.get(k);"),
    ("foreign_method", "class A { collect(f) { return f; } } new A().collect(g);"),
    ("namespace", "let math = { abs: f }; y = math.abs(x);"),
    ("membership", "const o = { k: 1 }; if (k in o) f();"),
    ("membership", "const s = new Set(); if (s.has(x)) f();"),
    ("block_body", "a.forEach((x) => { f(x); });"),
    ("loop_form", "const counts = {}; for (const k in counts) f(k);"),
    ("bare_object", "const m = new Map(); for (const [k, v] of m) f(k, v);"),
    ("uncalled", "a.map(this.trimmed); y = a.length;"),
    ("pushed", "a.push(x);"),
]


@pytest.mark.parametrize(("operator", "right"), LEFT_ALONE)
def test_a_form_that_may_be_right_is_left_alone(operator, right):
    offered = {m.mutator for m in mutator("api_misuse").repair(right)}
    assert f"javascript_api_misuse.{operator}" not in offered


SYNTAX = [
    ("unclosed", "f(g(1);", "f(g(1));"),
    ("unclosed", "if (a) {\n  f();\n\ng();", "if (a) {\n  f();\n}\ng();"),
    ("unopened", "f 1);", "f( 1);"),
    ("surplus", "f(1));", "f(1);"),
    ("mismatched", "y = [1, 2);", "y = [1, 2];"),
    ("quotes", "y = 'abc;", "y = 'abc';"),
    ("quotes", "y = \"abc';", 'y = "abc";'),
    ("comma", "y = [a b];", "y = [a, b];"),
    ("header", "for (i = 0, i < n; i++) f();", "for (i = 0; i < n; i++) f();"),
    ("header", "if a > b { f(); }", "if (a > b) { f(); }"),
    ("foreign", "if (a and b) f();", "if (a && b) f();"),
    ("foreign", "if (a) f(); elif (b) g();", "if (a) f(); else if (b) g();"),
    ("foreign", "def f() { return 1; }", "function f() { return 1; }"),
    ("foreign", "if (not a) f();", "if (!a) f();"),
    ("typo", "fucntion f() { return 1; }", "function f() { return 1; }"),
    ("arrow", "const f = (a) -> a + 1;", "const f = (a) => a + 1;"),
    ("broken_operator", "if (a = == b) f();", "if (a === b) f();"),
    ("declaration", "let a == 1;", "let a = 1;"),
    ("choice", "y = {a = 1};", "y = {a: 1};"),
]


@pytest.mark.parametrize(("slip", "wrong", "right"), SYNTAX)
def test_a_slip_that_no_parser_accepts_is_mended(slip, wrong, right):
    def plain(code):
        return re.sub(r"\s+", "", code)

    assert not Program(wrong).parses
    assert plain(right) in {plain(m.fixed) for m in mutator("syntax").repair(wrong)}


@pytest.mark.parametrize("slip", sorted({slip for slip, _, _ in SYNTAX} | {"statement"}))
def test_every_slip_is_made(slip):
    code = TEXTS + "const f = (a, b) => ({ a: 1 });\nif (a) f(); else if (b) g(); // so\n"
    assert f"javascript_syntax.{slip}" in {m.mutator for m in mutants("syntax", code)}


def test_two_slips_are_mended_together():
    code = "const f = (a) -> {\n  return [a, 1;\n};\n"
    assert any(
        re.sub(r"\s+", "", m.fixed) == "const f=(a)=>{return[a,1];};".replace("const f", "constf")
        for m in mutator("syntax").repair(code)
    )


def test_a_name_declared_twice_is_set_instead():
    code = "let a = 1;\nlet a = 2;\n"
    assert [m.fixed for m in mutator("syntax").repair(code)] == ["let a = 1;\na = 2;\n"]


def test_what_does_not_parse_is_left_to_the_syntax_mutators():
    for kind in KINDS:
        assert mutants(kind, "const f = (") == []
        repaired = list(mutator(kind).repair("const f = (a) => [a;"))
        assert bool(repaired) == (kind == "syntax")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", PROGRAMS)
class TestEveryMutation:
    def test_breaks_the_program_and_keeps_the_rest_of_its_text(self, kind, code):
        for mutation in mutants(kind, code):
            assert mutation.fixed == code != mutation.broken
            assert mutation.kind == kind
            # Lines away from the change are untouched: the same number of them at both ends.
            before, after = code.splitlines(), mutation.broken.splitlines()
            assert before[0] == after[0] or before[-1] == after[-1]

    def test_parses_unless_it_is_a_slip(self, kind, code):
        for mutation in mutants(kind, code):
            assert Program(mutation.broken).parses == (kind != "syntax"), mutation.explanation

    def test_names_the_line_where_the_programs_part(self, kind, code):
        for mutation in [*mutants(kind, code), *mutator(kind).repair(code)]:
            assert mutation.line == first_different_line(mutation), mutation.explanation
            assert f"line {mutation.line}" in mutation.explanation.lower()

    def test_quotes_only_code_that_is_there(self, kind, code):
        for mutation in [*mutants(kind, code), *mutator(kind).repair(code)]:
            for piece in quoted(mutation.explanation):
                assert said_by(piece, mutation), (piece, mutation.explanation)

    def test_comes_out_the_same_for_the_same_seed(self, kind, code):
        assert mutants(kind, code, seed=7) == mutants(kind, code, seed=7)
        assert mutants(kind, code, seed=7) != mutants(kind, code, seed=8)

    def test_is_offered_once(self, kind, code):
        for found in ([m.broken for m in mutants(kind, code)],
                      [m.fixed for m in mutator(kind).repair(code)]):  # fmt: skip
            assert len(found) == len(set(found))


def test_the_operators_take_turns():
    first = [m.mutator for m in mutants("logic", LOOPS)[:10]]
    assert len(set(first)) == 10


def test_a_slip_is_worded_in_many_ways():
    found = [m.explanation for seed in range(30) for m in mutants("off_by_one", LOOPS, seed)]
    boundary = {text for text in found if "i <= rows.length" in text}
    assert len(boundary) >= 5


def first_different_line(mutation: Mutation) -> int:
    same = 0
    for one, other in zip(mutation.broken, mutation.fixed, strict=False):
        if one != other:
            break
        same += 1
    return mutation.broken.count("\n", 0, same) + 1


def quoted(text: str) -> list[str]:
    doubled = re.findall(r"`` (.+?) ``", text)
    return doubled + re.findall(r"`([^`]+)`", re.sub(r"`` .+? ``", "", text))


def said_by(piece: str, mutation: Mutation) -> bool:
    """Is the piece in one of the programs, or a sign that the language has?"""
    built_in = {"if", "in", "of", "new", "map", "parseInt", "=>", ">", "length", "${", ":"}
    return piece in mutation.broken or piece in mutation.fixed or piece in built_in


class TestProgram:
    def test_edits_count_bytes_and_keep_every_character(self):
        program = Program("let ä = '🙂'; f(ä);")
        (string,) = program.of("string")
        assert program.text(string) == "'🙂'"
        assert program.edited([Edit(string.start_byte, string.end_byte, "1")]) == "let ä = 1; f(ä);"

    def test_lines_are_counted_from_one(self):
        program = Program("a;\nb;\n\nc;")
        assert [program.line(node.start_byte) for node in program.of("identifier")] == [1, 2, 4]

    def test_a_lone_surrogate_survives(self):
        code = "f('\ud83d');"
        assert Program(code).edited([]) == code

    def test_quotes_are_doubled_around_a_template(self):
        assert quote("a") == "`a`"
        assert quote("`a`") == "`` `a` ``"

    def test_a_change_quotes_all_that_it_edits(self):
        program = Program("f(1);")
        (call,) = program.of("call_expression")
        edit = Edit(0, len("f(1);"), "g();")
        assert change(child(call, "function"), [edit], "so").shown == (0, 5)

    def test_an_explanation_says_line_reason_and_cure(self):
        text = explain(3, "a", "b", "it is so", Random(1))
        assert "3" in text
        assert "`a`" in text
        assert "`b`" in text
        assert "it is so" in text.lower()

    def test_what_is_quoted_is_as_small_as_tells_the_place(self):
        program = Program("function f() { return some(a + b, third); }")
        names = {program.text(node): node for node in program.of("identifier")}
        assert program.text(quotable(names["a"])) == "some(a + b, third)"


class TestNames:
    def names_at(self, code, marker="here"):
        program = Program(code)
        node = next(n for n in program.of("identifier") if program.text(n) == marker)
        return Names(program).visible(node)

    def test_a_block_keeps_its_names(self):
        assert self.names_at("let a; { let b; } here; let c;") == ["a"]

    def test_a_function_gives_its_parameters_and_var_leaves_blocks(self):
        code = "const f = (a, [b, c] = [], {d, e: g}) => { if (a) { var h = 1; } here; };"
        assert self.names_at(code) == ["f", "a", "b", "c", "d", "g", "h"]

    def test_a_function_may_call_itself(self):
        assert "f" in self.names_at("const f = () => here;")
        assert "g" in self.names_at("here; function g() {}")

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("let x = 0;", "number"),
            ("let x = a.length;", "number"),
            ("let x = ''; ", "string"),
            ("let x = a + '';", "string"),
            ("let x = [];", "array"),
            ("let x = s.split('');", "array"),
            ("let x = a < b;", "boolean"),
            ("let x = new Set();", "object"),
            ("let x = (a) => a;", "function"),
            ("function f(x) { x.push(1); }", "array"),
            ("function f(x) { return x[0]; }", "sequence"),
            ("function f(x) { return x * 2; }", "number"),
            ("let y = 0; let x = y;", "number"),
            ("let x = g();", ""),
            ("let x = 1; x = '';", ""),
        ],
    )
    def test_a_use_tells_what_a_name_holds(self, code, kind):
        assert Names(Program(code)).kind("x") == kind


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="fa1 ;(){}[]=><+-'\"`,:?.!&|$\n", max_size=40))
def test_no_text_is_too_strange(code):
    for kind in KINDS:
        for mutation in [*mutants(kind, code)[:5], *list(mutator(kind).repair(code))[:5]]:
            assert mutation.broken != mutation.fixed


def test_a_lost_block_is_told_with_all_of_its_lines():
    loop = "  for (const x of xs) {\n    n += x;\n  }\n"
    code = f"function f(xs) {{\n  let n = 0;\n{loop}  return n;\n}}\n"
    texts = [bug.explanation for bug in logic.mutate(code, Random(0)) if "deletion" in bug.mutator]
    assert any("Put in `for (const x of xs) {`, `n += x;` and `}`." in text for text in texts)


def test_a_lost_operand_is_told_with_its_operator():
    code = "function f(x) {\n  return x === 0;\n}\n"
    texts = [bug.explanation for bug in logic.mutate(code, Random(0)) if "operand" in bug.mutator]
    assert any("the part `=== 0` is left out" in text for text in texts)


def test_positions_are_not_taken_for_elements():
    code = "function f(xs) {\n  let n = 0;\n  for (const i in xs) n += xs[i];\n  return n;\n}\n"
    assert not any(".slice" in bug.broken for bug in off_by_one.mutate(code, Random(0)))
    elements = code.replace("i in xs", "x of xs").replace("xs[i]", "x")
    assert any(".slice" in bug.broken for bug in off_by_one.mutate(elements, Random(0)))


def test_no_number_that_is_added_or_taken_away_becomes_negative():
    code = "function f(x) {\n  x -= 2;\n  return x - 1;\n}\n"
    offered = [m.fixed for m in logic.repair(code)]
    assert offered
    assert not any("- -" in code or "-= -" in code for code in offered)
