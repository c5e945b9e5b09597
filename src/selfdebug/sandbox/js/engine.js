'use strict';
// The candidate's side: loads a program and answers the judge's requests with plain values. It
// holds no test and no expected value. The candidate shares this realm and can break all of it;
// that only changes the values it sends.
//
// handle(text) returns a reply, or undefined while a promise is pending; then the host runs the
// engine's jobs and calls poll() until it returns a reply. A reply that starts with "=" is the
// text of a value and nothing else; any other reply is a JSON object.

const createCodec = require('./codec.js');
const createStandIns = require('./standins.js');
const createObserver = require('./observer.js');
const createDescriber = require('./errors.js');
const { looksLikeModule, wrap, identifiers, isIdentifier } = require('./source.js');

const { Unserialisable, classesOf, isClass } = createCodec;
const LOOK = 'return (__selfdebug_name) => eval(__selfdebug_name);';
const MAX_TIMERS = 20_000; // fired for one request; a program that needs more never ends
const MAX_SHARED = 100_000;
// Captured, so that a program that patches them can still be talked to.
const PromiseClass = Promise;
const { parse, stringify } = JSON;

/** A request that is answered later: when `done`, and with `timers` when no timer is left. */
class Request {
  constructor(fields) {
    Object.assign(this, { done: false, timers: false, until: Infinity, fired: 0, mayExit: false }, fields);
  }
}

/**
 * @param {object} host request(text) -> text asks the judge; evaluate(source) runs a text; frame
 *   is a pattern for the line numbers of a stack; require is what the program gets.
 * @param {object} runtime the clock, output and exit state that prelude.js returns.
 */
