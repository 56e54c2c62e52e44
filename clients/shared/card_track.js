// The cards of one row, drawn anew where they changed and left alone where they did not.

/**
 * Makes a track show these cards in their order. cards: Map of title id → card; shown: Map of title id → {element, …} as
 * it stands, kept up to date; draw: (card, place) → what stands for it then, the known one where nothing changed.
 */
export function drawCards(track, shown, cards, draw) {
  for (const [id, { element }] of shown) {
    if (cards.has(id)) continue;
    shown.delete(id);
    element.remove();
  }
  [...cards].forEach(([id, card], place) => {
    const drawn = draw(card, place);
    shown.set(id, drawn);
    if (track.children[place] !== drawn.element) track.insertBefore(drawn.element, track.children[place] ?? null);
  });
}
