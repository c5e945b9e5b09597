// Runs one file of a user's JavaScript tests with the candidate's text in the place of the target.
// It is the main script of a sandboxed node process (see suite_node.py); what it reports on the
// channel was reached in the candidate's own process. It writes no file.
//
//     python -m pytest tests/test_suite.py
'use strict';

const fs = require('node:fs');
const Module = require('node:module');
const { pathToFileURL, fileURLToPath } = require('node:url');
const { Worker } = require('node:worker_threads');
const { inspect } = require('node:util');
const { Script } = require('node:vm');
const lines = require('./suite_lines.js');

const channel = Number(process.argv[2]);
const message = JSON.parse(fs.readFileSync(process.argv[3], 'utf8'));
const suite = message.suite;
const file = suite.test_file[0];
const fileId = suite.file_id;
const MAX_TEXT = 1000;

let finished = false; // the end frame is out
const collected = [];

function send(frame) {
  const body = Buffer.from(JSON.stringify(frame));
  const data = Buffer.alloc(4 + body.length);
  data.writeUInt32BE(body.length);
  body.copy(data, 4);
  for (let at = 0; at < data.length; ) at += fs.writeSync(channel, data, at);
}

function read(length) {
  const data = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const got = fs.readSync(channel, data, at, length - at, null);
    if (got === 0) process.exit(1); // the judge has hung up
    at += got;
  }
  return data;
}

function tell(news) {
  send({ op: 'callback', ...news });
  return JSON.parse(read(read(4).readUInt32BE()).toString());
}

function finish(errors) {
  if (finished) return;
  finished = true;
  send({ done: true, collected, errors: errors ?? {} });
  process.exit(0);
}

// The clock. The main thread cannot notice that it hangs, so another thread watches its CPU time.
const state = new BigInt64Array(new SharedArrayBuffer(16)); // in microseconds: [end or 0, limit]
const watch = `
  const { workerData: { state, channel } } = require('node:worker_threads');
  const fs = require('node:fs');
  setInterval(() => {
    const limit = Atomics.load(state, 0);
    const { user, system } = process.cpuUsage();
    if (limit === 0n || BigInt(user + system) < limit) return;
    const body = Buffer.from(JSON.stringify({ op: 'callback', late: Number(Atomics.load(state, 1)) / 1e6 }));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    fs.writeSync(channel, Buffer.concat([head, body]));
    Atomics.store(state, 0, 0n);
  }, 20);
`;
// Small, as the memory that an engine reserves counts against the candidate's.
const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, codeRangeSizeMb: 4 };
new Worker(watch, { eval: true, resourceLimits, workerData: { state, channel } }).unref();

function wind(seconds) {
  const { user, system } = process.cpuUsage();
  Atomics.store(state, 1, BigInt(Math.round(seconds * 1e6)));
  Atomics.store(state, 0, BigInt(Math.round(user + system + seconds * 1e6)));
}

// node:test reports in bulk, later than tests run: so the lines of each are kept by its id.
const ran = new Map();
const active = new Set(); // have begun, and their functions have not returned

function credit() {
  const found = lines.take();
  for (const id of active) found.forEach((line) => ran.get(id).add(line));
}

function begin(id) {
  tell({ running: id });
  if (message.observe === 'lines') credit();
  if (id) {
    active.add(id);
    ran.set(id, new Set());
  }
  wind(id ? message.cpu_seconds : message.load_seconds);
}

function rest(id) {
  Atomics.store(state, 0, 0n);
  if (message.observe === 'lines') credit();
  active.delete(id);
}

function end(id, result) {
  rest(id);
  if (!collected.includes(id)) collected.push(id);
  const found = { test_id: id, ...result, lines: [...(ran.get(id) ?? [])] };
  if (tell({ result: found }).stop) finish();
}