module.exports = function createEngine(host, runtime) {
  const { state, output, clock } = runtime;
  const program = { code: '', look: undefined, module: undefined, lines: 0, skipped: 0 };
  const finders = new Map(); // name -> function that reads it in the program's scope
  const shared = [null]; // id -> object; ids start at 1
  const ids = new Map(); // object -> id
  const callbacks = new Map(); // the judge's id of a function -> function made here
  const callbackIds = new Map(); // and back
  let given; // the arguments of the request that is being answered: text, objects and more
  const open = []; // requests not answered yet, the innermost last
  const observer = createObserver();
  const initialGlobals = new Map();
  for (const name of Object.getOwnPropertyNames(globalThis)) initialGlobals.set(name, globalThis[name]);

  const standIns = createStandIns((name) => {
    const found = isIdentifier(name) ? find(name) : undefined;
    return typeof found === 'function' ? found.prototype ?? undefined : undefined;
  });
  const side = {
    live: true,
    home: (value) => sameAsGiven(value),
    standIn: standIns.prototypeOf,
    makeError: standIns.makeError,
    share(value) {
      if (callbackIds.has(value)) return { $: 'yours', v: callbackIds.get(value) };
      const tag = { $: 'handle', v: idOf(value), type: typeof value };
      if (typeof value !== 'function') return { ...tag, classes: classesOf(value) };
      return { ...tag, name: String(value.name) };
    },
    resolve(kind, v, more) {
      if (kind === 'yours') return sharedObject(v);
      if (kind === 'named') return find(v);
      if (kind === 'callback') return callbackStub(v, more.name);
      if (kind === 'builtin') return v.split('.').reduce((object, key) => object[key], globalThis);
      throw new Unserialisable(`an unknown kind of value: ${kind}`);
    },
  };
  const codec = createCodec(side);
  const copier = createCodec({ ...side, home: () => undefined });
  const describe = createDescriber({ program, frame: host.frame, encode: (value) => codec.encode(value) });

  /** An object of the arguments that comes back as it came is that object, not a copy of it. */
  function sameAsGiven(value) {
    if (given === undefined || given.objects.length === 0) return undefined;
    given.numbers ??= new Map(given.objects.map((object, number) => [object, number]));
    const number = given.numbers.get(value);
    if (number === undefined) return undefined;
    if (given.pristine === undefined) {
      given.pristine = [];
      copier.decode(given.text, given.pristine);
    }
    const isSame = copier.encode(given.pristine[number]) === copier.encode(value);
    return isSame ? { $: 'same', v: number } : undefined;
  }

  function encodeWith(mine, value) {
    const outer = given;
    given = mine;
    try {
      return codec.encode(value);
    } finally {
      given = outer;
    }
  }

  function idOf(value) {
    if (!ids.has(value)) {
      if (shared.length > MAX_SHARED) throw new Unserialisable('too many live objects');
      ids.set(value, shared.length);
      shared.push(value);
    }
    return ids.get(value);
  }

  function sharedObject(id) {
    if (!(id > 0 && id < shared.length)) throw new Unserialisable('no such object');
    return shared[id];
  }

  /** A function of the judge, callable here: the call goes over the wire. */
  function callbackStub(handle, name) {
    if (callbacks.has(handle)) return callbacks.get(handle);
    const stub = function stub(...args) {
      const message = { op: 'callback', handle, args: codec.encode(args) };
      if (new.target !== undefined) message.new = true;
      else if (this !== undefined && this !== globalThis) message.this = codec.encode(this);
      const { error, value, promise } = parse(host.request(stringify(message)));
      if (error === undefined) return promise ? PromiseClass.resolve(codec.decode(value)) : codec.decode(value);
      const thrown = error.value === undefined ? standIns.makeError(error.bases, error.message) : codec.decode(error.value);
      if (error.rejected) return PromiseClass.reject(thrown);
      throw thrown;
    };
    Object.defineProperty(stub, 'name', { value: String(name), configurable: true });
    callbacks.set(handle, stub);
    callbackIds.set(stub, handle);
    return stub;
  }

  // ---- loading

  /** Runs the program; returns a promise where it must (ES modules may await at top level). */
  function load({ prelude = '', code, observe = '', main = false }) {
    program.skipped = prelude === '' ? 0 : prelude.split('\n').length;
    program.lines = code.split('\n').length;
    program.code = code;
    observer.start(observe);
    const build = (options) => {
      const made = wrap(code, { ...options, foot: LOOK });
      return host.evaluate(prelude === '' ? made : wrap(`${prelude}\n;return ${made}`));
    };
    let run;
    let isModule = false;
    try {
      run = build({});
    } catch (error) {
      if (!(error instanceof SyntaxError) || !looksLikeModule(code)) throw error;
      isModule = true;
      run = build({ rewrite: true });
    }
    const module = { exports: {}, children: [], id: '.', filename: '/program.js' };
    const { require } = host;
    require.main = main ? module : undefined;
    program.module = module;
    const given = [module.exports, require, module, module.filename, '/'];
    if (prelude !== '') run = run(...given);
    const look = run.call(module.exports, ...given);
    if (!isModule) program.look = look;
    return isModule ? look.then((made) => { program.look = made; }) : undefined;
  }

  /** {name: "function" | "class" | "value"} of everything the program defines at its top level. */
  function names() {
    const found = {};
    const add = (name, value) => {
      found[name] = typeof value !== 'function' ? 'value' : isClass(value) ? 'class' : 'function';
    };
    const words = identifiers(program.code);
    const types = program.look(`[${words.map((word) => `typeof ${word}`).join()}]`);
    const defined = words.filter((_, index) => types[index] !== 'undefined');
    const values = program.look(`[${defined.join()}]`);
    defined.forEach((word, index) => {
      const initial = initialGlobals.has(word) ? initialGlobals.get(word) : Object.prototype[word];
      if (values[index] !== initial) add(word, values[index]);
    });
    const { exports } = program.module;
    if (typeof exports === 'function' && exports.name) add(exports.name, exports);
    else if (exports !== null && typeof exports === 'object') {
      for (const name of Object.keys(exports)) add(name, exports[name]);
    }
    return found;
  }

  /** What a name means in the program: in its scope, else among its exports. */
  function find(name) {
    if (!finders.has(name) && program.look !== undefined) {
      finders.set(name, program.look(`() => (typeof ${name} === 'undefined' ? undefined : ${name})`));
    }
    const value = finders.get(name)?.();
    if (value !== undefined && value !== initialGlobals.get(name)) return value;
    const exported = program.module?.exports;
    if (typeof exported === 'function' && exported.name === name) return exported;
    return exported?.[name] ?? exported?.default?.[name];
  }

  // ---- requests

  const keyOf = (name) => (typeof name === 'string' && name.startsWith('@@') ? Symbol[name.slice(2)] : name);

  /** [function, this] for a request's target: a name, "Class.method" or a live object's id. */
  function target({ target: wanted, method = '' }) {
    if (typeof wanted === 'number') {
      const object = sharedObject(wanted);
      return method === '' ? [object, undefined] : [object[keyOf(method)], object];
    }
    const [first, second = method] = String(wanted).split('.');
    const found = find(first);
    if (found === undefined) throw new ReferenceError(`${first} is not defined`);
    if (second === '') return [found, undefined];
    const owner = typeof found === 'function' && !(second in found) ? Reflect.construct(found, []) : found;
    return [owner[keyOf(second)], owner];
  }

  function call(message) {
    const mine = { text: message.args, objects: [], numbers: undefined, pristine: undefined };
    const args = codec.decode(message.args, message.copy === true ? undefined : mine.objects);
    const [callee, self] = target(message);
    const receiver = message.this === undefined ? self : codec.decode(message.this);
    if (typeof callee !== 'function') throw new TypeError(`${message.method || message.target} is not a function`);
    observer.reset();
    const outer = given;
    given = mine;
    let value;
    try {
      value = message.new === true ? Reflect.construct(callee, args) : Reflect.apply(callee, receiver, args);
    } finally {
      given = outer;
    }
    return settle(value, (made) => {
      const reply = { value: encodeWith(mine, made) };
      // The convention for work in place: it returns nothing.
      if (made === undefined && message.args.length > 2) {
        const after = encodeWith(undefined, args);
        if (after !== message.args) reply.args = after;
      }
      return reply;
    });
  }

  function reflect({ target: wanted, trap, name, value }) {
    const object = typeof wanted === 'number' ? sharedObject(wanted) : find(wanted);
    const key = keyOf(name);
    switch (trap) {
      case 'set':
        object[key] = codec.decode(value);
        return { value: 'true' };
      case 'delete':
        return { value: codec.encode(delete object[key]) };
      case 'has':
        return { value: codec.encode(key in object) };
      case 'keys':
        return { value: codec.encode(Object.keys(object)) };
      case 'primitive':
        return { value: codec.encode(name === 'string' ? `${object}` : primitive(object, name)) };
      case 'itself':
        return { value: codec.encode(object) };
      default:
        return { value: codec.encode(object[key]) };
    }
  }

  function primitive(object, hint) {
    if (object[Symbol.toPrimitive] !== undefined) return object[Symbol.toPrimitive](hint);
    const made = object.valueOf();
    return made !== null && typeof made === 'object' ? `${object}` : made;
  }

  const operations = {
    load(message) {
      const done = () => ({ ok: true, names: names() });
      const explain = (error) => describe(error, 'load_error');
      try {
        const loading = load(message);
        return loading === undefined ? done() : wait(loading, done, explain);
      } catch (error) {
        return { error: explain(error) };
      }
    },
    main(message) {
      const loading = load({ ...message, main: true });
      const request = new Request({ timers: true, mayExit: true, make: () => ({ ok: true }) });
      request.done = loading === undefined;
      loading?.then(() => { request.done = true; }, (error) => state.uncaught.push(error));
      return request;
    },
    call,
    reflect,
    get: (message) => reflect({ ...message, trap: 'get' }),
    tick: ({ until }) => new Request({ timers: true, done: true, until, make: () => ({ value: 'null' }) }),
  };

  /** A reply now, or a request that waits for the promise. */
  function settle(value, make) {
    if (!(value instanceof PromiseClass)) return make(value);
    return wait(value, (made) => ({ ...make(made), promise: true }), (error) => ({ ...describe(error), rejected: true }));
  }

  function wait(promise, make, explain) {
    const request = new Request({});
    const settled = (made) => Object.assign(request, { done: true, make: made });
    PromiseClass.prototype.then.call(
      promise,
      (value) => settled(() => make(value)),
      (error) => settled(() => ({ error: explain(error) })),
    );
    return request;
  }

  function handle(text) {
    let message = {};
    try {
      message = parse(text);
      const made = operations[message.op](message);
      if (!(made instanceof Request)) return finish(made);
      open.push(made);
      return undefined;
    } catch (error) {
      return finish({ error: describe(error) }, message.op === 'main');
    }
  }

  /**
   * To be called after the engine's jobs have run: a reply when the innermost open request is
   * settled, else "" after firing the next timer.
   */
  function poll() {
    const request = open.at(-1);
    const wanted = request.timers || !request.done;
    const stopped = state.exited || output.exceeded || state.uncaught.length > 0;
    const due = clock.pending() > 0 && clock.due() <= request.until;
    if (wanted && !stopped && due && request.fired < MAX_TIMERS) {
      request.fired += 1;
      clock.fire();
      return '';
    }
    open.pop();
    try {
      if (request.fired >= MAX_TIMERS) return finish({ error: fault('timers that never end', 'timeout') });
      if (!request.done) return finish({ error: fault('the promise never settles', 'timeout') }, request.mayExit);
      if (Number.isFinite(request.until)) clock.advance(request.until);
      return finish(request.make(), request.mayExit);
    } catch (error) {
      return finish({ error: describe(error) }, request.mayExit);
    }
  }

  /** The text of a reply. mayExit: a whole program may end itself with process.exit(0). */
  function finish(reply, mayExit = false) {
    let made = reply;
    if (state.exited && mayExit && state.exitCode === 0) made = { ok: true };
    else if (state.exited) made = { error: fault(`process.exit(${state.exitCode}) was called`, 'exited_early') };
    else if (output.exceeded) made = { error: fault('the program printed more than 64 MiB', 'output_limit') };
    else if (state.uncaught.length > 0) made = { error: describe(state.uncaught.shift()) };
    const { value, ...more } = made;
    if (clock.now > 0) more.clock = clock.now;
    if (clock.pending() > 0) more.timers = clock.pending();
    if (output.text !== '') more.stdout = output.take();
    observer.report(more);
    if (Object.keys(more).length === 0) return `=${value}`;
    return stringify(value === undefined ? more : { value, ...more });
  }

  return { handle, poll };
};

function fault(message, status) {
  return { type: 'Error', bases: ['Error'], message, line: 0, status };
}
