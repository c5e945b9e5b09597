'use strict';
// Puts what a candidate did to its arguments into the test's own objects, so that a test of a
// function that works in place sees the change in the objects it holds.

const isObject = (value) => value !== null && typeof value === 'object';

module.exports = function overwrite(original, updated, isOpaque) {
  if (!isObject(original) || !isObject(updated) || isOpaque(original)) return;
  if (Array.isArray(original) !== Array.isArray(updated)) return;
  if (original instanceof Map || original instanceof Set) {
    original.clear();
    for (const item of updated) original instanceof Map ? original.set(...item) : original.add(item);
    return;
  }
  if (Array.isArray(original)) original.length = updated.length;
  for (const key of Object.keys(original)) if (!Object.hasOwn(updated, key)) delete original[key];
  for (const key of Object.keys(updated)) {
    const both = isObject(original[key]) && isObject(updated[key]);
    if (both && Array.isArray(original[key]) === Array.isArray(updated[key])) overwrite(original[key], updated[key], isOpaque);
    else original[key] = updated[key];
  }
};
