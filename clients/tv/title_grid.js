// Titles in rows of five, for pages that are not made of sections: My List and search results.

import { h } from "../shared/elements.js";
import { titleCard } from "./cards.js";

const COLUMNS = 5;
const LAYOUT = { artworkRole: "BACKDROP", cardWidthPx: 160, cardHeightPx: 90 };

/** Rows of a grid; up and down keep the column. onopen gets the title. */
export function titleGrid(titles, onopen) {
  const rows = [];
  for (let start = 0; start < titles.length; start += COLUMNS) {
    const cards = titles.slice(start, start + COLUMNS).map((title) => titleCard({ title, artwork: title.wide, layout: LAYOUT, onopen: () => onopen(title) }));
    rows.push(h("div", { class: "grid-row", dataset: { row: "grid" } }, cards));
  }
  return rows;
}

/** Keeps the focused row of a grid in sight, by moving the track that holds it. */
export function followGrid(window, track) {
  track.addEventListener("itemfocus", ({ detail: { row } }) => {
    const overflow = row.offsetTop + row.offsetHeight - window.clientHeight * 0.92;
    track.style.translate = `0 ${-Math.max(0, overflow)}px`;
  });
}
