'use strict';
// A test program made into a function. From the outside in, each layer's names win over those
// before it: the candidate's names, the task's prelude, the entry point, the test's own.

const { wrap } = require('./source.js');

const MAX_KEPT = 2048;
const kept = new Map(); // text -> compiled function; the same tests judge many candidates

class TestFault extends Error {} // the test itself does not compile

// A call that stands alone on a line may start a promise that nobody awaits.
const LONE_CALL = /^(?!(?:if|for|while|switch|catch|with|function|return)\b)([A-Za-z_$][\w$.]*\(.*\)(?:\.\w+\(.*\))*);?[ \t]*$/gm;
const LONE_ASYNC = /^;?\((?=async\b)/gm;

function tracked(body) {
  if (!/\basync\b|\bPromise\b|\.then\b/.test(body)) return body;
  return body.replace(LONE_CALL, '__selfdebug_track($1);').replace(LONE_ASYNC, ';__selfdebug_start(');
}

function build(host, { body, prelude, entry, names }) {
  const head = '__selfdebug_scope((__selfdebug_text) => eval(__selfdebug_text));';
  const rewrite = /^[ \t]*(?:import\s|export\s)/m.test(body);
  const options = { rewrite, async: rewrite || /\bawait\b/.test(body), head };
  const before = `(function (${Object.keys(names).join()}) { return function (__selfdebug_scope, __selfdebug_track,`
    + ` __selfdebug_start) {${prelude}\n;return function (${entry}) { return `;
  const evaluate = (text) => host.evaluate(`${before}${wrap(text, options)}; }; }; })`);
  try {
    return evaluate(tracked(body));
  } catch {
    try {
      return evaluate(body);
    } catch (error) {
      throw new TestFault(`the test does not compile: ${error.message}`);
    }
  }
}

/** @param {object} given body, prelude, entry, stub, names {name: stand-in}, track, onScope */
module.exports = function compile(host, given) {
  const key = [given.body, given.prelude, given.entry, ...Object.keys(given.names)].join('\0');
  if (!kept.has(key)) {
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, build(host, given));
  }
  const { track } = given;
  const start = (begin) => (...args) => track(begin(...args));
  const main = kept.get(key)(...Object.values(given.names))(given.onScope, track, start)(given.stub);
  return { main, skipped: given.prelude.split('\n').length };
};
module.exports.TestFault = TestFault;
