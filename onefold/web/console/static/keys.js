// Shortcuts. None is active while somebody writes.
"use strict";
const WRITTEN_IN = "input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]";
// On a Cyrillic keyboard the key of m writes another letter: then the place of the key counts.
const keyOf = (event) =>
  event.key.length === 1 && event.key > "\u007f" && /^Key[A-Z]$/.test(event.code)
    ? event.code[3].toLowerCase()
    : event.key;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.closest(WRITTEN_IN)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const wanted = document.querySelector(`[data-key="${CSS.escape(keyOf(event))}"]`);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches(WRITTEN_IN)) wanted.focus();
  else wanted.click();
});
