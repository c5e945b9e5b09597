'use strict';
// What console.log prints and util.inspect returns: node's text for everyday values (objects,
// arrays with their column grouping, Map, Set, classes, errors without engine-made frames).
// It does not know colours, showHidden or Proxy internals. Layout rules follow node's
// lib/internal/util/inspect.js (MIT).
//
//     node -e "console.log(require('./inspect.js').inspect({ a: [1, 'b'] }))"

const PLAIN_KEY = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/gu;
const CUSTOM = Symbol.for('nodejs.util.inspect.custom');
const DEFAULTS = {
  depth: 2, breakLength: 80, compact: 3, maxArrayLength: 100, maxStringLength: 10000, oneLine: false,
};
const ESCAPES = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };

function inspect(value, options) {
  // `opaque` names a value that must not be looked into (a live object of the other process).
  const context = { ...DEFAULTS, opaque: () => undefined, ...options };
  context.depth = context.depth === null ? Infinity : context.depth;
  return format(Object.assign(context, { indent: 0, seen: [], level: 0, circular: new Map() }), value, 0);
}

function escapeCharacter(character) {
  if (ESCAPES[character] !== undefined) return ESCAPES[character];
  const code = character.charCodeAt(0);
  if (code < 160) return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return `\\u${code.toString(16)}`;
}

function quote(text) {
  let mark = "'";
  if (text.includes("'")) {
    if (!text.includes('"')) mark = '"';
    else if (!text.includes('`') && !text.includes('${')) mark = '`';
  }
  let body = text.isWellFormed() ? text : text.replace(/\p{Surrogate}/gu, escapeCharacter);
  if (!text.isWellFormed()) body = body.replace(/[\x00-\x1f\x7f-\x9f]/g, escapeCharacter);
  else body = body.replace(/[\x00-\x1f\\\x7f-\x9f]/g, escapeCharacter);
  return mark + (mark === "'" ? body.replaceAll("'", "\\'") : body) + mark;
}

function formatNumber(number) {
  return Object.is(number, -0) ? '-0' : `${number}`;
}

function formatPrimitive(context, value) {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'string') return String(value);
  let trailer = '';
  if (value.length > context.maxStringLength) {
    const more = value.length - context.maxStringLength;
    value = value.slice(0, context.maxStringLength);
    trailer = `... ${more} more character${more > 1 ? 's' : ''}`;
  }
  if (!context.oneLine && value.length > 16 && value.length > context.breakLength - context.indent - 4) {
    const lines = value.split(/(?<=\n)/).map(quote);
    return lines.join(` +\n${' '.repeat(context.indent + 2)}`) + trailer;
  }
  return quote(value) + trailer;
}

function format(context, value, depth) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    return formatPrimitive(context, value);
  }
  const opaque = context.opaque(value);
  if (opaque !== undefined) return opaque;
  const custom = value[CUSTOM];
  if (typeof custom === 'function' && custom !== inspect) {
    const made = custom.call(value, context.depth - depth, context, inspect);
    if (made !== value) {
      if (typeof made !== 'string') return format(context, made, depth);
      return made.replaceAll('\n', `\n${' '.repeat(context.indent)}`);
    }
  }
  if (context.seen.includes(value)) {
    if (!context.circular.has(value)) context.circular.set(value, context.circular.size + 1);
    return `[Circular *${context.circular.get(value)}]`;
  }
  return formatObject(context, value, depth);
}

function constructorName(value) {
  for (let object = value; object !== null; object = Object.getPrototypeOf(object)) {
    const own = Object.getOwnPropertyDescriptor(object, 'constructor');
    if (own && typeof own.value === 'function' && own.value.name !== '') {
      if (own.value.prototype !== undefined && value instanceof own.value) return own.value.name;
    }
  }
  return null;
}

function prefixOf(name, tag, fallback, size = '') {
  const shown = name === null ? `[${fallback}${size}: null prototype]` : `${name}${size}`;
  return tag !== '' && tag !== (name === null ? fallback : name) ? `${shown} [${tag}] ` : `${shown} `;
}