// What an error says.
const cap = (text) => (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`);
const show = (value) => cap(inspect(value, { depth: 6, breakLength: Infinity }));
const frameOf = /\(?((?:file:\/\/)?\/[^\s()]*):(\d+):(\d+)\)?$/;

function frames(error) {
  const found = [];
  for (const line of String(error?.stack ?? '').split('\n')) {
    const match = line.trim().match(frameOf);
    if (!match || line.includes('node:')) continue;
    const path = match[1].startsWith('file:') ? fileURLToPath(match[1].split('?')[0]) : match[1];
    found.push({ path, line: Number(match[2]), column: Number(match[3]) });
  }
  return found;
}

function describe(error) {
  const name = error?.name ?? typeof error;
  const text = error instanceof Error ? error.message : String(error);
  const stack = frames(error);
  const message = cap(error instanceof Error ? `${name}: ${text}` : text);
  if (stack.length && owns(stack[0].path)) {
    return { status: 'exception', message, line: stack[0].line, ...asked(stack, wholeCall) };
  }
  // Otherwise the test's own statement failed, on what the candidate had returned.
  if (error?.code !== 'ERR_ASSERTION') {
    return { status: 'wrong', message, ...asked(stack, wholeCall) };
  }
  const found = { status: 'wrong', message: cap(text), ...asked(stack, firstArgument) };
  if (THROWS.has(error.operator)) {
    found.call = found.call?.replace(/^(async )?\(\) => /, '');
    found.expected = `throws ${error.expected?.name ?? 'an error'}`;
  } else if (error.operator !== 'fail') {
    found.got = show(error.actual);
    found.expected = show(error.expected);
    if (error.generatedMessage && !/^The expression/.test(text)) found.message = '';
  }
  return found;
}

const THROWS = new Set(['throws', 'rejects', 'doesNotThrow', 'doesNotReject']);

function loadError(error) {
  const found = { ...describe(error), status: 'load_error', call: '' };
  if (error?.name === 'SyntaxError') found.line = lineOfSyntaxError(error);
  return found;
}

// A syntax error's place stands before its text, "/path/calc.js:3". Importing leaves it out; then
// the text is compiled again as a script, and the place counts where the message is the same.
function lineOfSyntaxError(error) {
  let told = error;
  if (suite.format === 'module') {
    const blank = (text) => text.replace(/[^\n]/g, ' ');
    const script = message.code
      .replace(/^[ \t]*import\b[^;]*?from\s*(['"]).*?\1/gm, blank)
      .replace(/^[ \t]*export( default)?\b/gm, blank);
    try {
      new Script(script, target);
    } catch (again) {
      told = again.message === error.message ? again : error;
    }
  }
  const head = String(told.stack).match(/^(\/.*):(\d+)\n/);
  return head && owns(head[1]) ? Number(head[2]) : 0;
}

// The call under test, as the test file's own text has it: `assert.equal(add(1, 2), 3)`.
function asked(stack, cut) {
  const frame = stack.find((each) => each.path === file);
  if (!frame) return {};
  const source = (suite.script ?? fs.readFileSync(file, 'utf8')).split(/\r?\n/);
  const text = source.slice(frame.line - 1).join('\n').slice(frame.column - 1);
  return { call: cap(cut(text).replace(/\s+/g, ' ').trim()) };
}

function firstArgument(text) {
  return upTo(text.slice(text.indexOf('(') + 1), ',');
}

function wholeCall(text) {
  const open = text.indexOf('(');
  if (open < 0) return '';
  return `${text.slice(0, open + 1)}${upTo(text.slice(open + 1), '')})`;
}

// The text before a separator, or the closing bracket, on this level; strings are stepped over.
function upTo(text, separator) {
  let depth = 0;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (quote) {
      if (c === '\\') at++;
      else if (c === quote) quote = '';
    } else if ('"\'`'.includes(c)) quote = c;
    else if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c) && depth-- === 0) return text.slice(0, at);
    else if (c === separator && depth === 0) return text.slice(0, at);
  }
  return '';
}

// The candidate's text, and a script's, in the place of the files.
const real = (path) => {
  try {
    return fs.realpathSync(path);
  } catch {
    return path;
  }
};
const target = real(suite.target);
const owns = (path) => path === target || real(path) === target;
const texts = { [target]: message.code };
const modules = new Set(suite.format === 'module' ? [target] : []);
if (suite.script) {
  texts[real(file)] = suite.script;
  if (suite.script_format === 'module') modules.add(real(file));
}

function substitute() {
  const load = Module._extensions['.js'];
  Module._extensions['.js'] = (module, path) => {
    const text = texts[real(path)];
    if (text === undefined || modules.has(real(path))) load(module, path);
    else module._compile(text, path);
  };
  if (modules.size === 0) return;
  const byUrl = Object.fromEntries([...modules].map((path) => [pathToFileURL(path).href, texts[path]]));
  if (Module.registerHooks) {
    Module.registerHooks({
      load(url, context, nextLoad) {
        const source = byUrl[url.split('?')[0]];
        if (source === undefined) return nextLoad(url, context);
        return { format: 'module', source, shortCircuit: true };
      },
    });
    return;
  }
  // Before node 22.15, hooks need a thread of their own.
  Module.register('./suite_hooks.mjs', { parentURL: pathToFileURL(__filename), data: { byUrl } });
}

// For scripts of asserts: their text calls these around each top-level assert.
globalThis.__selfdebug__ = {
  begin,
  pass: (id) => end(id, { status: 'pass' }),
  fail: (id, error) => end(id, describe(error)),
};

// For suite_reporter.js, which node loads.
module.exports = { end, describe, finish, fileId };

function watchTests() {
  const { beforeEach, afterEach } = require('node:test');
  const idOf = (context) =>
    `${fileId}::${(context.fullName ?? context.name).replaceAll(' > ', '::')}`;
  beforeEach((context) => begin(idOf(context)));
  afterEach((context) => {
    const id = idOf(context);
    rest(id);
    if (context.passed === undefined) return; // an older node
    // The reporter has the last word, but speaks late: a later test may hang before it does.
    const error = context.error?.cause ?? context.error;
    tell({ early: { test_id: id, ...(context.passed ? { status: 'pass' } : describe(error)) } });
  });
}

// A script that is one test passes when it comes to its end, or itself says that all is well.
function watchScript(id) {
  const exit = process.exit;
  process.exit = (code = process.exitCode) => {
    const byScript = frames(new Error())[1]?.path === file;
    if (byScript && !finished) {
      end(id, code ? { status: 'wrong', message: `exit code ${code}` } : { status: 'pass' });
      finish();
    }
    exit(code);
  };
  const fail = (error) => {
    end(id, describe(error));
    finish();
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

function giveUp() {
  const result = { status: 'timeout', message: 'it waits for a promise that stays pending' };
  for (const id of [...active]) end(id, result);
  finish();
}

async function main() {
  if (message.observe === 'lines') lines.start(target, message.code);
  substitute();
  if (suite.whole) watchScript(suite.whole);
  else if (!suite.script) watchTests();
  process.once('beforeExit', () => {
    if (suite.whole && !finished) end(suite.whole, { status: 'pass' });
    if (suite.whole || suite.script) finish();
    // node:test now gives up on what is still pending, or (node 24) waits for ever.
    else setTimeout(giveUp, 100);
  });
  process.argv.splice(1, process.argv.length, file);
  begin(suite.whole || '');
  try {
    await import(pathToFileURL(file));
  } catch (error) {
    if (suite.whole && error?.name !== 'SyntaxError') end(suite.whole, describe(error));
    finish({ '': loadError(error) });
  }
}

main();
