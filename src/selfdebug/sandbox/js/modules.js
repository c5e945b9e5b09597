'use strict';
// require() for the few modules that a pure program asks for: assert, util, events, fs (standard
// input only), readline, process, timers, crypto's md5, js-md5 and lodash's isEqual. Anything
// else is "Cannot find module", which sends a program to the node path.

const { inspect, formatLog } = require('./inspect.js');
const { deepEqual, STRICT, LODASH } = require('./equal.js');

class EventEmitter {
  #listeners = new Map();

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) || []), listener]);
    return this;
  }

  once(event, listener) {
    const wrapped = (...args) => {
      this.off(event, wrapped);
      listener.apply(this, args);
    };
    return this.on(event, Object.assign(wrapped, { listener }));
  }

  off(event, listener) {
    const kept = (this.#listeners.get(event) || []).filter((each) => each !== listener && each.listener !== listener);
    this.#listeners.set(event, kept);
    return this;
  }

  emit(event, ...args) {
    const listeners = this.#listeners.get(event) || [];
    if (event === 'error' && listeners.length === 0) throw args[0];
    for (const listener of listeners) listener.apply(this, args);
    return listeners.length > 0;
  }

  listenerCount(event) { return (this.#listeners.get(event) || []).length; }

  listeners(event) { return [...(this.#listeners.get(event) || [])]; }

  eventNames() { return [...this.#listeners.keys()].filter((event) => this.listenerCount(event) > 0); }

  setMaxListeners() { return this; }

  removeAllListeners(event) {
    if (event === undefined) this.#listeners.clear();
    else this.#listeners.delete(event);
    return this;
  }
}
EventEmitter.prototype.addListener = EventEmitter.prototype.on;
EventEmitter.prototype.removeListener = EventEmitter.prototype.off;
EventEmitter.EventEmitter = EventEmitter;

/** process.stdin: the whole input as one chunk, once somebody listens. */
function createStdin(read) {
  const stdin = new EventEmitter();
  const on = stdin.on.bind(stdin);
  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    setTimeout(() => {
      const text = read();
      if (text) stdin.emit('data', text);
      stdin.emit('end');
      stdin.emit('close');
    }, 0);
  };
  stdin.on = (event, listener) => {
    if (event === 'data' || event === 'end') start();
    return on(event, listener);
  };
  stdin.addListener = stdin.on;
  for (const name of ['setEncoding', 'resume', 'pause', 'ref', 'unref', 'setRawMode']) stdin[name] = () => stdin;
  stdin.fd = 0;
  stdin.isTTY = false;
  stdin[Symbol.asyncIterator] = async function* chunks() { yield read(); };
  return stdin;
}

function createReadline(read) {
  return {
    createInterface() {
      const lines = () => {
        const text = read();
        return text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
      };
      const face = new EventEmitter();
      const questions = [];
      let closed = false;
      let waiting;
      face.close = () => {
        if (!closed) setTimeout(() => face.emit('close'), 0);
        closed = true;
      };
      const feed = () => {
        waiting ??= lines();
        while (!closed && waiting.length > 0) {
          if (questions.length > 0) questions.shift()(waiting.shift());
          else if (face.listenerCount('line') > 0) face.emit('line', waiting.shift());
          else return;
        }
        face.close();
      };
      face.question = (prompt, ...rest) => {
        process.stdout.write(prompt);
        questions.push(rest.at(-1));
        setTimeout(feed, 0);
      };
      for (const name of ['setPrompt', 'prompt', 'pause', 'resume', 'write']) face[name] = () => face;
      face[Symbol.asyncIterator] = async function* each() { yield* lines(); };
      setTimeout(feed, 0);
      return face;
    },
  };
}

function createUtil() {
  return {
    inspect,
    format: formatLog,
    isDeepStrictEqual: (a, b) => deepEqual(a, b, STRICT),
    promisify: (original) => (...args) => new Promise((resolve, reject) => {
      original(...args, (error, value) => (error ? reject(error) : resolve(value)));
    }),
    inherits: (child, parent) => {
      Object.defineProperty(child, 'super_', { value: parent, configurable: true });
      Object.setPrototypeOf(child.prototype, parent.prototype);
    },
    types: { isDate: (value) => value instanceof Date, isRegExp: (value) => value instanceof RegExp },
    TextEncoder,
    TextDecoder,
  };
}

function createLodash() {
  const lodash = { isEqual: (a, b) => deepEqual(a, b, LODASH) };
  // Another method of lodash is a fault of the task or needs the real one: say so by name.
  const get = (target, name) => {
    if (name in target || typeof name === 'symbol') return target[name];
    throw new Error(`Cannot find module 'lodash' (only isEqual is built in, not ${String(name)})`);
  };
  return new Proxy(lodash, { get });
}

function createFs(read) {
  return {
    readFileSync(path, options) {
      if (path !== 0 && path !== '/dev/stdin') {
        throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' });
      }
      if (options === undefined) return { toString: read }; // all that a Buffer is needed for here
      return read();
    },
    writeSync: (fd, text) => (fd === 1 ? process.stdout : process.stderr).write(text),
    existsSync: (path) => path === '/dev/stdin',
  };
}

function createCrypto() {
  const md5 = require('./md5.js');
  return {
    createHash(name) {
      if (name.toLowerCase() !== 'md5') throw new Error("Cannot find module 'crypto' (only md5 is built in)");
      let text = '';
      const hash = {
        update: (more) => {
          text += more;
          return hash;
        },
        digest: (encoding) => {
          if (encoding !== 'hex') throw new Error("Cannot find module 'crypto' (only hex digests are built in)");
          return md5(text);
        },
      };
      return hash;
    },
  };
}

function createMd5() {
  const md5 = require('./md5.js');
  return Object.assign((text) => md5(text), { hex: md5, md5 });
}

/** The require() that a program is given. `local` answers for relative paths. */
function createRequire({ assert, readStdin, local }) {
  const makers = {
    assert: () => assert(),
    'assert/strict': () => load('assert').strict,
    crypto: createCrypto,
    events: () => EventEmitter,
    fs: () => createFs(readStdin),
    'js-md5': createMd5,
    lodash: createLodash,
    'lodash.isequal': () => createLodash().isEqual,
    'lodash/isEqual': () => createLodash().isEqual,
    md5: createMd5,
    perf_hooks: () => ({ performance }),
    process: () => process,
    readline: () => createReadline(readStdin),
    timers: () => ({ setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }),
    'timers/promises': () => ({ setTimeout: (ms, value) => new Promise((done) => { setTimeout(done, ms, value); }) }),
    util: createUtil,
  };
  const loaded = new Map();
  function load(name) {
    const path = String(name).replace(/^node:/, '');
    if (path.startsWith('.')) return local(path);
    if (!Object.hasOwn(makers, path)) {
      throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
    }
    if (!loaded.has(path)) loaded.set(path, makers[path]());
    return loaded.get(path);
  }
  return load;
}

module.exports = { createRequire, createStdin };