function functionBase(value, name, tag) {
  const text = Function.prototype.toString.call(value);
  if (/^class\b/.test(text) && text.endsWith('}')) {
    const parent = Object.getPrototypeOf(value);
    const base = `class ${(Object.hasOwn(value, 'name') && value.name) || '(anonymous)'}`;
    return `[${base}${parent && parent.name ? ` extends ${parent.name}` : ''}]`;
  }
  const kind = /^(Async)?(Generator)?Function$/.test(name) ? name : 'Function';
  const base = `[${kind}${value.name === '' ? ' (anonymous)' : `: ${String(value.name)}`}]`;
  return tag !== '' && tag !== name ? `${base} [${tag}]` : base;
}

function errorBase(context, value, keys) {
  const name = value.name === undefined ? 'Error' : String(value.name);
  const message = String(value.message);
  const head = message ? `${name}: ${message}` : name;
  let stack = typeof value.stack === 'string' ? value.stack : '';
  // This engine's stack lacks node's first line.
  if (stack.startsWith('    at ')) stack = `${head}\n${stack.trimEnd()}`;
  if (stack === '') stack = `[${head}]`;
  if (Object.hasOwn(value, 'cause') && !keys.includes('cause')) keys.push('cause');
  for (const key of ['name', 'message', 'stack']) {
    const index = keys.indexOf(key);
    if (index !== -1 && stack.includes(String(value[key]))) keys.splice(index, 1);
  }
  return stack.replaceAll('\n', `\n${' '.repeat(context.indent)}`);
}

const BOXED = { Number, String, Boolean, BigInt, Symbol };

function boxedBase(context, value, keys, name) {
  const type = Object.keys(BOXED).find((key) => value instanceof BOXED[key]);
  const primitive = BOXED[type].prototype.valueOf.call(value);
  if (type === 'String') keys.splice(0, primitive.length);
  return `[${type}${name === type ? '' : ` (${name})`}: ${formatPrimitive(context, primitive)}]`;
}

function enumerableKeys(value) {
  const symbols = Object.getOwnPropertySymbols(value);
  const shown = symbols.filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  return [...Object.keys(value), ...shown];
}

/** What a value is made of: its opening brace, the text before it, its items and its keys. */
function anatomy(context, value, name, tag) {
  if (Array.isArray(value)) {
    const prefix = name === 'Array' && tag === '' ? '' : prefixOf(name, tag, 'Array', `(${value.length})`);
    return { braces: [`${prefix}[`, ']'], keys: nonIndexKeys(value), items: arrayItems, list: true };
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = (_, array) => limited(context, [...array], (item) => formatPrimitive(context, item));
    const braces = [`${prefixOf(name, tag, name, `(${value.length})`)}[`, ']'];
    return { braces, keys: nonIndexKeys(value), items, list: true };
  }
  const keys = enumerableKeys(value);
  if (value instanceof Set) return { braces: [`${prefixOf(name, tag, 'Set', `(${value.size})`)}{`, '}'], keys, items: setItems };
  if (value instanceof Map) return { braces: [`${prefixOf(name, tag, 'Map', `(${value.size})`)}{`, '}'], keys, items: mapItems };
  if (typeof value === 'function') return { braces: ['{', '}'], base: functionBase(value, name, tag), keys };
  if (value instanceof RegExp) return { braces: ['{', '}'], base: String(value), keys };
  if (value instanceof Date) {
    const base = Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    return { braces: ['{', '}'], base: name === 'Date' ? base : `${prefixOf(name, tag, 'Date')}${base}`, keys };
  }
  if (value instanceof Error) return { braces: ['{', '}'], base: errorBase(context, value, keys), keys };
  if (Object.values(BOXED).some((type) => value instanceof type)) {
    return { braces: ['{', '}'], base: boxedBase(context, value, keys, name), keys };
  }
  const isArguments = Object.prototype.toString.call(value) === '[object Arguments]';
  if (isArguments) return { braces: ['[Arguments] {', '}'], keys };
  const bare = name === 'Object' && tag === '';
  return { braces: [bare ? '{' : `${prefixOf(name, tag, 'Object')}{`, '}'], keys };
}

