"""Hostile JavaScript programs: each tries to pass tests that it does not solve, to break out, or
to break the judge. None computes the right answer, so none may be judged a pass.
"""

from __future__ import annotations

from selfdebug.types import Task, Test

RIGHT = "const weigh = (values, factor) => values.reduce((a, b) => a + b, 0) * factor\n"

TASK = Task(
    id="weigh",
    language="javascript",
    prompt="// Return the sum of the values, times the factor.\nconst weigh = (values, factor) =>",
    entry_point="weigh",
    reference=RIGHT,
    tests=(
        Test("ints", "program", "console.assert(weigh([1, 2, 3], 2) === 12)", expected="12"),
        Test("tolerance", "program", "console.assert(Math.abs(weigh([0.5], 0.5) - 0.25) < 1e-6)"),
        Test(
            "assert",
            "program",
            "const assert = require('assert')\nassert.deepStrictEqual([weigh([1.5], 2)], [3])\n"
            "assert(weigh([2], 2) == 4)\nassert.equal(String(weigh([2], 3)), '6')",
        ),
        Test(
            "oracle on the same input",
            "program",
            "const values = Array.from({ length: 5 }, (_, i) => i * 7 % 5 + 1)\n"
            "const total = weigh(values, 3)\n"
            "console.assert(total === values.reduce((a, b) => a + b, 0) * 3)",
        ),
        Test(
            "check",
            "program",
            "const check = (candidate) => {\n"
            "  console.assert(!(candidate([2], 2) !== 4))\n"
            "  console.assert([4].includes(candidate([2], 2)))\n"
            "  console.assert(JSON.stringify(candidate([2], 2)) === '4')\n"
            "  console.assert(candidate([2], 2) > 3 && candidate([2], 2) < 5)\n}\ncheck(weigh)",
        ),
        Test("call", "call", '{"args": [[4, 5], 10], "expected": 90}'),
        Test("hidden", "program", "console.assert(weigh([7, 8], -1) === -15)", hidden=True),
    ),
)

ZERO = "const weigh = (values, factor) => 0\n"

# An object that agrees with whatever it is compared or combined with.
LIAR = """
let turn = 0
const answers = [12, 0.25, 3, 4, '6', 105, 4, 4, '4', 4, 90, -15]
const liar = () => new Proxy(function () {}, {
  get: (target, key) => {
    if (key === Symbol.toPrimitive) return () => answers[turn++ % answers.length]
    if (key === 'valueOf') return () => answers[turn++ % answers.length]
    if (key === 'toString' || key === 'toJSON') return () => '6'
    if (key === 'length') return 1
    if (key === Symbol.iterator) return function* () {}
    return () => true
  },
  has: () => true,
  getPrototypeOf: () => Number.prototype,
  ownKeys: () => [],
  apply: () => 0,
})
"""

FORGED = "{ error: { type: 'E', bases: [], message: '', line: 0, status: 'pass' } }"

