'use strict';
// The judge's side: runs test programs with stand-ins for the candidate's functions and says how
// each went. The candidate never enters this realm; only its plain values do.
//
// setUp(text) takes a task and returns whether this realm is still clean: a test program runs in
// functions of its own, so one realm serves many tasks unless a test changes the built-ins.
// run(text) starts a test; then the host runs the engine's jobs and calls poll() until it returns
// a result.

const createAssert = require('./assert.js');
const createCodec = require('./codec.js');
const createRemotes = require('./remote.js');
const createReport = require('./report.js');
const createStandIns = require('./standins.js');
const builtins = require('./builtins.js');
const compile = require('./program.js');
const overwrite = require('./overwrite.js');
const { Exit } = require('./prelude.js');
const { deepEqual, withTolerance } = require('./equal.js');
const { formatLog } = require('./inspect.js');
const { createRequire } = require('./modules.js');
const { isIdentifier } = require('./source.js');

const { Unserialisable, classesOf } = createCodec;
const MAX_TIMERS = 20_000;
const FOREVER = 1e12; // ms: as far as a candidate's clock may be moved
const SAMPLES = [{}, [], '', 0, () => {}, new Map(), new Set(), Promise.prototype];

/** Whether a test has put something on a prototype; what it puts there is enumerable. */
function isPolluted() {
  for (const sample of SAMPLES) for (const name in Object(sample)) return name !== undefined;
  return false;
}

class Fatal extends Error {} // the candidate is gone, or what it did ends the test

/**
 * @param {object} host request(text) -> text asks the candidate, "!" when it is gone;
 *   evaluate(source) runs a text; frame is a pattern for the line numbers of a stack.
 * @param {object} runtime the clock and exit state that prelude.js returns.
 */
