// The focus of a remote control. A screen is a list of rows ([data-row]) of items ([data-item]), in the order of the
// document; left and right move within a row, up and down between rows. Each row remembers its item, so coming back
// lands where the viewer left. The real DOM focus is used, so assistive technology follows.

const memory = new WeakMap();

/** Every row of the screen that can take the focus now. */
export function rowsOf(screen) {
  return [...screen.querySelectorAll("[data-row]")].filter((row) => itemsOf(row).length && row.offsetParent !== null);
}

/** A row's items; rows may be nested, then an item belongs to the nearest row. */
export function itemsOf(row) {
  return [...row.querySelectorAll("[data-item]")].filter((item) => item.closest("[data-row]") === row && !item.hidden);
}

/** The item that a row gets the focus on: the remembered one, else the first. */
export function rememberedItem(row) {
  const items = itemsOf(row);
  const item = memory.get(row);
  return items.includes(item) ? item : items[0];
}

/** Puts the focus on an item; the screen hears "itemfocus" (detail {row, item}) and brings it into view. */
export function focusItem(item) {
  if (!item) return false;
  const row = item.closest("[data-row]");
  memory.set(row, item);
  item.focus({ preventScroll: true });
  item.dispatchEvent(new CustomEvent("itemfocus", { bubbles: true, detail: { row, item } }));
  return true;
}

/** Puts one item in the place of another, which the row may remember and the viewer may be on. */
export function replaceItem(old, item) {
  const row = old.closest("[data-row]");
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(item);
  if (memory.get(row) === old) memory.set(row, item);
  if (hadFocus) item.focus({ preventScroll: true });
}

/** Moves the focus one step; false at an edge. direction: left | right | up | down. */
export function moveFocus(screen, direction) {
  const current = document.activeElement?.closest("[data-item]");
  if (!current || !screen.contains(current)) return focusItem(rememberedItem(rowsOf(screen)[0]));
  const row = current.closest("[data-row]");
  if (direction === "left" || direction === "right") {
    const items = itemsOf(row);
    return focusItem(items[items.indexOf(current) + (direction === "right" ? 1 : -1)]);
  }
  const rows = rowsOf(screen);
  const target = rows[rows.indexOf(row) + (direction === "down" ? 1 : -1)];
  if (!target) return false;
  // In a grid the column counts; in independent rows, each row's own memory.
  return focusItem(target.dataset.row === "grid" && row.dataset.row === "grid" ? sameColumn(row, current, target) : rememberedItem(target));
}

function sameColumn(row, current, target) {
  const items = itemsOf(target);
  return items[Math.min(itemsOf(row).indexOf(current), items.length - 1)];
}

/**
 * Slides a row's track so that an item stands at the row's left edge, but never past the last item. Positions are
 * layout positions, so a slide under way does not disturb them.
 */
export function slideTo(track, item, visibleWidthPx) {
  const furthest = Math.max(0, track.scrollWidth - visibleWidthPx);
  track.style.translate = `${-Math.min(item.offsetLeft, furthest)}px 0`;
}
