'use strict';
// Values to JSON text and back, for the boundary between the candidate and the judge. Plain JSON
// means itself; everything else is an object with the key "$" (its kind) and "v":
//
//   undefined  number (NaN, Infinity, -Infinity, -0)  bigint (hex)  symbol  boxed
//   date (ms)  regexp [source, flags]  map [[k, v]]  set [v]  typed [name, [n]]  sparse [length, [[i, v]]]
//   error {name, message, classes, props}   object: one with a key "$", or without a prototype
//   instance {classes, v: [[k, v]]}: a record of a class without methods
//   handle {v: id, type, classes | name}: a live object or function of the sender
//   callback {v: id, name}: a function of the judge    builtin "Math.max": the receiver's own
//   yours id: a handle that comes home      same n: the n-th object of the arguments, unchanged
//
// Each value is read once, here; what a getter, a Proxy or toJSON says later does not matter.
// A decoder trusts nothing: sizes are capped, and no text names anything of the receiver's but
// the built-in functions that it lists itself.

const MAX_NODES = 400_000;
const MAX_DEPTH = 1000;
const MAX_TEXT = 4 << 20;
const MAX_BIGINT_DIGITS = 20_000; // hexadecimal
const TYPED = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array',
  'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
const typedClasses = new Map(TYPED.map((name) => [name, globalThis[name]]));

// Captured, so that a candidate that patches them still gets its values across.
const { getPrototypeOf, keys: keysOf, create, hasOwn, getOwnPropertyDescriptor, getOwnPropertyNames } = Object;
const { isArray } = Array;
const { parse, stringify } = JSON;
const objectPrototype = Object.prototype;
const functionText = Function.prototype.toString;
const { defineProperty } = Object;
const BOXED = [Number, String, Boolean, BigInt, Symbol];

// What is an object for the sender too.
const OBJECT_KINDS = new Set(['boxed', 'date', 'regexp', 'map', 'set', 'typed', 'sparse', 'object', 'instance', 'error']);

class Unserialisable extends Error {}

function tag(kind, v, more) {
  const made = create(null);
  made.$ = kind;
  if (v !== undefined) made.v = v;
  return more === undefined ? made : Object.assign(made, more);
}

/** Names of the classes of an object, its own first, up to but without Object. */
function classesOf(value) {
  const names = [];
  for (let proto = getPrototypeOf(value); proto !== null && proto !== objectPrototype; proto = getPrototypeOf(proto)) {
    const own = getOwnPropertyDescriptor(proto, 'constructor');
    if (own !== undefined && typeof own.value === 'function') names.push(String(own.value.name));
    if (names.length > 16) break;
  }
  return names;
}

/** Whether a class gives its instances more than data: a method, an accessor. */
function hasMethods(value) {
  for (let proto = getPrototypeOf(value); proto !== null && proto !== objectPrototype; proto = getPrototypeOf(proto)) {
    for (const name of getOwnPropertyNames(proto)) {
      if (name === 'constructor') continue;
      const slot = getOwnPropertyDescriptor(proto, name);
      if (slot.get !== undefined || typeof slot.value === 'function') return true;
    }
    if (Object.getOwnPropertySymbols(proto).length > 0) return true;
  }
  return false;
}

function isClass(value) {
  return /^class\b/.test(functionText.call(value));
}

/**
 * @param {object} side how this process shares what cannot be copied:
 *   share(value) -> tag for a function or a live object; home(value) -> tag for an object that
 *   the receiver has, or undefined;
 *   resolve(tag) -> value of a handle, callback, builtin or yours;
 *   standIn(classes) -> prototype for an instance of the sender's class;
 *   live: whether objects with methods are shared rather than copied.
 */
