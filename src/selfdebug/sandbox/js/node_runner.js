'use strict';
// The compatibility path: the candidate's side in a node process of its own, for programs that
// need more than QuickJS has. It speaks the harness's frames (4 bytes of length, then JSON) on an
// inherited socket, reading and writing without a loop of its own in between.
//
//     node node_runner.js FD

const fs = require('node:fs');
const vm = require('node:vm');
const createClock = require('./clock.js');
const createEngine = require('./engine.js');
const { Exit } = require('./prelude.js');
const { createRequire, createStdin } = require('./modules.js');

const { parse, stringify } = JSON; // a program may patch them
const channel = Number(process.argv[2]);
const { setImmediate: realSetImmediate } = globalThis;
const nativeRequire = require('node:module').createRequire('/program.js');
const nativeRead = fs.readFileSync;
const BASE_RESOURCES = process.getActiveResourcesInfo().length;

function readExactly(size) {
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const got = fs.readSync(channel, buffer, at, size - at);
    if (got === 0) process.reallyExit(0); // the judge hung up: this program is done
    at += got;
  }
  return buffer;
}

function receive() {
  return readExactly(readExactly(4).readUInt32BE()).toString();
}

function send(text) {
  const body = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  for (let data = Buffer.concat([head, body]); data.length > 0;) data = data.subarray(fs.writeSync(channel, data));
}

// ---- what the engine needs of its host

const state = { exited: false, exitCode: 0, uncaught: [] };
const clock = createClock(state);
Object.assign(globalThis, clock.globals, { performance });
process.exit = (code) => {
  state.exited = true;
  state.exitCode = Number(code ?? process.exitCode ?? 0);
  throw new Exit(`process.exit(${state.exitCode})`);
};
process.on('unhandledRejection', () => {}); // a promise that a test awaits later

let stdin = '';
const readStdin = () => stdin;
fs.readFileSync = (path, options) => {
  if (path !== 0 && path !== '/dev/stdin') return nativeRead(path, options);
  return options === undefined ? Buffer.from(stdin) : stdin;
};
Object.defineProperty(process, 'stdin', { get: () => (process.ownStdin ??= createStdin(readStdin)) });

const local = (path) => { throw new Error(`Cannot find module '${path}'`); };
const shims = createRequire({ assert: () => nativeRequire('node:assert'), readStdin, local });
function requireModule(name) {
  if (/^(?:node:)?readline$/.test(name)) return shims(name);
  try {
    return nativeRequire(name);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return shims(name);
  }
}

let budget = 0; // seconds of CPU time for this test

const host = {
  request(text) {
    send(text);
    for (let answer = receive(); ; answer = receive()) {
      if (!/^\{"op":/.test(answer)) return answer;
      send(jsonOf(engine.handle(answer) ?? NESTED));
    }
  },
  evaluate: (source) => vm.runInThisContext(source, { filename: 'candidate.js' }),
  frame: /candidate\.js:(\d+)/g,
  require: requireModule,
};
const output = { text: '', exceeded: false, take: () => '' }; // node prints by itself
const engine = createEngine(host, { state, output, clock });
const NESTED = stringify({
  error: { type: 'Error', bases: ['Error'], message: 'a promise within a callback', line: 0, status: 'unserialisable' },
});

const jsonOf = (answer) => (answer.startsWith('=') ? stringify({ value: answer.slice(1) }) : answer);

function late() {
  const message = 'still running when its CPU time was over';
  return stringify({ error: { type: 'TimeoutError', bases: ['TimeoutError'], message, line: 0, status: 'timeout' } });
}

/** Runs one step of the engine; the watchdog ends a loop in it. Throws when time is up. */
function timed(step) {
  const before = process.cpuUsage();
  globalThis.__selfdebug_do = step;
  try {
    return new vm.Script('__selfdebug_do()').runInThisContext({ timeout: Math.max(1, Math.ceil(budget * 1000)) });
  } finally {
    const { user, system } = process.cpuUsage(before);
    budget -= (user + system) / 1e6;
  }
}

/** Waits until node would exit: jobs of its thread pool, such as a digest, are no resource. */
function idle() {
  return new Promise((resolve) => { process.once('beforeExit', () => realSetImmediate(resolve)); });
}

async function answer(text) {
  let made = timed(() => engine.handle(text));
  for (;;) {
    // Jobs and real input come first: they run between two turns of node's own loop.
    await new Promise((resolve) => { realSetImmediate(resolve); });
    if (made) return jsonOf(made);
    if (process.getActiveResourcesInfo().length > BASE_RESOURCES) continue;
    await idle();
    made = timed(() => engine.poll());
  }
}

async function serve() {
  for (;;) {
    const text = receive();
    const { cpu, stdin: input } = parse(text);
    if (cpu) budget = cpu;
    if (input !== undefined) stdin = input;
    let reply;
    try {
      reply = await answer(text);
    } catch (error) {
      if (error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      reply = late();
    }
    send(reply);
  }
}

serve();