module.exports = function createJudge(host, runtime) {
  const { state, clock } = runtime;
  const initialNames = new Set(Object.getOwnPropertyNames(globalThis));
  const callbacks = [null]; // id -> function given to the candidate
  const callbackIds = new Map();
  const stubs = new Map(); // name -> stand-in
  const thrown = new WeakMap(); // error made here -> the candidate's description of it
  const waiting = []; // what poll() works on, the innermost last
  let task; // entry_point, prelude
  let entry = '';
  let names = []; // [name, kind] of what the candidate defines
  let remoteTimers = false;
  let given = []; // the objects in the arguments of the innermost request
  let test;

  const standIns = createStandIns(() => undefined, (name) => stubs.get(name));
  const share = (value) => {
    const known = home(value) ?? builtins.tagOf(value);
    if (known !== undefined) return known;
    if (!callbackIds.has(value)) callbackIds.set(value, callbacks.push(value) - 1);
    return { $: 'callback', v: callbackIds.get(value), name: String(value.name) };
  };
  const resolve = (kind, v, more) => {
    if (kind === 'handle') return remotes.live(Number(v), more);
    if (kind === 'same' && Number.isInteger(v) && v >= 0 && v < given.length) return given[v];
    if (kind === 'yours' && v > 0 && v < callbacks.length) return callbacks[v];
    throw new Unserialisable(`an unknown kind of value: ${kind}`);
  };
  const { prototypeOf: standIn, makeError } = standIns;
  const codec = createCodec({ live: false, home, share, resolve, standIn, makeError });
  const remotes = createRemotes({ ask, encode: codec.encode, prototypeOf: standIn });
  const isOpaque = (value) => remotes.targetOf(value) !== undefined;
  const report = createReport({ host, remotes, thrown, standIn, makeError });

  function home(value) {
    const target = remotes.targetOf(value);
    if (target === undefined) return undefined;
    return typeof target === 'number' ? { $: 'yours', v: target } : { $: 'named', v: target };
  }

  // ---- talking to the candidate

  /** Sends a request and returns its decoded value; `args` and `met` are the test's own objects. */
  function ask(message, args = [], met = []) {
    if (test.fatal !== undefined) throw new Fatal(test.fatal.message);
    if (message.op === 'call') test.last = { message };
    const outer = given;
    given = met;
    try {
      return accept(host.request(JSON.stringify(message)), message, args);
    } finally {
      given = outer;
    }
  }

  function accept(text, message, args) {
    const reply = text.startsWith('=') ? { value: text.slice(1) } : JSON.parse(text === '!' ? '{"gone":true}' : text);
    if (reply.gone === true) test.fatal = { type: 'Lost', message: '', status: 'crashed', line: 0 };
    if (test.fatal !== undefined) throw new Fatal(test.fatal.message);
    observe(reply, message);
    if (reply.error !== undefined) return refuse(reply.error);
    const value = codec.decode(String(reply.value));
    if (message.op === 'call') {
      test.last.value = value;
      if (value === undefined && typeof reply.args === 'string') overwrite(args, codec.decode(reply.args), isOpaque);
    }
    return reply.promise === true ? Promise.resolve(value) : value;
  }

  function observe({ lines = [], trace, clock: moved = 0, timers = 0 }, { op }) {
    for (const line of lines) test.lines.add(line);
    if (op === 'call' && trace !== undefined) test.trace = trace;
    if (typeof moved === 'number' && moved > clock.now && moved <= FOREVER) clock.advance(moved);
    remoteTimers = timers > 0;
  }

  function refuse(error) {
    if (error.status !== 'exception') {
      test.fatal = error;
      throw new Fatal(String(error.message));
    }
    const made = error.value === undefined ? makeError(error.bases, String(error.message)) : codec.decode(error.value);
    if (made !== null && typeof made === 'object') thrown.set(made, error);
    else test.thrownPrimitive = { made, error };
    if (error.rejected !== true) throw made;
    const rejected = Promise.reject(made);
    rejected.catch(() => {});
    return rejected;
  }

  /** The candidate calls a function of the test: a reply, or undefined and poll() will give it. */
  function callback(text) {
    const { handle, args, this: self, new: construct } = JSON.parse(text);
    try {
      const called = callbacks[handle];
      if (typeof called !== 'function') throw new TypeError('no such function');
      const values = codec.decode(args);
      const receiver = self === undefined ? undefined : codec.decode(self);
      const value = construct === true ? Reflect.construct(called, values) : Reflect.apply(called, receiver, values);
      if (!(value instanceof Promise)) return JSON.stringify({ value: codec.encode(value) });
      const request = { done: false };
      const settled = (make) => Object.assign(request, { done: true, make });
      value.then(
        (made) => settled(() => ({ value: codec.encode(made), promise: true })),
        (error) => settled(() => ({ error: { ...describe(error), rejected: true } })),
      );
      waiting.push(request);
      return undefined;
    } catch (error) {
      return JSON.stringify({ error: describe(error) });
    }
  }

  function describe(error) {
    // What a test expects is none of the candidate's business.
    if (error instanceof assert.AssertionError) return describe(new Error('an assertion failed'));
    const isError = error instanceof Error;
    const bases = isError ? classesOf(error) : [];
    return { type: bases[0] ?? typeof error, bases, message: String(isError ? error.message : ''), value: codec.encode(error) };
  }

  // ---- what a test program may use

  const assert = createAssert({ onFailure: fail, isOpaque, opaque: remotes.label });
  // A relative path can only mean the candidate: its entry point, with all names on it.
  const solution = () => new Proxy(stubs.get(entry) ?? {}, {
    get: (own, name) => (stubs.has(name) ? stubs.get(name) : own[name]),
  });
  const require = createRequire({ assert: () => assert, readStdin: () => '', local: solution });

  function setUp(text) {
    if (isPolluted()) return 'changed';
    // What a test forgot to declare.
    for (const name of Object.keys(globalThis)) if (!initialNames.has(name)) delete globalThis[name];
    runtime.reset();
    console.assert = (value, ...message) => {
      if (!value) assert.fail(message.length > 0 ? formatLog(...message) : undefined);
    };
    for (const part of [stubs, callbackIds, standIns, remotes]) part.clear();
    callbacks.length = 1;
    remoteTimers = false;
    test = undefined;
    task = JSON.parse(text);
    [entry] = task.entry_point.split('.');
    names = Object.entries(task.names).filter(([name]) => isIdentifier(name) && (name === entry || !initialNames.has(name)));
    for (const [name, kind] of names) if (kind !== 'value') stubs.set(name, remotes.named(name));
    if (entry !== '' && !stubs.has(entry)) stubs.set(entry, remotes.named(entry));
    return 'clean';
  }

  /** Stubs and values of the candidate that a text mentions. */
  function namesIn(text) {
    const found = {};
    for (const [name, kind] of names) {
      if (text.includes(name)) found[name] = kind === 'value' ? ask({ op: 'reflect', trap: 'itself', target: name }) : stubs.get(name);
    }
    return found;
  }

  function fail(error) {
    if (error instanceof Exit && state.exitCode === 0) return;
    if (!test.failures.includes(error)) test.failures.push(error);
  }

  /** Waits for a promise that a test starts, even one that it forgets. */
  function track(promise) {
    if (!(promise instanceof Promise)) return promise;
    test.open += 1;
    const done = () => { test.open -= 1; };
    promise.then(done, (error) => {
      done();
      fail(error);
    });
    return promise;
  }

  // ---- running tests

  function runProgram({ body }) {
    const module = { exports: {} };
    const program = compile(host, {
      body, prelude: task.prelude, entry, stub: stubs.get(entry), names: namesIn(task.prelude + body), track,
      onScope: (look) => { test.look = look; },
    });
    test.skipped = program.skipped;
    return program.main.call(module.exports, module.exports, require, module, '/test.js', '/');
  }

  function runCall({ body }) {
    const { args, atol = 0, ...rest } = JSON.parse(body);
    const expected = Object.hasOwn(rest, 'expected') ? codec.decode(JSON.stringify(rest.expected)) : undefined;
    test.expected = { value: expected };
    const check = (got) => {
      if (!deepEqual(got, expected, withTolerance(atol), isOpaque)) fail(new assert.AssertionError({ message: '' }));
    };
    const value = ask({ op: 'call', target: task.entry_point, args: JSON.stringify(args), copy: true });
    return value instanceof Promise ? value.then(check) : check(value);
  }

  function run(text) {
    const wanted = JSON.parse(text);
    test = { ...wanted, failures: [], lines: new Set(), trace: [], open: 0, fired: 0, skipped: 0 };
    Object.assign(state, { exited: false, exitCode: 0, uncaught: [] });
    clock.reset();
    waiting.length = 0;
    try {
      track(wanted.kind === 'call' ? runCall(wanted) : runProgram(wanted));
    } catch (error) {
      if (error instanceof compile.TestFault) test.fatal = { type: '', message: error.message, status: 'unknown', line: 0 };
      else fail(error);
    }
    waiting.push(test);
  }

  /** To be called after the engine's jobs have run: a reply, or "" after moving the clock. */
  function poll() {
    const request = waiting.at(-1);
    for (const error of state.uncaught.splice(0)) fail(error);
    const isTest = request === test;
    const over = isTest ? test.fatal !== undefined || test.failures.length > 0 || state.exited : request.done;
    if (!over && test.fired < MAX_TIMERS && moveClock()) return '';
    waiting.pop();
    if (!isTest) return JSON.stringify(request.done ? request.make() : { error: describe(new Error('the promise never settles')) });
    if (!over && test.fired >= MAX_TIMERS) fail(new Error('timers that never end'));
    else if (!over && test.open > 0) fail(new Error('a promise never settles'));
    return report(test, state);
  }

  /** Fires what is due next, here or in the candidate; false when nothing is. */
  function moveClock() {
    if (!remoteTimers && clock.pending() === 0) return false;
    test.fired += 1;
    try {
      if (remoteTimers) ask({ op: 'tick', until: Math.min(clock.due(), FOREVER) });
      if (clock.pending() > 0) clock.fire();
    } catch (error) {
      fail(error);
    }
    return true;
  }

  const lastCall = () => (test?.last === undefined ? '' : report.callText(test.last.message));
  return { setUp, run, poll, callback, lastCall };
};