function formatObject(context, value, depth) {
  const name = constructorName(value);
  let tag = value[Symbol.toStringTag];
  if (typeof tag !== 'string' || Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag)) tag = '';
  const { braces, base = '', keys, items, list = false } = anatomy(context, value, name, tag);
  const size = list ? value.length : items ? value.size : 0;
  if (keys.length === 0 && size === 0) return base || `${braces[0]}${braces[1]}`;
  if (depth > context.depth) return `[${prefixOf(name, tag, list ? 'Array' : 'Object').trim()}]`;
  context.seen.push(value);
  context.level = depth + 1;
  const parts = items ? items(context, value, depth + 1) : [];
  for (const key of keys) parts.push(formatProperty(context, value, key, depth + 1));
  context.seen.pop();
  const reference = context.circular.has(value) ? `<ref *${context.circular.get(value)}>` : '';
  const shownBase = reference && base ? `${reference} ${base}` : reference || base;
  return layOut(context, parts, shownBase, braces, list ? value : undefined, depth + 1);
}

function nonIndexKeys(value) {
  return enumerableKeys(value).filter((key) => typeof key === 'symbol' || !/^(0|[1-9][0-9]*)$/.test(key));
}

function limited(context, values, show) {
  const shown = values.slice(0, context.maxArrayLength).map(show);
  const more = values.length - shown.length;
  if (more > 0) shown.push(`... ${more} more item${more > 1 ? 's' : ''}`);
  return shown;
}

function arrayItems(context, value, depth) {
  const output = [];
  let index = 0;
  while (index < value.length && output.length < context.maxArrayLength) {
    const start = index;
    while (index < value.length && !Object.hasOwn(value, index)) index += 1;
    if (index > start) {
      output.push(`<${index - start} empty item${index - start > 1 ? 's' : ''}>`);
    } else {
      output.push(indented(context, () => formatSlot(context, value, index, depth)));
      index += 1;
    }
  }
  const more = value.length - index;
  if (more > 0) output.push(`... ${more} more item${more > 1 ? 's' : ''}`);
  return output;
}

function setItems(context, value, depth) {
  return indented(context, () => limited(context, [...value], (item) => format(context, item, depth)));
}

function mapItems(context, value, depth) {
  const show = ([key, item]) => `${format(context, key, depth)} => ${format(context, item, depth)}`;
  return indented(context, () => limited(context, [...value], show));
}

function indented(context, show) {
  context.indent += 2;
  const text = show();
  context.indent -= 2;
  return text;
}

function formatSlot(context, value, key, depth) {
  const slot = Object.getOwnPropertyDescriptor(value, key) || { value: value[key] };
  if (slot.get) return slot.set ? '[Getter/Setter]' : '[Getter]';
  if (slot.set) return '[Setter]';
  return format(context, slot.value, depth);
}

function formatProperty(context, value, key, depth) {
  const text = indented(context, () => formatSlot(context, value, key, depth));
  if (typeof key === 'symbol') return `[${String(key)}]: ${text}`;
  if (key === '__proto__') return `['__proto__']: ${text}`;
  return `${PLAIN_KEY.test(key) ? key : quote(key)}: ${text}`;
}

