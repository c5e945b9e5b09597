'use strict';
// Classes that stand in for the other process's classes: they have the name and the line of
// descent, so that instanceof and constructor.name answer as expected, and nothing else.

const ERRORS = new Map([Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError]
  .map((type) => [type.name, type]));

/**
 * @param {(name: string) => object | undefined} known a prototype of this side for a class name
 * @param {(name: string) => Function | undefined} constructor what a new stand-in's says it is
 */
module.exports = function createStandIns(known, constructor = () => undefined) {
  const prototypes = new Map();

  function make(name) {
    const found = known(name);
    if (found !== undefined) return found;
    const standIn = class {};
    Object.defineProperty(standIn, 'name', { value: name, configurable: true });
    const stub = constructor(name);
    if (stub !== undefined) Object.defineProperty(standIn.prototype, 'constructor', { value: stub, configurable: true });
    return standIn.prototype;
  }

  /** The prototype for an instance whose classes are named, its own first. */
  function prototypeOf(classes) {
    if (!Array.isArray(classes) || classes.length === 0) return Object.prototype;
    const [name, ...parents] = classes.map(String);
    if (ERRORS.has(name)) return ERRORS.get(name).prototype;
    if (!prototypes.has(name)) prototypes.set(name, make(name));
    const prototype = prototypes.get(name);
    if (parents.length > 0 && Object.getPrototypeOf(prototype) === Object.prototype) {
      Object.setPrototypeOf(prototype, prototypeOf(parents));
    }
    return prototype;
  }

  function makeError(classes, message) {
    const names = Array.isArray(classes) ? classes.map(String) : [];
    const builtin = names.findIndex((name) => ERRORS.has(name));
    const type = builtin === -1 ? Error : ERRORS.get(names[builtin]);
    const made = type === AggregateError ? new type([], message) : new type(message);
    const line = builtin === -1 ? [...names, 'Error'] : names.slice(0, builtin + 1);
    if (line.length > 1) Object.setPrototypeOf(made, prototypeOf(line));
    return made;
  }

  return { prototypeOf, makeError, clear: () => prototypes.clear() };
};
