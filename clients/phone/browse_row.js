// One row of the phone's page, to push sideways. It takes over another content in place: cards that stay are the same
// elements and the row stays where it was pushed to.

import { drawCards } from "../shared/card_track.js";
import { h } from "../shared/elements.js";
import { cardOpened, watchCard } from "../shared/interactions.js";
import { cardsByTitle } from "../shared/titles.js";
import { posterCard, wideCard } from "./cards.js";

// Further cards are asked for when this many widths of the row are left.
const WIDTHS_AHEAD = 1.5;

/** open: called with a title's id; more: called with the section when the viewer comes near its end. */
export function createRow({ key, kind }, { open, more }) {
  const heading = h("h2");
  const track = h("div", { class: "row-track", dataset: { section: key } });
  const element = h("section", { class: `row is-${kind.toLowerCase()}` }, heading, track);
  const shown = new Map();

  function draw(card, section) {
    const known = shown.get(card.title.id);
    if (known?.card === card) return known;
    const content = JSON.stringify(card);
    if (known?.content === content) return Object.assign(known, { card });
    const onopen = () => {
      cardOpened(card);
      open(card.series?.id ?? card.title.id);
    };
    const isPoster = section.layout?.artworkRole === "POSTER";
    const drawn = isPoster ? posterCard(card.title, card.artwork, onopen, card.series) : wideCard(card.title, card.artwork, card.series, onopen);
    if (known) {
      const picture = known.element.querySelector(".picture");
      if (known.card.artwork?.url === card.artwork?.url) drawn.querySelector(".picture").replaceWith(picture);
      known.element.replaceWith(drawn);
    }
    watchCard(drawn, card);
    return { card, content, element: drawn };
  }

  const row = {
    section: null,
    element,

    /** Shows what the section holds now. */
    update(section) {
      row.section = section;
      heading.textContent = section.heading;
      element.setAttribute("aria-label", section.heading);
      if (section.layout) element.style.setProperty("--card-width", `${section.layout.cardWidthPx}px`);
      drawCards(track, shown, cardsByTitle(section), (card) => draw(card, section));
    },

    /** Puts the row before another one (null: at the end) and keeps how far it was pushed: moving an element forgets it. */
    placeBefore(parent, next) {
      const { scrollLeft } = track;
      parent.insertBefore(element, next);
      track.scrollLeft = scrollLeft;
    },
  };
  track.addEventListener("scroll", () => track.scrollWidth - track.scrollLeft < (1 + WIDTHS_AHEAD) * track.clientWidth && more(row.section), { passive: true });
  return row;
}
