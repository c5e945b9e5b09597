'use strict';
// What a candidate threw, as plain data for the judge: type, classes, message, the program's own
// line and a status. A thrown object that lies about itself only spoils its own description.

const { Unserialisable, classesOf } = require('./codec.js');
const { inspect } = require('./inspect.js');

const MAX_MESSAGE = 2000;
const InternalErrorClass = globalThis.InternalError ?? class {}; // V8 has none

module.exports = function createDescriber({ program, frame, encode }) {
  /** The first line of the program on a stack, 0 if there is none. */
  function lineOf(stack) {
    for (const [, digits] of stack.matchAll(frame)) {
      const line = Number(digits) - program.skipped;
      if (line >= 1 && line <= program.lines) return line;
    }
    return 0;
  }

  function statusOf(error, message, status) {
    if (error instanceof Unserialisable) return 'unserialisable';
    if (error instanceof InternalErrorClass && message === 'out of memory') return 'memory';
    return status;
  }

  /** The thrown value itself, where it can be sent; its description suffices otherwise. */
  function encoded(error) {
    try {
      return encode(error);
    } catch {
      return undefined;
    }
  }

  function describeThrown(error, status) {
    if (!(error instanceof Error)) {
      const message = inspect(error, { oneLine: true }).slice(0, MAX_MESSAGE);
      return { type: typeof error, bases: [], message, line: 0, status, value: encoded(error) };
    }
    const bases = classesOf(error);
    const message = String(error.message).slice(0, MAX_MESSAGE);
    const type = String(error.name);
    const made = { type, bases, message, line: lineOf(String(error.stack)), status: statusOf(error, message, status) };
    const plain = type === bases[0] && Object.keys(error).every((key) => key === 'stack');
    return plain ? made : { ...made, value: encoded(error) };
  }

  return function describe(error, status = 'exception') {
    try {
      return describeThrown(error, status);
    } catch {
      const message = 'something was thrown that cannot be read';
      return { type: 'Error', bases: ['Error'], message, line: 0, status };
    }
  };
};
