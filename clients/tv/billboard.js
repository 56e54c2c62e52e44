// The upper half of the screen: the backdrop and the words of the title that has the focus. Changes wait a moment, so
// that running along a row does not flicker and does not load every picture.

import { h } from "../shared/elements.js";
import { episodeLabel, facts, matchText } from "../shared/wording.js";

const SETTLE_MS = 180;

export function createBillboard() {
  const backdrop = h("div", { class: "backdrop", "aria-hidden": "true" });
  const words = h("div", { class: "billboard-words" });
  let shownId = null;
  let settling = null;

  function showBackdrop(artwork) {
    const previous = [...backdrop.children];
    if (artwork?.placeholderColor) backdrop.style.setProperty("--glow", artwork.placeholderColor);
    const dismiss = () => previous.forEach((image) => image.remove());
    if (!artwork?.url) return dismiss();
    const image = h("img", { alt: "", decoding: "async" });
    image.addEventListener("load", () => {
      image.classList.add("is-shown");
      previous.forEach((old) => old.classList.remove("is-shown"));
      setTimeout(dismiss, 700);
    });
    image.addEventListener("error", () => {
      image.remove();
      dismiss();
    });
    image.src = artwork.url;
    backdrop.append(image);
  }

  function show(title, reason) {
    clearTimeout(settling);
    const key = `${title.id} ${reason ?? ""}`;
    if (key === shownId) return;
    shownId = key;
    words.replaceChildren(...titleWords(title, reason));
    showBackdrop(title.backdrop);
  }

  return {
    backdrop,
    words,
    /** Shows a title at once. */
    show,
    /** Shows it if nothing else is asked for within a moment. */
    showSoon(title, reason) {
      clearTimeout(settling);
      settling = setTimeout(() => show(title, reason), SETTLE_MS);
    },
  };
}

/** A title's words: reason, name or logo, facts, synopsis. */
export function titleWords(title, reason) {
  const match = matchText(title.match);
  const episode = episodeLabel(title);
  return [
    reason ? h("p", { class: "billboard-reason" }, reason) : null,
    titleName(title),
    episode ? h("p", { class: "billboard-episode" }, `${episode} · ${title.displayName}`) : null,
    h(
      "p",
      { class: "facts" },
      match ? h("span", { class: "match" }, match) : null,
      title.certificate?.code ? h("span", { class: "chip" }, title.certificate.code) : null,
      facts(title).map((fact) => h("span", {}, String(fact))),
    ),
    title.synopsis ? h("p", { class: "synopsis" }, title.synopsis) : null,
  ].filter(Boolean);
}

function titleName(title) {
  const name = title.series?.displayName ?? title.displayName;
  const heading = h("h1", { class: `billboard-name${name.length > 26 ? " is-long" : ""}` }, name);
  if (!title.logo?.url) return heading;
  // The logo stands in for the name; when it does not come, the name is there in type.
  const logo = h("img", { class: "billboard-logo", alt: name });
  logo.addEventListener("error", () => logo.replaceWith(name));
  logo.src = title.logo.url;
  heading.replaceChildren(logo);
  return heading;
}
