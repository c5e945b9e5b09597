'use strict';
// A program's text made ready to run: wrapped as node wraps a CommonJS file, ES module syntax
// rewritten to it. Line numbers never change. What the rewriting cannot do (export * from) stays
// a SyntaxError, which sends the program to node.

const RESERVED = new Set(('await break case catch class const continue debugger default delete do else enum '
  + 'eval export extends false finally for function if implements import in instanceof interface let new '
  + 'null package private protected public return static super switch this throw true try typeof var void '
  + 'while with yield arguments exports require module __filename __dirname').split(' '));
const MAX_WORDS = 5000;
const COMMENTS = /^[ \t]*(?:\/\*[^]*?\*\/|\/\/.*)/gm; // a string may look like a comment, but hardly like this
const NOT_ASCII = /[^\x00-\x7f]/;
const ASCII_WORDS = /[A-Za-z_$][\w$]*/g;
const WORDS = /[\p{ID_Start}_$][\p{ID_Continue}$]*/gu;
const WORD = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;
const PARAMETERS = 'exports, require, module, __filename, __dirname';

function looksLikeModule(code) {
  return /^[ \t]*(?:import|export)\b|\bawait\b/m.test(code);
}

const keepLines = (text) => '\n'.repeat(text.split('\n').length - 1);

/** The names between braces of an import or export: "a as b, c" -> [["a", "b"], ["c", "c"]]. */
function pairs(list) {
  const parts = list.split(',').map((part) => part.trim()).filter((part) => part !== '');
  return parts.map((part) => {
    const [name, alias = name] = part.split(/\s+as\s+/);
    return [name, alias];
  });
}

function importStatement(clause, name) {
  const source = `require(${name})`;
  if (clause === undefined) return `${source};`;
  const made = [];
  const star = /\*\s*as\s+([\w$]+)/.exec(clause);
  const braces = /\{([^}]*)\}/.exec(clause);
  const plain = /^\s*([\w$]+)/.exec(clause);
  if (plain) made.push(`const ${plain[1]} = ((m) => m.default ?? m)(${source});`);
  if (star) made.push(`const ${star[1]} = ${source};`);
  if (braces) made.push(`const {${pairs(braces[1]).map(([key, alias]) => `${key}: ${alias}`).join(', ')}} = ${source};`);
  return made.join(' ');
}

/** ES module syntax as CommonJS, on the same lines. */
function toCommonJs(code) {
  const exported = [];
  const text = code
    .replace(/^([ \t]*)import\s+(?:([^'"();]*?)\s+from\s+)?(['"][^'"]+['"])\s*;?/gm,
      (all, space, clause, name) => space + importStatement(clause, name) + keepLines(all))
    .replace(/^([ \t]*)export\s*\{([^}]*)\}\s*;?/gm, (all, space, list) => {
      for (const [name, alias] of pairs(list)) exported.push(`exports[${JSON.stringify(alias)}] = ${name};`);
      return space + keepLines(all);
    })
    .replace(/^([ \t]*)export\s+default\s+((?:async\s+)?(?:function\s*\*?|class)\s*([\w$]+))/gm, (all, space, head, name) => {
      exported.push(`exports.default = ${name};`);
      return space + head;
    })
    .replace(/^([ \t]*)export\s+default\s+/gm, '$1exports.default = ')
    .replace(/^([ \t]*)export\s+(?=(?:async\s+)?function\b|class\b|const\b|let\b|var\b)/gm, '$1');
  return { text, footer: exported.join(' ') };
}

/**
 * An expression: the function that a program becomes. `head` and `foot` are statements put before
 * and after it, on its first line and after its last.
 */
function wrap(code, { rewrite = false, async = rewrite, head = '', foot = '' } = {}) {
  const { text, footer } = rewrite ? toCommonJs(code) : { text: code, footer: '' };
  const body = text.startsWith('#!') ? `//${text}` : text;
  const strict = rewrite ? '"use strict";' : '';
  return `(${async ? 'async ' : ''}function (${PARAMETERS}) {${strict}${head}${body}\n;${footer}${foot}\n})`;
}

/** Every identifier that a text mentions, keywords left out. */
function identifiers(text) {
  // The pattern with classes of Unicode is twice as slow.
  const words = new Set(text.match(NOT_ASCII.test(text) ? WORDS : ASCII_WORDS) || []);
  return [...words].filter((word) => !RESERVED.has(word)).slice(0, MAX_WORDS);
}

const isIdentifier = (text) => WORD.test(text) && !RESERVED.has(text);

module.exports = { looksLikeModule, wrap, identifiers, isIdentifier };
