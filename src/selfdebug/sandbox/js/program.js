'use strict';
// A test program made into a function. From the outside in, each layer's names win over those
// before it: the candidate's names, the task's prelude, the entry point, the test's own.

const { wrap } = require('./source.js');

class TestFault extends Error {} // the test itself does not compile

// A call that stands alone on a line may start a promise that nobody awaits.
const LONE_CALL = /^(?!(?:if|for|while|switch|catch|with|function|return)\b)([A-Za-z_$][\w$.]*\(.*\)(?:\.\w+\(.*\))*);?[ \t]*$/gm;
const LONE_ASYNC = /^;?\((?=async\b)/gm;

function tracked(body) {
  if (!/\basync\b|\bPromise\b|\.then\b/.test(body)) return body;
  return body.replace(LONE_CALL, '__selfdebug_track($1);').replace(LONE_ASYNC, ';__selfdebug_start(');
}

module.exports = function compile(host, { body, prelude, entry, stub, names, track, onScope }) {
  const head = '__selfdebug_scope((__selfdebug_text) => eval(__selfdebug_text));';
  const rewrite = /^[ \t]*(?:import\s|export\s)/m.test(body);
  const options = { rewrite, async: rewrite || /\bawait\b/.test(body), head };
  const before = `(function (${Object.keys(names).join()}) { return function (__selfdebug_scope, __selfdebug_track,`
    + ` __selfdebug_start) {${prelude}\n;return function (${entry}) { return `;
  const build = (text) => host.evaluate(`${before}${wrap(text, options)}; }; }; })`);
  const start = (begin) => (...args) => track(begin(...args));
  let made;
  try {
    made = build(tracked(body));
  } catch {
    try {
      made = build(body);
    } catch (error) {
      throw new TestFault(`the test does not compile: ${error.message}`);
    }
  }
  const main = made(...Object.values(names))(onScope, track, start)(stub);
  return { main, skipped: prelude.split('\n').length };
};
module.exports.TestFault = TestFault;
