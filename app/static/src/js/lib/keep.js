// Where the reader was in a fragment that is about to be replaced: the focused control, and how far lists were scrolled.

/** A selector that finds the same control in the next copy of the fragment, null when nothing tells it apart. */
export function nameOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  for (const attribute of ["commandfor", "href"]) {
    const value = element.getAttribute(attribute);
    if (value) return `${element.localName}[${attribute}="${CSS.escape(value)}"]`;
  }
  return null;
}

export function remember(root) {
  const active = document.activeElement;
  return {
    focus: active !== null && root.contains(active) ? nameOf(active) : null,
    scrolled: [...root.querySelectorAll("[data-keep]")].map((list) => [list.dataset.keep, list.scrollLeft, list.scrollTop]),
  };
}

/** Takes the reader back, unless they have gone somewhere else in the meantime. */
export function restore(kept) {
  for (const [name, left, top] of kept.scrolled) {
    const list = document.querySelector(`[data-keep="${CSS.escape(name)}"]`);
    if (list) [list.scrollLeft, list.scrollTop] = [left, top];
  }
  if (kept.focus && document.activeElement === document.body) document.querySelector(kept.focus)?.focus({ preventScroll: true });
}
