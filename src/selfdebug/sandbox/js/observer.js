'use strict';
// Collects what instrumented programs report: executed lines, or the values of local variables
// before each line. languages/javascript.py puts the calls in; without it nothing is called.

const { inspect } = require('./inspect.js');

const MAX_STEPS = 2000;
const MAX_TEXT = 80;

module.exports = function createObserver() {
  let lines = new Set();
  let steps = [];

  function show(read) {
    try {
      const text = inspect(read(), { oneLine: true, depth: 2, maxArrayLength: 20, maxStringLength: MAX_TEXT });
      return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
    } catch {
      return undefined; // not initialised yet, or it does not want to be read
    }
  }

  function step(line, readers) {
    if (steps.length >= MAX_STEPS) return;
    const values = {};
    for (const name of Object.keys(readers)) {
      const text = show(readers[name]);
      if (text !== undefined) values[name] = text;
    }
    steps.push([line, values]);
  }

  return {
    start(what) {
      if (what === 'lines') globalThis.__selfdebug_line = (line) => { lines.add(line); };
      if (what === 'locals') globalThis.__selfdebug_step = step;
    },
    reset() { steps = []; },
    /** Adds what was seen since the last report to a reply. */
    report(reply) {
      if (lines.size > 0) {
        reply.lines = [...lines].sort((a, b) => a - b);
        lines = new Set();
      }
      if (steps.length > 0) {
        reply.trace = steps;
        steps = [];
      }
    },
  };
};
