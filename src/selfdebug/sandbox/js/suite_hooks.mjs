// Module hooks: the candidate's text in the place of what is on disk, for `import`.
// They run in a thread of their own and see no test.
//
//     python -m pytest tests/test_suite.py
let texts = {};

export async function initialize(data) {
  texts = data.byUrl;
}

export async function load(url, context, nextLoad) {
  const text = texts[url.split('?')[0]];
  const loaded = await nextLoad(url, context);
  // CommonJS files go through require's own loader, which has the text too.
  return text === undefined || loaded.format !== 'module' ? loaded : { ...loaded, source: text };
}