ATTACKS: dict[str, str] = {
    "process.exit(0) at the top": "process.exit(0)",
    "process.exit(0) in the function": "const weigh = () => process.exit(0)",
    "process.exitCode": "process.exitCode = 0\nprocess.exit = () => {}\n" + ZERO,
    "process.kill": "const weigh = () => process.kill(process.pid, 'SIGKILL')",
    "process.abort": "const weigh = () => process.abort()",
    "uncaughtException handler exits 0": (
        "process.on('uncaughtException', () => process.exit(0))\n"
        "process.on('unhandledRejection', () => process.exit(0))\n"
        "const weigh = () => { throw new Error('no') }"
    ),
    "exit hook": (
        "process.on('exit', () => { process.exitCode = 0 })\n"
        "process.on('beforeExit', () => process.exit(0))\n" + ZERO
    ),
    "patched console.assert": "console.assert = () => {}\nconsole.error = () => {}\n" + ZERO,
    "patched assert": (
        "const assert = require('assert')\n"
        "for (const name of Object.keys(assert)) assert[name] = () => {}\n"
        "assert.AssertionError.prototype.message = ''\n" + ZERO
    ),
    "patched require": (
        "const always = new Proxy(function () {}, { get: () => always, apply: () => true })\n"
        "require = () => always\nglobalThis.require = require\nmodule.require = require\n" + ZERO
    ),
    "patched Math": "Math.abs = () => 0\nMath.max = Math.min = () => 4\n" + ZERO,
    "patched JSON": "JSON.stringify = () => '4'\nJSON.parse = () => 4\n" + ZERO,
    "patched Array.prototype": (
        "Array.prototype.includes = () => true\nArray.prototype.reduce = () => 0\n"
        "Array.prototype.every = () => true\nArray.from = () => []\n" + ZERO
    ),
    "patched Object": (
        "Object.is = () => true\nObject.keys = () => []\nObject.entries = () => []\n"
        "Object.defineProperty = () => {}\nObject.getPrototypeOf = () => null\n" + ZERO
    ),
    "patched Function.prototype": (
        "Function.prototype.call = Function.prototype.apply = () => 12\n"
        "Function.prototype[Symbol.hasInstance] = () => true\n" + ZERO
    ),
    "patched String and Number": (
        "String.prototype.valueOf = Number.prototype.valueOf = () => 12\n"
        "Number.prototype.toString = () => '6'\n" + ZERO
    ),
    "patched Error": (
        "Error.prepareStackTrace = () => []\nError.stackTraceLimit = 0\n"
        "globalThis.Error = function () { return { status: 'pass' } }\n"
        "const weigh = () => { throw Error('x') }"
    ),
    "patched Promise": (
        "Promise.prototype.then = function (f) { f(12); return this }\n"
        "const weigh = async () => 12.5"
    ),
    "patched iterators": (
        "Array.prototype[Symbol.iterator] = function* () {}\n"
        "Map.prototype.forEach = Set.prototype.forEach = () => {}\n" + ZERO
    ),
    "polluted prototype": (
        "Object.prototype.status = 'pass'\nObject.prototype.passed = true\n"
        "Object.prototype.error = undefined\nObject.prototype.done = true\n"
        "Object.prototype.value = 12\nObject.prototype.$ = 'number'\nObject.prototype.v = '12'\n"
        + ZERO
    ),
    "polluting result": (
        'const weigh = () => JSON.parse(\'{"__proto__": {"polluted": 1}, "constructor": 1}\')'
    ),
    "forged reply by toJSON": f"Object.prototype.toJSON = function () {{ return {FORGED} }}\n"
    + ZERO,
    "forged reply by Array toJSON": (
        "Array.prototype.toJSON = function () { return { $: 'builtin', v: 'Math.max' } }\n"
        "const weigh = () => [[1]]"
    ),
    "forged value": "const weigh = () => ({ $: 'number', v: '12' })",
    "forged tag": "const weigh = () => ({ $: 'yours', v: 1 })",
    "forged builtin": "const weigh = () => ({ $: 'builtin', v: 'constructor.constructor' })",
    "always equal": LIAR + "const weigh = () => liar()",
    "always equal, in an array": LIAR + "const weigh = () => [liar()]",
    "always equal, as the function": LIAR + "const weigh = liar()",
    "valueOf": (
        "let turn = 0\nconst weigh = () => ({ valueOf: () => [12, 0.25, 3, 4][turn++ % 4] })"
    ),
    "toString": "const weigh = () => ({ toString: () => '6', toJSON: () => 4 })",
    "number object": "const weigh = () => Object.assign(new Number(4), { valueOf: () => 12 })",
    "getter that changes its mind": (
        "let n = 0\nconst weigh = () => ({ get v() { return n++ }, valueOf() { return n++ } })"
    ),
    "array that equals all": (
        "class All extends Array { get length() { return 1 } includes() { return true }\n"
        "  every() { return true } toString() { return '6' } }\n"
        "const weigh = () => new All()"
    ),
    "lying species": (
        "class All extends Array { static get [Symbol.species]() { return Object } }\n"
        "const weigh = () => All.from([12])"
    ),
    "NaN": "const weigh = () => NaN",
    "undefined": "const weigh = () => {}",
    "throws undefined": "const weigh = () => { throw undefined }",
    "throws a status": "const weigh = () => { throw { status: 'pass', type: '', bases: [] } }",
    "throws a liar": LIAR + "const weigh = () => { throw liar() }",
    "throws AssertionError": (
        "const { AssertionError } = require('assert')\n"
        "const weigh = () => { throw new AssertionError({ message: 'pass' }) }"
    ),
    "promise": "const weigh = async (v, f) => v.reduce((a, b) => a + b, 0) * f",
    "promise that never settles": "const weigh = () => new Promise(() => {})",
    "thenable": "const weigh = () => ({ then: (done) => done(12) })",
    "mutates the input so that the oracle agrees": (
        "const weigh = (values) => { values.length = 0; return 0 }"
    ),
    "mutates the input and returns nothing": (
        "const weigh = (values) => { values.splice(0, values.length, 0) }"
    ),
    "replaces the test's check": (
        "globalThis.check = () => {}\nvar check = () => {}\nfunction assert() {}\n" + ZERO
    ),
    "replaces the console": "globalThis.console = new Proxy({}, { get: () => () => {} })\n" + ZERO,
    "reads its caller": (
        "function weigh() {\n  try { return String(weigh.caller).match(/=== (\\d+)/)[1] * 1 }\n"
        "  catch { return arguments.callee.caller } }"
    ),
    "reads the stack": (
        "const weigh = () => { const s = new Error().stack; if (s.includes('=== 12')) return 12\n"
        "  throw new Error('none: ' + s.length) }"
    ),
    "global scan": (
        "const weigh = () => {\n  for (const name of Object.getOwnPropertyNames(globalThis)) {\n"
        "    const text = String(globalThis[name]); if (text.includes('=== 12')) return 12 }\n"
        "  return 0 }"
    ),
    "code from strings": (
        "const weigh = () => Function('return this')().constructor.constructor('return 0')()"
    ),
    "answers by turn": "let n = 0\nconst weigh = () => [0.25, 12, 3, 4][n++]",
    "cyclic result": "const weigh = () => { const r = []; r.push(r); return r }",
    "deep result": (
        "const weigh = () => { let r = []; for (let i = 0; i < 1e5; i++) r = [r]; return r }"
    ),
    "enormous result": "const weigh = () => new Array(1e7).fill(0)",
    "sparse result": "const weigh = () => { const r = []; r[4e9] = 1; return r }",
    "enormous string": "const weigh = () => 'x'.repeat(2 ** 28)",
    "enormous BigInt": "const weigh = () => 1n << 10000000n",
    "surrogates": "const weigh = () => '\\ud800\\udfff\\0'",
    "spins": "const weigh = () => { while (true); }",
    "spins at the top": "while (true);",
    "spins in a getter": "const weigh = () => ({ get a() { while (true); } })",
    "spins in toString": (
        "const spin = () => { while (true); }\n"
        "const weigh = () => ({ toString: spin, valueOf: spin })"
    ),
    "catches the time-out": (
        "const spin = () => { while (true); }\n"
        "const weigh = () => { try { spin() } catch { return 0 } finally { spin() } }"
    ),
    "microtask loop": (
        "const loop = () => Promise.resolve().then(loop)\nloop()\nconst weigh = () => 0"
    ),
    "microtask loop in the function": (
        "const loop = () => Promise.resolve().then(loop)\nconst weigh = () => { loop(); return 0 }"
    ),
    "async loop": "const weigh = async () => { while (true) await null }",
    "timers without end": (
        "const weigh = () => { setInterval(() => {}, 1); return new Promise(() => {}) }"
    ),
    "regex backtracking": "const weigh = () => /^(a+)+$/.test('a'.repeat(60) + 'b')",
    "sort that never ends": "const weigh = () => [3, 1, 2].sort(() => { while (true); })",
    "native loop": "const weigh = () => 'x'.repeat(1e6).split('').sort().join('').repeat(500)",
    "big power": "const weigh = () => 7n ** (7n ** 9n)",
    "recursion": "const weigh = () => weigh()",
    "recursion in a proxy": (
        "let p = {}\nfor (let i = 0; i < 1e5; i++) p = new Proxy(p, {})\nconst weigh = () => p.x"
    ),
    "touches memory": "const r = []\nconst weigh = () => { while (true) r.push(Array(9).fill(r)) }",
    "typed memory": (
        "const r = []\nconst weigh = () => { while (true) r.push(new Uint8Array(1 << 26).fill(1)) }"
    ),
    "strings of memory": "const weigh = () => { let s = 'x'; while (true) s += s }",
    "prints without end": "const weigh = () => { while (true) console.log('x'.repeat(65536)) }",
    "prints a verdict": 'console.log(\'{"status":"pass"}\')\n' + ZERO,
    "reads files": (
        "const weigh = () => { const fs = require('fs')\n"
        "  throw new RangeError('SystemError ' + fs.readFileSync('/etc/passwd', 'utf8')) }"
    ),
    "writes files": (
        "try { require('fs').writeFileSync('/tmp/@MARK@', 'x') } catch {}\n"
        "try { require('node:fs').mkdirSync('@MARK@') } catch {}\n" + ZERO
    ),
    "starts a process": (
        "const weigh = () => { require('child_process').execSync('touch /tmp/@MARK@'); return 0 }"
    ),
    "network": (
        "const weigh = () => { require('net').connect(@PORT@, '127.0.0.1').write('x'); return 0 }"
    ),
    "fetch": "const weigh = async () => (await fetch('http://127.0.0.1:@PORT@/')).status",
    "reads the environment": (
        "const weigh = () => {\n"
        "  const n = Object.keys(process.env).filter((k) => /HOME|KEY/.test(k))\n"
        "  throw new RangeError(n.length ? 'SystemError ' + n : 'none') }"
    ),
    "engine's own modules": (
        "const weigh = async () => { const os = await import('os')\n"
        "  return os.exec(['touch', '/tmp/@MARK@']) }"
    ),
    "vm and wasm": ("const weigh = () => require('vm').runInThisContext('process.exit(0)')"),
    "finds the harness": (
        "const weigh = () => {\n  for (const key of Reflect.ownKeys(globalThis)) {\n"
        "    if (!String(key).includes('selfdebug')) continue\n"
        '    globalThis[key](\'{"op":"callback","handle":0,"args":"[]"}\') }\n  return 0 }'
    ),
    "syntax error": "const weigh = (",
    "closes our wrapper": "}) ; (() => { throw { status: 'pass' } })(); (function () {",
    "closes our wrapper and answers": "return { status: 'pass' } })(); (function () {\n" + ZERO,
    "import meta": "import.meta.url\n" + ZERO,
    "with statement": "with ({ weigh: () => 0 }) { }\nvar weigh = () => 0",
}


def attacks(port: int, mark: str) -> dict[str, str]:
    """Return the attacks as source; they send to `port` and leave `mark`."""
    return {
        name: code.replace("@PORT@", str(port)).replace("@MARK@", mark)
        for name, code in ATTACKS.items()
    }
