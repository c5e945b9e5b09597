'use strict';
// The en-US answers of the locale-aware methods, which this engine lacks or gives differently:
// numbers with thousands separators, dates, and the order of words (ICU's root collation for
// ASCII and accented Latin). What needs more throws the ReferenceError that sends a program to
// node: "Intl is not defined".

// Non-letters in ICU's order; letters and digits come after them.
const ORDER = ' \t\n_-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$0123456789';
const RANK = new Map([...ORDER].map((character, index) => [character, index + 1]));

function needIntl() {
  throw new ReferenceError('Intl is not defined');
}

function primary(character) {
  const rank = RANK.get(character);
  if (rank !== undefined) return rank;
  if (character >= '\u0080' && character < '\u0370') return needIntl(); // ß, ø and their like
  return 1000 + character.toLowerCase().codePointAt(0);
}

/** -1, 0 or 1: base letters first, then accents, then lower case before upper case. */
function compare(left, right) {
  const a = [...left.normalize('NFD')];
  const b = [...right.normalize('NFD')];
  const plain = (list) => list.filter((character) => !/\p{Mn}/u.test(character));
  const [x, y] = [plain(a), plain(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i += 1) {
    const difference = primary(x[i]) - primary(y[i]);
    if (difference !== 0) return Math.sign(difference);
  }
  if (x.length !== y.length) return Math.sign(x.length - y.length);
  if (a.length !== b.length) return Math.sign(a.length - b.length);
  const [c, d] = [a.join(''), b.join('')];
  if (c === d) return 0;
  if (c.toLowerCase() !== d.toLowerCase()) return needIntl(); // two different accents
  const first = a.findIndex((character, i) => character !== b[i]);
  return a[first] === a[first].toLowerCase() ? -1 : 1;
}

/** [whole digits, fraction digits] of the shortest text of a number, rounded half up. */
function rounded(value, places) {
  const [mantissa, exponent = '0'] = String(Math.abs(value)).split('e');
  if (Number(exponent) > 0) return needIntl();
  const [whole, fraction = ''] = mantissa.split('.');
  const shift = -Number(exponent);
  const digits = whole.padStart(shift + 1, '0') + fraction;
  const point = digits.length - fraction.length - shift;
  const kept = digits.slice(0, point + places).padEnd(point + places, '0');
  const up = digits.charAt(point + places) >= '5' ? 1n : 0n;
  const scaled = String(BigInt(kept) + up).padStart(places + 1, '0');
  return [scaled.slice(0, scaled.length - places), scaled.slice(scaled.length - places)];
}

function formatNumber(value, { minimumFractionDigits: least, maximumFractionDigits: most }) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : `${value < 0 ? '-' : ''}∞`;
  const minimum = least ?? 0;
  const [whole, fraction] = rounded(value, most ?? Math.max(3, minimum));
  let digits = fraction;
  while (digits.length > minimum && digits.endsWith('0')) digits = digits.slice(0, -1);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return `${sign}${grouped(whole)}${digits && '.'}${digits}`;
}

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

function isEnglish(locales) {
  return locales === undefined || locales === 'en-US' || locales === 'en';
}

function numberToLocale(locales, options = {}) {
  const known = ['minimumFractionDigits', 'maximumFractionDigits'];
  if (!isEnglish(locales) || Object.keys(options).some((key) => !known.includes(key))) needIntl();
  return formatNumber(Number(this), options);
}

function dateParts(date) {
  const two = (number) => String(number).padStart(2, '0');
  const hours = date.getHours();
  return {
    day: `${date.getMonth() + 1}/${date.getDate()}/${date.getFullYear()}`,
    time: `${hours % 12 || 12}:${two(date.getMinutes())}:${two(date.getSeconds())} ${hours < 12 ? 'AM' : 'PM'}`,
  };
}

function dateMethod(text) {
  return function toLocale(locales, options) {
    if (!isEnglish(locales) || options !== undefined) needIntl();
    return Number.isNaN(this.getTime()) ? 'Invalid Date' : text(dateParts(this));
  };
}

module.exports = function installLocale(define) {
  define(Number.prototype, 'toLocaleString', numberToLocale);
  define(BigInt.prototype, 'toLocaleString', function toLocaleString() {
    return grouped(String(this));
  });
  define(Date.prototype, 'toLocaleString', dateMethod(({ day, time }) => `${day}, ${time}`));
  define(Date.prototype, 'toLocaleDateString', dateMethod(({ day }) => day));
  define(Date.prototype, 'toLocaleTimeString', dateMethod(({ time }) => time));
  define(String.prototype, 'localeCompare', function localeCompare(other, locales, options) {
    if (!isEnglish(locales) || options !== undefined) needIntl();
    return compare(String(this), String(other));
  });
};
