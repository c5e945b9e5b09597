// node:test's reporter: passes each test's outcome on to the judge. Prints nothing.
//
//     python -m pytest tests/test_suite.py
'use strict';

const path = require('node:path');
const runner = require(path.join(__dirname, 'suite_node.js'));

const UNFINISHED = new Set(['cancelledByParent', 'testTimeoutFailure']);

module.exports = async function* reporter(source) {
  const names = [];
  const seen = new Map();
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      names.length = data.nesting;
      names.push(data.name);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const result = outcome(type, data);
    if (!result) continue;
    const id = [runner.fileId, ...names.slice(0, data.nesting), data.name].join('::');
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    runner.end(count === 1 ? id : `${id} #${count}`, result);
  }
  runner.finish();
  yield '';
};

function outcome(type, data) {
  if (data.skip !== undefined && data.skip !== false) {
    return { status: 'skipped', message: typeof data.skip === 'string' ? data.skip : '' };
  }
  if (data.todo !== undefined && data.todo !== false) return { status: 'skipped', message: 'todo' };
  const error = data.details?.error;
  const own = type === 'test:fail' && error?.failureType !== 'subtestsFailed';
  if (data.details?.type === 'suite' && !own) return null; // it is what its tests are
  if (!own) return { status: 'pass' };
  const found = runner.describe(error.cause ?? error);
  if (UNFINISHED.has(error.failureType)) return { ...found, status: 'timeout' };
  return found;
}
