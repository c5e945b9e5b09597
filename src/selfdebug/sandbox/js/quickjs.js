'use strict';
// Starts a side in a QuickJS realm: what the engine itself must provide, and the runtime that a
// program expects. Returns one function: (operation, text) -> text.

const install = require('./prelude.js');
const createEngine = require('./engine.js');
const createJudge = require('./judge.js');
const { createRequire } = require('./modules.js');

const evaluate = eval; // indirect: in the global scope
const frame = /<input>:(\d+)/g;

exports.candidate = (request) => {
  let stdin = '';
  const readStdin = () => stdin;
  const runtime = install({ keptOutput: 4 << 20, readStdin });
  const local = (path) => { throw new Error(`Cannot find module '${path}'`); };
  const assert = () => require('./assert.js')();
  const host = { request, evaluate, frame, require: createRequire({ assert, readStdin, local }) };
  const engine = createEngine(host, runtime);
  const operations = { ...engine, stdin: (text) => { stdin = text; } };
  return (operation, text) => operations[operation](text);
};

exports.judge = (request) => {
  const runtime = install({ keptOutput: 0, readStdin: () => '' });
  const judge = createJudge({ request, evaluate, frame }, runtime);
  return (operation, text) => judge[operation](text);
};
