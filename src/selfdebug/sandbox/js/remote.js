'use strict';
// The judge's stand-ins for what lives in the candidate: functions, classes and live objects.
// Each use is one request. Reading is remembered until the test next calls or sets something, so
// that an object cannot give two answers within one comparison.

const LOCAL = new Set(['name', 'length', 'prototype', 'call', 'apply', 'bind', 'toString', 'constructor',
  'arguments', 'caller']);

// Methods of the built-in types that tell whether a value is the expected one.
const PREDICATES = new Set(['includes', 'startsWith', 'endsWith', 'every', 'some', 'isSubsetOf', 'isSupersetOf',
  'isDisjointFrom']);

/**
 * @param {Function} ask sends a message and returns the decoded value, or throws; a call comes with
 *   its arguments and the objects met in them
 * @param {object} codec encodes what is sent
 * @param {(classes: string[]) => object} prototypeOf
 */
module.exports = function createRemotes({ ask, encode, prototypeOf }) {
  const targets = new WeakMap(); // stand-in -> its target: a live object's id or a name
  const constructed = new WeakSet(); // what the test made with `new`: it is what the test is about
  const byId = new Map();
  let era = 0; // counts the requests that may change something

  function change(message) {
    era += 1;
    return ask(message);
  }

  function call(target, args, more) {
    era += 1;
    const met = [];
    return ask({ op: 'call', target, args: encode(args, met), ...more }, args, met);
  }

  /** An object in a plain value's place may not say itself whether it is the expected one. */
  function refuse(standIn, key) {
    if (!PREDICATES.has(key) || constructed.has(standIn)) return;
    throw new TypeError(`the test asks an object about a value by the object's own ${key}; compare plain values instead`);
  }

  /** Reads once per era; functions are kept, for a method seldom changes. */
  function reader(target) {
    const known = new Map();
    return {
      forget: () => known.clear(),
      read(trap, name) {
        const key = `${trap} ${name}`;
        const entry = known.get(key);
        if (entry !== undefined && (entry.era === era || typeof entry.value === 'function')) return entry.value;
        const value = ask({ op: 'reflect', target, trap, name });
        known.set(key, { era, value });
        return value;
      },
    };
  }

  const SYMBOLS = new Map([[Symbol.iterator, '@@iterator'], [Symbol.asyncIterator, '@@asyncIterator']]);
  const wire = (key) => (typeof key === 'symbol' ? SYMBOLS.get(key) : key);

  function functionStandIn(target, name) {
    const { read, forget } = reader(target);
    const base = function () {}; // eslint-disable-line func-names
    Object.defineProperty(base, 'name', { value: name, configurable: true });
    const standIn = new Proxy(base, {
      apply(_, self, args) {
        return call(target, args, self === undefined || self === globalThis ? {} : { this: encode(self) });
      },
      construct(_, args) {
        const made = call(target, args, { new: true });
        if (targets.has(made)) constructed.add(made);
        return made;
      },
      get(_, key) {
        if (key === 'prototype') return prototypeOf([name]);
        if (typeof key === 'symbol' || LOCAL.has(key)) return base[key];
        if (typeof target === 'number') refuse(standIn, key);
        return read('get', key);
      },
      has: (_, key) => (typeof key === 'symbol' || LOCAL.has(key) ? key in base : read('has', key)),
      set(_, key, value) {
        forget();
        if (typeof key === 'string') change({ op: 'reflect', target, trap: 'set', name: key, value: encode(value) });
        return true;
      },
      deleteProperty: () => true,
      defineProperty: () => false,
    });
    targets.set(standIn, target);
    return standIn;
  }

  function objectStandIn(target, classes) {
    const { read, forget } = reader(target);
    const prototype = prototypeOf(classes);
    const toPrimitive = (hint) => read('primitive', hint);
    const standIn = new Proxy({}, {
      get(_, key) {
        if (key === Symbol.toPrimitive) return toPrimitive;
        if (key === 'constructor') return prototype.constructor;
        refuse(standIn, key);
        const name = wire(key);
        return name === undefined ? undefined : read('get', name);
      },
      set(_, key, value) {
        forget();
        change({ op: 'reflect', target, trap: 'set', name: String(key), value: encode(value) });
        return true;
      },
      has: (_, key) => wire(key) !== undefined && read('has', wire(key)),
      deleteProperty(_, key) {
        forget();
        return change({ op: 'reflect', target, trap: 'delete', name: String(key) });
      },
      ownKeys: () => [...new Set([...read('keys', '')].map(String))],
      getOwnPropertyDescriptor(_, key) {
        if (typeof key === 'symbol' || ![...read('keys', '')].includes(key)) return undefined;
        return { value: read('get', key), writable: true, enumerable: true, configurable: true };
      },
      getPrototypeOf: () => prototype,
      defineProperty: () => false,
    });
    targets.set(standIn, target);
    return standIn;
  }

  return {
    /** A function or class of the candidate by name. */
    named: (name) => functionStandIn(name, name.split('.').at(-1)),
    /** A live object or function by id: the same id, the same stand-in. */
    live(id, { type, name, classes }) {
      if (!byId.has(id)) {
        byId.set(id, type === 'function' ? functionStandIn(id, String(name)) : objectStandIn(id, classes));
      }
      return byId.get(id);
    },
    clear: () => byId.clear(),
    targetOf: (value) => targets.get(value),
    label(value) {
      if (!targets.has(value)) return undefined;
      const name = typeof value === 'function' ? value.name : Object.getPrototypeOf(value).constructor.name;
      return typeof value === 'function' ? `[Function: ${name}]` : `[${name}]`;
    },
  };
};