module.exports = function createCodec(side) {
  let nodes = 0;
  let seen; // objects in the order in which both sides meet them, or undefined

  function spend(amount) {
    nodes += amount;
    if (nodes > MAX_NODES) throw new Unserialisable('the value is too large or cyclic');
  }

  function pack(value, depth) {
    switch (typeof value) {
      case 'string':
        if (value.length > MAX_TEXT) throw new Unserialisable('a string is longer than 4 MiB');
        spend(1 + (value.length >> 4));
        return value;
      case 'boolean':
        spend(1);
        return value;
      case 'number':
        spend(1);
        if (value - value !== 0) return tag('number', `${value}`);
        return value === 0 && 1 / value < 0 ? tag('number', '-0') : value;
      case 'undefined':
        return tag('undefined');
      case 'bigint':
        return packBigint(value);
      case 'symbol':
        return tag('symbol', String(value.description), { shared: Symbol.keyFor(value) !== undefined });
      case 'function':
        return side.share(value);
      default:
        return value === null ? null : packObject(value, depth + 1);
    }
  }

  function packBigint(value) {
    const text = value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
    if (text.length > MAX_BIGINT_DIGITS) throw new Unserialisable('a BigInt is too large');
    spend(1 + (text.length >> 4));
    return tag('bigint', text);
  }

  function packObject(value, depth) {
    if (depth > MAX_DEPTH) throw new Unserialisable('the value is cyclic or nested too deeply');
    spend(1);
    const home = side.home(value);
    if (home !== undefined) return home;
    seen?.push(value);
    const proto = getPrototypeOf(value);
    if (isArray(value)) return packArray(value, depth);
    if (proto === objectPrototype || proto === null) return packPlain(value, proto, depth);
    return packKnown(value, depth) || packInstance(value, depth);
  }

  function packArray(value, depth) {
    const { length } = value;
    if (length > MAX_NODES) throw new Unserialisable('an array is too long');
    const packed = [];
    let holes = 0;
    for (let index = 0; index < length; index += 1) {
      const item = value[index];
      if (item === undefined && !hasOwn(value, index)) holes += 1;
      packed[index] = pack(item, depth);
    }
    if (holes === 0) return packed;
    return tag('sparse', [length, keysOf(value).filter((key) => key in packed).map((key) => [+key, packed[key]])]);
  }

  function packPlain(value, proto, depth) {
    const packed = create(null);
    let tagged = proto === null;
    for (const key of keysOf(value)) {
      const item = value[key];
      if (typeof item === 'function' && side.live) return side.share(value);
      if (key === '$') tagged = true;
      packed[key] = pack(item, depth);
    }
    if (!tagged) return packed;
    return tag('object', entriesOf(packed), { bare: proto === null });
  }

  function entriesOf(packed) {
    return keysOf(packed).map((key) => [key, packed[key]]);
  }

  function packItems(items, depth) {
    const packed = [];
    for (const item of items) packed.push(pack(item, depth));
    return packed;
  }

  /** The built-in classes; an object that only pretends to be one makes its getter throw. */
  function packKnown(value, depth) {
    if (value instanceof Date) {
      const time = Date.prototype.getTime.call(value);
      return tag('date', time === time ? time : null);
    }
    if (value instanceof RegExp) return tag('regexp', [String(value.source), String(value.flags)]);
    if (value instanceof Map) {
      const entries = [];
      Map.prototype.forEach.call(value, (item, key) => entries.push([pack(key, depth), pack(item, depth)]));
      return tag('map', entries);
    }
    if (value instanceof Set) {
      const items = [];
      Set.prototype.forEach.call(value, (item) => items.push(pack(item, depth)));
      return tag('set', items);
    }
    if (value instanceof Error) return packError(value, depth);
    for (const type of BOXED) if (value instanceof type) return tag('boxed', pack(type.prototype.valueOf.call(value), depth));
    for (const [name, type] of typedClasses) {
      if (value instanceof type) return tag('typed', [name, packItems(value, depth)]);
    }
    return undefined;
  }

  function packError(value, depth) {
    const packed = keysOf(value).filter((key) => key !== 'stack').map((key) => [key, pack(value[key], depth)]);
    const more = { name: String(value.name), message: String(value.message), classes: classesOf(value), props: packed };
    return tag('error', undefined, more);
  }

  function packInstance(value, depth) {
    const keys = keysOf(value);
    const isRecord = objectPrototype.toString.call(value) === '[object Object]' && !hasMethods(value);
    if (side.live && (!isRecord || keys.some((key) => typeof value[key] === 'function'))) return side.share(value);
    return tag('instance', keys.map((key) => [key, pack(value[key], depth)]), { classes: classesOf(value) });
  }

  function unpack(value, depth) {
    if (value === null || typeof value !== 'object') return value;
    if (depth > MAX_DEPTH) throw new Unserialisable('the value is nested too deeply');
    if (isArray(value)) {
      seen?.push(value);
      for (let index = 0; index < value.length; index += 1) {
        const item = value[index];
        if (item !== null && typeof item === 'object') value[index] = unpack(item, depth + 1);
      }
      return value;
    }
    if (hasOwn(value, '$')) {
      if (seen === undefined || !OBJECT_KINDS.has(value.$)) return unpackTag(value, depth + 1);
      const place = seen.push(undefined) - 1;
      seen[place] = unpackTag(value, depth + 1);
      return seen[place];
    }
    seen?.push(value);
    for (const key of keysOf(value)) {
      const item = value[key];
      if (item !== null && typeof item === 'object') put(value, key, unpack(item, depth + 1));
    }
    return value;
  }

  /** Sets an own property, "__proto__" included. */
  function put(target, key, value) {
    if (key !== '__proto__') target[key] = value;
    else defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  }

  function fill(target, entries, depth) {
    for (const [key, item] of entries) put(target, String(key), unpack(item, depth));
    return target;
  }

  function unpackTag({ $: kind, v, ...more }, depth) {
    switch (kind) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(v);
      case 'bigint':
        return unpackBigint(String(v));
      case 'symbol':
        return more.shared === true ? Symbol.for(String(v)) : Symbol(String(v));
      case 'boxed':
        return Object(unpack(v, depth));
      case 'date':
        return new Date(v === null ? NaN : Number(v));
      case 'regexp':
        return new RegExp(String(v[0]), String(v[1]));
      case 'map':
        return new Map(v.map(([key, item]) => [unpack(key, depth), unpack(item, depth)]));
      case 'set':
        return new Set(v.map((item) => unpack(item, depth)));
      case 'typed':
        if (!typedClasses.has(v[0]) || !isArray(v[1])) break;
        return typedClasses.get(v[0]).from(unpack(v[1], depth));
      case 'sparse':
        return unpackSparse(Number(v[0]), v[1], depth);
      case 'object':
        return fill(more.bare === true ? create(null) : {}, v, depth);
      case 'instance':
        return fill(create(side.standIn(more.classes)), v, depth);
      case 'error':
        return unpackError(more, depth);
      default:
        return side.resolve(kind, v, more);
    }
    throw new Unserialisable(`a malformed ${kind}`);
  }

  function unpackBigint(text) {
    if (text.length > MAX_BIGINT_DIGITS) throw new Unserialisable('a BigInt is too large');
    return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  }

  function unpackSparse(length, entries, depth) {
    if (!(length <= MAX_NODES)) throw new Unserialisable('an array is too long');
    const made = new Array(length);
    for (const [index, item] of entries) {
      if (Number.isInteger(index) && index >= 0 && index < length) made[index] = unpack(item, depth);
    }
    return made;
  }

  function unpackError({ name, message, classes, props }, depth) {
    const made = side.makeError(classes, String(message));
    if (made.name !== String(name)) defineProperty(made, 'name', { value: String(name), configurable: true, writable: true });
    return fill(made, props.filter(([key]) => key !== 'name' && key !== 'message'), depth);
  }

  return {
    /** met: a list to put the objects in that are met on the way; decode meets them alike. */
    encode(value, met) {
      nodes = 0;
      seen = met;
      const text = stringify(pack(value, 0));
      if (text.length > MAX_TEXT) throw new Unserialisable('the value is larger than 4 MiB');
      return text;
    },
    decode(text, met) {
      seen = met;
      return unpack(parse(text), 0);
    },
  };
};
Object.assign(module.exports, { Unserialisable, classesOf, isClass });
