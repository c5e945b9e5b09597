'use strict';
// What is said about a finished test: the fields of a TestResult, as short texts that a person or
// a model can read.

const createCodec = require('./codec.js');
const { inspect } = require('./inspect.js');

const MAX_TEXT = 1000;
const cut = (text) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text).toWellFormed();
const messageOf = ({ type, message }) => cut(type ? `${type}: ${message}` : String(message));

module.exports = function createReport({ host, remotes, thrown, standIn, makeError }) {
  function show(value) {
    try {
      return cut(inspect(value, { oneLine: true, depth: 6, opaque: remotes.label }));
    } catch {
      return '(a value that cannot be shown)';
    }
  }

  // To show a call, its encoded arguments are read back; what is not plain becomes a label.
  const label = (kind, v, { name = v }) => ({ [inspect.custom]: () => (kind === 'yours' ? '[object]' : `[Function: ${name}]`) });
  const shown = createCodec({ live: false, home: () => undefined, share: () => null, resolve: label, standIn, makeError });

  function callText({ target, args, new: construct }) {
    const name = typeof target === 'number' ? remotes.live(target, {}).name : target;
    return cut(`${construct === true ? 'new ' : ''}${name}(${shown.decode(args).map(show).join(', ')})`);
  }

  function expectedOf(test, failure) {
    if (test.kind === 'call') return test.expected === undefined ? '' : show(test.expected.value);
    if (test.expected && test.look !== undefined) {
      try {
        return show(test.look(`(${test.expected})`));
      } catch {
        return ''; // this test did not get as far as that
      }
    }
    const compared = failure instanceof Error && failure.code === 'ERR_ASSERTION' && /===?$|^deep/.test(failure.operator);
    return compared ? show(failure.expected) : '';
  }

  function explain(test, failure) {
    if (!(failure instanceof Error)) return typeof failure === 'string' ? failure : show(failure);
    if (test.kind === 'call') return '';
    const own = failure.code === 'ERR_ASSERTION' ? failure.message : `${failure.name}: ${failure.message}`;
    const line = lineOf(test, String(failure.stack));
    return line === '' ? own : `${own} (in the test: ${line})`;
  }

  /** The line of the test program that an error comes from. */
  function lineOf(test, stack) {
    const lines = test.body.split('\n');
    for (const [, digits] of stack.matchAll(host.frame)) {
      const line = Number(digits) - test.skipped;
      if (line >= 1 && line <= lines.length) return cut(lines[line - 1].trim());
    }
    return '';
  }

  function outcome(test, state) {
    if (test.fatal !== undefined) {
      return { status: test.fatal.status, message: messageOf(test.fatal), line: test.fatal.line };
    }
    if (state.exited && state.exitCode !== 0) {
      return { status: 'wrong', message: `the test called process.exit(${state.exitCode})` };
    }
    if (test.failures.length === 0) return { status: 'pass' };
    const [failure] = test.failures;
    const known = failure !== null && typeof failure === 'object' ? thrown.get(failure) : undefined;
    const primitive = test.thrownPrimitive;
    const own = known ?? (primitive !== undefined && Object.is(primitive.made, failure) ? primitive.error : undefined);
    if (own !== undefined) return { status: 'exception', message: messageOf(own), line: own.line };
    return { status: 'wrong', message: cut(explain(test, failure)) };
  }

  function report(test, state) {
    const result = outcome(test, state);
    if (result.status === 'pass' && test.lines.size === 0 && test.trace.length === 0) return '{"status":"pass"}';
    if (result.status !== 'pass') {
      result.expected = expectedOf(test, test.failures[0]);
      if (test.last !== undefined) result.call = callText(test.last.message);
      if (test.last !== undefined && Object.hasOwn(test.last, 'value')) result.got = show(test.last.value);
    }
    if (test.lines.size > 0) result.lines = [...test.lines].sort((a, b) => a - b);
    if (test.trace.length > 0) result.trace = test.trace;
    return JSON.stringify(result);
  }

  return Object.assign(report, { callText });
};
