'use strict';
// MD5 (RFC 1321) of a text as 32 hex digits, for programs that ask for `js-md5` or
// crypto.createHash('md5'). For checksums only.
//
//     node -e "console.log(require('./md5.js')('Hello world'))"

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

function bytesOf(text) {
  const escaped = encodeURIComponent(String(text).toWellFormed());
  const bytes = [];
  for (let i = 0; i < escaped.length; i += 1) {
    if (escaped[i] !== '%') bytes.push(escaped.charCodeAt(i));
    else bytes.push(parseInt(escaped.slice(i + 1, (i += 2) + 1), 16));
  }
  return bytes;
}

function padded(bytes) {
  const bits = bytes.length * 8;
  const words = new Uint32Array((((bytes.length + 8) >> 6) + 1) * 16);
  bytes.forEach((byte, i) => { words[i >> 2] |= byte << ((i % 4) * 8); });
  words[bytes.length >> 2] |= 0x80 << ((bytes.length % 4) * 8);
  words[words.length - 2] = bits % 2 ** 32;
  words[words.length - 1] = Math.floor(bits / 2 ** 32);
  return words;
}

function mix(round, b, c, d) {
  if (round === 0) return (b & c) | (~b & d);
  if (round === 1) return (b & d) | (c & ~d);
  return round === 2 ? b ^ c ^ d : c ^ (b | ~d);
}

const WORD = [(i) => i, (i) => (5 * i + 1) % 16, (i) => (3 * i + 5) % 16, (i) => (7 * i) % 16];

module.exports = function md5(text) {
  const words = padded(Array.isArray(text) || ArrayBuffer.isView(text) ? [...text] : bytesOf(text));
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  for (let start = 0; start < words.length; start += 16) {
    let [a, b, c, d] = state;
    for (let i = 0; i < 64; i += 1) {
      const round = i >> 4;
      const sum = (a + mix(round, b, c, d) + SINES[i] + words[start + WORD[round](i)]) | 0;
      const shift = SHIFTS[round * 4 + (i % 4)];
      [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  }
  return [...new Uint8Array(state.buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
};
