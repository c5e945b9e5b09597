'use strict';
// The globals that a program expects of node and that a bare engine lacks: console, timers on a
// virtual clock, process, structuredClone, TextEncoder and locale-aware methods. It has no
// network, no files and no Intl: a program that asks for more gets a ReferenceError.
//
// install() returns what the harness needs of them: the clock, the output and the exit state.

const { inspect, formatLog } = require('./inspect.js');
const installLocale = require('./locale.js');
const createClock = require('./clock.js');

const OUTPUT_LIMIT = 64 << 20; // characters; past this a program is only flooding
const define = (target, name, value) => Object.defineProperty(target, name, {
  value, writable: true, configurable: true, enumerable: false,
});

/** Thrown by process.exit; the harness also remembers it, so catching it does not help. */
class Exit extends Error {}

function createOutput(kept) {
  const output = { text: '', size: 0, exceeded: false };
  output.write = (text) => {
    output.size += text.length;
    if (output.text.length < kept) output.text += text.slice(0, kept - output.text.length);
    if (output.size > OUTPUT_LIMIT) {
      output.exceeded = true;
      throw new RangeError('the program printed more than 64 MiB');
    }
    return true;
  };
  output.take = () => {
    const { text } = output;
    output.text = '';
    return text;
  };
  return output;
}

function createConsole(print) {
  let indent = '';
  const counts = new Map();
  const say = (...args) => {
    const text = formatLog(...args);
    print(`${indent ? indent + text.replaceAll('\n', `\n${indent}`) : text}\n`);
  };
  const ignore = () => {};
  const group = (...args) => {
    if (args.length > 0) say(...args);
    indent += '  ';
  };
  return {
    log: say,
    info: say,
    debug: say,
    // These go to standard error, which nobody reads; console.assert does not throw in node.
    warn: ignore,
    error: ignore,
    trace: ignore,
    assert: ignore,
    dir: (value, options) => say(inspect(value, options)),
    table: (value) => say(value),
    group,
    groupCollapsed: group,
    groupEnd: () => { indent = indent.slice(2); },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) || 0) + 1);
      say(`${label}: ${counts.get(label)}`);
    },
    countReset: (label = 'default') => { counts.delete(label); },
    time: ignore,
    timeEnd: ignore,
    timeLog: ignore,
    clear: ignore,
  };
}

function createProcess(host, output, state) {
  const nowMs = () => performance.now();
  const hrtime = () => [Math.floor(nowMs() / 1e3), Math.floor((nowMs() % 1e3) * 1e6)];
  hrtime.bigint = () => BigInt(Math.floor(nowMs() * 1e6));
  const process = {
    argv: ['node', 'program.js'],
    env: {},
    platform: 'linux',
    arch: 'x64',
    pid: 1,
    version: 'v20.0.0',
    versions: { node: '20.0.0' },
    exitCode: undefined,
    stdout: { write: (text) => output.write(String(text)), isTTY: false, columns: 80 },
    stderr: { write: () => true, isTTY: false },
    exit: (code) => {
      state.exited = true;
      state.exitCode = Number(code ?? process.exitCode ?? 0);
      throw new Exit(`process.exit(${state.exitCode})`);
    },
    nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
    hrtime,
    uptime: () => nowMs() / 1e3,
    cwd: () => '/',
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0 }),
  };
  // Handlers for exit, uncaughtException and the like are never called: nobody listens.
  for (const name of ['on', 'once', 'off', 'addListener', 'removeListener', 'removeAllListeners']) {
    process[name] = () => process;
  }
  process.emit = () => false;
  const stdin = () => require('./modules.js').createStdin(host.readStdin);
  Object.defineProperty(process, 'stdin', { get: once(stdin), configurable: true });
  return process;
}

function once(make) {
  let made;
  return () => (made ??= make());
}

function structuredClone(value, seen = new Map()) {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError');
  }
  if (value === null || typeof value !== 'object') return value;
  if (seen.has(value)) return seen.get(value);
  const remember = (copy) => {
    seen.set(value, copy);
    return copy;
  };
  const clone = (item) => structuredClone(item, seen);
  if (value instanceof Date) return remember(new Date(value));
  if (value instanceof RegExp) return remember(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return remember(value.slice(0));
  if (ArrayBuffer.isView(value)) return remember(value.slice());
  if (value instanceof Error) return remember(Object.assign(new globalThis[value.name](value.message)));
  if (value instanceof Map) {
    const copy = remember(new Map());
    for (const [key, item] of value) copy.set(clone(key), clone(item));
    return copy;
  }
  if (value instanceof Set) {
    const copy = remember(new Set());
    for (const item of value) copy.add(clone(item));
    return copy;
  }
  const copy = remember(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) copy[key] = clone(value[key]);
  return copy;
}

class TextEncoder {
  get encoding() { return 'utf-8'; }

  encode(text = '') {
    const escaped = encodeURIComponent(String(text).toWellFormed());
    const bytes = escaped.match(/%[0-9A-F]{2}|[^%]/g) || [];
    return Uint8Array.from(bytes, (byte) => (byte.length === 3 ? parseInt(byte.slice(1), 16) : byte.charCodeAt(0)));
  }
}

class TextDecoder {
  get encoding() { return 'utf-8'; }

  decode(bytes = new Uint8Array()) {
    const list = [...new Uint8Array(bytes.buffer || bytes)];
    return decodeURIComponent(list.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  }
}

/** Mulberry32: the same program meets the same random numbers in every run. */
function seededRandom(seed) {
  let state = seed;
  return function random() {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

module.exports = function install(host) {
  const state = { exited: false, exitCode: 0, uncaught: [] };
  const output = createOutput(host.keptOutput);
  const clock = createClock(state);
  define(globalThis, 'console', createConsole(output.write));
  define(globalThis, 'process', createProcess(host, output, state));
  define(globalThis, 'global', globalThis);
  for (const [name, value] of Object.entries(clock.globals)) define(globalThis, name, value);
  define(globalThis, 'structuredClone', (value) => structuredClone(value));
  define(globalThis, 'TextEncoder', TextEncoder);
  define(globalThis, 'TextDecoder', TextDecoder);
  installLocale(define);
  /** As new for the next program: the same random numbers, no timers, time not moved. */
  const reset = () => {
    define(Math, 'random', seededRandom(0x5eed));
    clock.reset();
  };
  reset();
  return { state, output, clock, reset };
};
module.exports.Exit = Exit;