function layOut(context, parts, base, braces, list, depth) {
  const entries = parts.length;
  let output = parts;
  if (context.oneLine) return `${base ? `${base} ` : ''}${braces[0]} ${parts.join(', ')} ${braces[1]}`;
  if (list !== undefined && entries > 6) output = groupColumns(context, parts, list);
  const lead = base ? `${base} ` : '';
  if (context.level - depth < context.compact && entries === output.length) {
    const start = output.length + context.indent + braces[0].length + base.length + 10;
    const total = output.reduce((sum, part) => sum + part.length, output.length + start);
    const line = output.join(', ');
    if (total <= context.breakLength && !base.includes('\n') && !line.includes('\n')) {
      return `${lead}${braces[0]} ${line} ${braces[1]}`;
    }
  }
  const newline = `\n${' '.repeat(context.indent)}`;
  return `${lead}${braces[0]}${newline}  ${output.join(`,${newline}  `)}${newline}${braces[1]}`;
}

function widthOf(text) {
  return [...text].length + (text.match(WIDE) || []).length;
}

/** Node prints arrays of more than six entries in columns, about 2.5 times as wide as high. */
function groupColumns(context, output, value) {
  const length = output.length - (value.length > context.maxArrayLength ? 1 : 0);
  const lengths = output.slice(0, length).map(widthOf);
  const widest = Math.max(...lengths) + 2;
  const total = lengths.reduce((sum, part) => sum + part + 2, 0);
  const fits = widest * 3 + context.indent < context.breakLength;
  if (!fits || !(total / widest > 5 || widest <= 8)) return output;
  const biased = Math.max(widest - 3 - Math.sqrt(widest - total / output.length), 1);
  const columns = Math.min(
    Math.round(Math.sqrt(2.5 * biased * length) / biased),
    Math.floor((context.breakLength - context.indent) / widest),
    context.compact * 4,
    15,
  );
  if (columns <= 1) return output;
  const widths = [];
  for (let column = 0; column < columns; column += 1) {
    const cells = lengths.filter((_, index) => index % columns === column);
    widths.push(Math.max(0, ...cells) + 2);
  }
  const numeric = output.every((_, index) => ['number', 'bigint'].includes(typeof value[index]));
  const rows = [];
  for (let start = 0; start < length; start += columns) {
    const cells = output.slice(start, Math.min(start + columns, length));
    const last = cells.length - 1;
    const shown = cells.map((cell, column) => {
      const text = column === last ? cell : `${cell}, `;
      const width = widths[column] - (column === last ? 2 : 0) + cell.length - lengths[start + column];
      if (numeric) return text.padStart(width);
      return column === last ? text : text.padEnd(width);
    });
    rows.push(shown.join(''));
  }
  return [...rows, ...output.slice(length)];
}

/** printf-like joining of console.log's arguments. */
function formatLog(...args) {
  if (typeof args[0] !== 'string') return args.map((value) => shown(value)).join(' ');
  if (args.length === 1) return args[0];
  let used = 1;
  const text = args[0].replace(/%[sdifjoOc%]/g, (code) => {
    if (code === '%%') return '%';
    if (used >= args.length) return code;
    return formatCode(code, args[used++]);
  });
  return [text, ...args.slice(used).map((value) => shown(value))].join(' ');
}

function shown(value) {
  return typeof value === 'string' ? value : inspect(value);
}

function formatCode(code, value) {
  switch (code) {
    case '%s':
      if (typeof value === 'bigint') return `${value}n`;
      if (typeof value === 'number') return formatNumber(value);
      if (typeof value !== 'object' || value === null) return String(value);
      return Object.hasOwn(value, 'toString') || hasOwnToString(value) ? String(value) : inspect(value, { depth: 0 });
    case '%d':
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'symbol' ? 'NaN' : formatNumber(Number(value));
    case '%i':
      return typeof value === 'symbol' ? 'NaN' : formatNumber(parseInt(value, 10));
    case '%f':
      return typeof value === 'symbol' ? 'NaN' : formatNumber(parseFloat(value));
    case '%j':
      return JSON.stringify(value);
    case '%c':
      return '';
    default:
      return inspect(value, code === '%o' ? { depth: 4 } : {});
  }
}

function hasOwnToString(value) {
  const method = value.toString;
  return typeof method === 'function' && !/\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(method));
}

inspect.custom = CUSTOM;
module.exports = { inspect, formatLog };
