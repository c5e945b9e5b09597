// The little that HTML and htmx leave to do: line numbers, indentation, Ctrl+Enter, and where the
// keyboard's focus goes when a part of the page is replaced. Without it the page still works.
"use strict";

const live = document.getElementById("live");

function numbered(area) {
  const count = area.value.split("\n").length;
  area.rows = Math.max(area.dataset.rows, count);
  area.previousElementSibling.textContent = Array.from({ length: count }, (_, i) => i + 1).join("\n");
}

// execCommand is deprecated and has no successor that keeps the editor's undo history.
function typed(area, text) {
  area.focus();
  document.execCommand("insertText", false, text);
}

for (const area of document.querySelectorAll(".editor textarea")) {
  area.dataset.rows = area.rows;
  numbered(area);
  area.addEventListener("input", () => numbered(area));
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      area.form.requestSubmit();
      return;
    }
    const before = area.value.slice(0, area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const step = /[:{[(]\s*$/.test(line) ? (/^\s*$|;|\{\s*$/.test(line) ? "  " : "    ") : "";
    typed(area, "\n" + line.match(/^\s*/)[0] + step);
  });
}

for (const button of document.querySelectorAll("[data-reset]")) {
  button.addEventListener("click", () => {
    const area = document.getElementById(button.dataset.reset);
    area.select();
    typed(area, area.dataset.start);
  });
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.dataset.busy) live.textContent = event.target.dataset.busy;
});

// A button that is swapped away takes the focus along: it goes on to what came in its place. Who
// has gone back to the editor meanwhile is left there.
document.body.addEventListener("htmx:afterSettle", () => {
  const next = document.querySelector("#ladder [data-focus]");
  if (next && [null, document.body].includes(document.activeElement)) next.focus();
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  const narrow = window.matchMedia("(max-width: 60rem)").matches;
  if (event.target.id === "results" && narrow) event.target.scrollIntoView();
});
