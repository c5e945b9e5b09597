// Which lines of the target ran, by V8's own precise coverage.
//
//     python -m pytest tests/test_suite.py
'use strict';

const { Session } = require('node:inspector');
const fs = require('node:fs');
const { pathToFileURL } = require('node:url');

let session;
let urls;
let text = '';

function post(method, parameters) {
  let answer;
  session.post(method, parameters, (error, result) => {
    if (error) throw error;
    answer = result; // in-process sessions answer at once
  });
  return answer;
}

exports.start = (target, code) => {
  text = code ?? fs.readFileSync(target, 'utf8');
  urls = new Set([target, pathToFileURL(target).href]);
  session = new Session();
  session.connect();
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
};

// The lines that ran since the last call, and counting starts anew.
exports.take = () => {
  const counts = new Uint8Array(text.length);
  for (const script of post('Profiler.takePreciseCoverage').result) {
    if (!urls.has(script.url.split('?')[0])) continue;
    // Outer functions and blocks come before what they contain.
    for (const { ranges } of script.functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        counts.fill(count ? 1 : 0, startOffset, endOffset);
      }
    }
  }
  const found = [];
  let at = 0;
  text.split('\n').forEach((line, index) => {
    const start = at + line.length - line.trimStart().length;
    if (/[^\s{}()[\];,]/.test(line) && counts.subarray(start, at + line.trimEnd().length).some(Boolean)) {
      found.push(index + 1);
    }
    at += line.length + 1;
  });
  return found;
};
