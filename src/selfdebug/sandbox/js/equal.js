'use strict';
// Deep equality in the judge, with node's and lodash's meanings. It never runs code of the
// candidate: the values it sees are plain, and a live object (`isOpaque`) equals only itself.
//
//     node -e "console.log(require('./equal.js').deepEqual([1, { a: NaN }], [1, { a: NaN }]))"

const PROTOTYPE = Object.prototype;

/** Ways to compare. leaf: primitives; sameClass: prototypes; holes: [,] differs from [undefined]. */
const STRICT = { leaf: Object.is, sameClass: (a, b) => a === b, holes: true };
const LOOSE = { leaf: (a, b) => a == b || (a !== a && b !== b), sameClass: () => true, holes: true };
const LODASH = {
  leaf: (a, b) => a === b || (a !== a && b !== b),
  sameClass: (a, b) => a === b || a === null || b === null,
  holes: false,
};

/** Numbers within atol of each other are equal; used by tests of kind "call". */
function withTolerance(atol) {
  const close = (a, b) => typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= atol;
  return { leaf: (a, b) => LODASH.leaf(a, b) || close(a, b), sameClass: () => true, holes: false };
}

function deepEqual(a, b, rule = LODASH, isOpaque = () => false) {
  return equal(a, b, { ...rule, isOpaque, pairs: [] });
}

function equal(a, b, rule) {
  if (a === b) return rule.leaf(a, b);
  const isObject = a !== null && typeof a === 'object';
  if (isObject !== (b !== null && typeof b === 'object')) return false;
  if (!isObject) return rule.leaf(a, b);
  if (rule.isOpaque(a) || rule.isOpaque(b) || kindOf(a) !== kindOf(b)) return false;
  if (!rule.sameClass(Object.getPrototypeOf(a), Object.getPrototypeOf(b))) return false;
  // A pair that is being compared further up is taken as equal: cycles end here.
  if (rule.pairs.some(([left, right]) => left === a && right === b)) return true;
  rule.pairs.push([a, b]);
  const same = equalContents(a, b, rule);
  rule.pairs.pop();
  return same;
}

function kindOf(value) {
  return Array.isArray(value) ? '[object Array]' : PROTOTYPE.toString.call(value);
}

function equalContents(a, b, rule) {
  switch (kindOf(a)) {
    case '[object Array]':
      return a.length === b.length && equalItems(a, b, rule) && equalKeys(a, b, rule);
    case '[object Date]':
      return Object.is(a.getTime(), b.getTime());
    case '[object RegExp]':
      return String(a) === String(b) && a.lastIndex === b.lastIndex;
    case '[object Number]':
    case '[object String]':
    case '[object Boolean]':
      return rule.leaf(a.valueOf(), b.valueOf());
    case '[object Error]':
      return a.name === b.name && a.message === b.message;
    case '[object Map]':
      return a.size === b.size && equalUnordered([...a], [...b], ([key]) => key, rule);
    case '[object Set]':
      return a.size === b.size && equalUnordered([...a], [...b], (item) => item, rule);
    case '[object Promise]':
      return false;
    default:
      if (ArrayBuffer.isView(a)) return a.length === b.length && equalItems(a, b, rule);
      return equalKeys(a, b, rule);
  }
}

function equalItems(a, b, rule) {
  for (let index = 0; index < a.length; index += 1) {
    if (rule.holes && Object.hasOwn(a, index) !== Object.hasOwn(b, index)) return false;
    if (!equal(a[index], b[index], rule)) return false;
  }
  return true;
}

function equalKeys(a, b, rule) {
  const list = Array.isArray(a);
  const named = (value) => Object.keys(value).filter((key) => !list || !/^\d+$/.test(key));
  const keys = named(a);
  if (keys.length !== named(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && (list || equal(a[key], b[key], rule)));
}

/** Maps and sets: primitives by hash, the rest by search; order does not matter. */
function equalUnordered(left, right, keyOf, rule) {
  const primitives = new Map();
  const others = [];
  for (const entry of right) {
    const key = keyOf(entry);
    if (typeof key === 'object' && key !== null) others.push(entry);
    else primitives.set(key, entry);
  }
  return left.every((entry) => {
    const key = keyOf(entry);
    if (typeof key !== 'object' || key === null) {
      return primitives.has(key) && equal(entry, primitives.get(key), rule);
    }
    const index = others.findIndex((other) => equal(entry, other, rule));
    if (index === -1) return false;
    others.splice(index, 1);
    return true;
  });
}

module.exports = { deepEqual, withTolerance, STRICT, LOOSE, LODASH };
