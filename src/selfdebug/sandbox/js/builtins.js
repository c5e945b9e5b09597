'use strict';
// Names of the engine's own functions, so that a test can hand Math.max or Number to a candidate
// as itself and not as a function to be called back.

const names = Object.getOwnPropertyNames(globalThis); // before any test could add to it
let paths;

/** Found once, when a test first passes a function. */
function collect() {
  paths = new Map();
  for (const name of names) {
    const { value } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || value === globalThis) continue;
    if (typeof value === 'function') paths.set(value, name);
    for (const key of Object.getOwnPropertyNames(value)) {
      const slot = Object.getOwnPropertyDescriptor(value, key);
      if (typeof slot.value === 'function' && key !== 'constructor' && !paths.has(slot.value)) {
        paths.set(slot.value, `${name}.${key}`);
      }
    }
  }
}

/** A tag for a built-in function, undefined for any other. */
exports.tagOf = (value) => {
  if (!/\[native code\]\s*\}$/.test(Function.prototype.toString.call(value))) return undefined;
  if (paths === undefined) collect();
  const path = paths.get(value);
  return path === undefined ? undefined : { $: 'builtin', v: path };
};
