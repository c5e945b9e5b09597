'use strict';
// Timers on a virtual clock: setTimeout and its kin never wait. A timer that falls due moves the
// clock (and Date.now) forward at once, so that a test of a one-second delay takes no second.
//
// The harness fires timers one by one between the jobs of the engine; nothing here loops.

const realNow = Date.now;
const realPerformanceNow = performance.now.bind(performance);
const RealDate = Date;

class Timeout {
  constructor(id, callback, args, due, period) {
    Object.defineProperty(this, 'entry', { value: { id, callback, args, due, period } });
  }

  ref() { return this; }

  unref() { return this; }

  hasRef() { return true; }

  [Symbol.toPrimitive]() { return this.entry.id; }
}

module.exports = function createClock(state) {
  const queue = []; // sorted by due time, then by age
  const clock = { now: 0 };
  let nextId = 1;

  function insert(entry) {
    let index = queue.length;
    while (index > 0 && queue[index - 1].due > entry.due) index -= 1;
    queue.splice(index, 0, entry);
  }

  function schedule(callback, delay, args, period) {
    if (typeof callback !== 'function') {
      throw new TypeError('The "callback" argument must be of type function.');
    }
    const timeout = new Timeout(nextId++, callback, args, clock.now + delay, period);
    insert(timeout.entry);
    return timeout;
  }

  function cancel(timeout) {
    const id = timeout instanceof Timeout ? timeout.entry.id : Number(timeout);
    const index = queue.findIndex((entry) => entry.id === id);
    if (index !== -1) queue.splice(index, 1);
    else if (timeout instanceof Timeout) timeout.entry.period = 0; // it may be firing
  }

  const milliseconds = (delay) => (delay >= 1 && delay <= 0x7fffffff ? Math.trunc(delay) : 1);

  function advance(time) {
    if (time <= clock.now) return;
    if (globalThis.Date === RealDate) shiftDates(clock);
    clock.now = time;
  }

  clock.reset = () => {
    queue.length = 0;
    clock.now = 0;
  };
  clock.pending = () => queue.length;
  clock.due = () => (queue.length > 0 ? queue[0].due : Infinity);
  clock.advance = advance;
  clock.fire = () => {
    const entry = queue.shift();
    advance(entry.due);
    if (entry.period > 0) insert(Object.assign(entry, { due: clock.now + entry.period }));
    try {
      entry.callback(...entry.args);
    } catch (error) {
      state.uncaught.push(error);
    }
  };

  const nativeQueue = globalThis.queueMicrotask;
  clock.globals = {
    performance: { now: () => realPerformanceNow() + clock.now, timeOrigin: realNow(), mark() {}, measure() {} },
    setTimeout: (callback, delay, ...args) => schedule(callback, milliseconds(delay), args, 0),
    setInterval: (callback, delay, ...args) => schedule(callback, milliseconds(delay), args, milliseconds(delay)),
    setImmediate: (callback, ...args) => schedule(callback, 0, args, 0),
    clearTimeout: cancel,
    clearInterval: cancel,
    clearImmediate: cancel,
    queueMicrotask: (callback) => nativeQueue(() => {
      try {
        callback();
      } catch (error) {
        state.uncaught.push(error);
      }
    }),
  };
  return clock;
};

/** From the first time the clock moves, every way to ask for the time sees it. */
function shiftDates(clock) {
  RealDate.now = () => realNow() + clock.now;
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(RealDate.now()).toString(),
    construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [target.now()], newTarget),
  });
}
