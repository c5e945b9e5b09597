'use strict';
// node's assert module, for test programs and for candidates. In the judge every failed
// assertion is also reported to `onFailure`, so that one inside a forgotten promise still counts.
//
//     node -e "require('./assert.js')().deepStrictEqual([1], [1])"

const { deepEqual, STRICT, LOOSE } = require('./equal.js');
const { inspect } = require('./inspect.js');

class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message);
    this.generatedMessage = false;
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }

  get name() { return 'AssertionError'; }
}

module.exports = function createAssert({ onFailure = () => {}, isOpaque, opaque } = {}) {
  let expecting = 0; // > 0 inside throws() and rejects(), where failures are wanted

  function fail(actual, expected, message, operator, stock) {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message: message ?? stock, actual, expected, operator });
    if (expecting === 0) onFailure(error);
    throw error;
  }

  const show = (value) => inspect(value, { oneLine: true, depth: 4, opaque });

  function check(ok, actual, expected, message, operator) {
    if (!ok) fail(actual, expected, message, operator, `${show(actual)} ${operator} ${show(expected)} does not hold`);
  }

  function assert(value, message) {
    if (!value) fail(value, true, message, 'ok', 'the asserted value is not truthy');
  }

  const same = (rule) => (a, b) => deepEqual(a, b, rule, isOpaque);
  const comparisons = {
    equal: [LOOSE.leaf, '=='],
    strictEqual: [STRICT.leaf, '==='],
    deepEqual: [same(LOOSE), 'deepEqual'],
    deepStrictEqual: [same(STRICT), 'deepStrictEqual'],
  };
  for (const [name, [test, operator]] of Object.entries(comparisons)) {
    const opposite = `not${name[0].toUpperCase()}${name.slice(1)}`;
    assert[name] = (a, b, message) => check(test(a, b), a, b, message, operator);
    assert[opposite] = (a, b, message) => check(!test(a, b), a, b, message, opposite);
  }
  assert.ok = assert;
  assert.fail = (message) => fail(undefined, undefined, message, 'fail', 'Failed');
  assert.match = (text, pattern, message) => check(pattern.test(text), text, pattern, message, 'match');
  assert.doesNotMatch = (text, pattern, message) => check(!pattern.test(text), text, pattern, message, 'doesNotMatch');
  assert.ifError = (value) => {
    if (value !== null && value !== undefined) fail(value, null, undefined, 'ifError', `got unwanted error: ${show(value)}`);
  };

  /** Whether an error is the wanted one: a class, a pattern, an object of properties, a function. */
  function matches(error, wanted) {
    if (wanted === undefined) return true;
    if (wanted instanceof RegExp) return wanted.test(String(error));
    if (typeof wanted !== 'function') {
      const fits = ([key, value]) => (value instanceof RegExp ? value.test(error[key]) : same(STRICT)(error[key], value));
      return ['name', 'message', ...Object.keys(wanted)].every((key) => !(key in wanted) || fits([key, wanted[key]]));
    }
    if (wanted.prototype !== undefined && error instanceof wanted) return true;
    if (wanted === Error || Error.isPrototypeOf(wanted)) return false;
    return wanted.call({}, error) === true;
  }

  function settle(thrown, wanted, message, operator) {
    const [text, expected] = typeof wanted === 'string' ? [wanted, undefined] : [message, wanted];
    if (thrown === undefined) fail(undefined, expected, text, operator, 'an error was expected and none came');
    if (matches(thrown.error, expected)) return;
    if (typeof expected === 'function' && !Error.isPrototypeOf(expected) && expected !== Error) {
      fail(thrown.error, expected, text, operator, 'the error is not the expected one');
    }
    throw thrown.error;
  }

  function attempt(callback) {
    expecting += 1;
    try {
      callback();
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      expecting -= 1;
    }
  }

  async function attemptAsync(promise) {
    expecting += 1;
    try {
      await (typeof promise === 'function' ? promise() : promise);
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      expecting -= 1;
    }
  }

  assert.throws = (callback, wanted, message) => settle(attempt(callback), wanted, message, 'throws');
  assert.rejects = async (promise, wanted, message) => {
    try {
      settle(await attemptAsync(promise), wanted, message, 'rejects');
    } catch (error) {
      onFailure(error);
      throw error;
    }
  };
  assert.doesNotThrow = (callback) => { callback(); };
  assert.doesNotReject = async (promise) => { await (typeof promise === 'function' ? promise() : promise); };
  assert.AssertionError = AssertionError;
  assert.strict = Object.assign((...args) => assert(...args), assert, {
    equal: assert.strictEqual,
    notEqual: assert.notStrictEqual,
    deepEqual: assert.deepStrictEqual,
    notDeepEqual: assert.notDeepStrictEqual,
  });
  assert.strict.strict = assert.strict;
  return assert;
};
