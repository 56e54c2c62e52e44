// Small builders for the page's elements. Text always goes in as text nodes, never as markup, so nothing that a
// server says can become part of the page's code.

/**
 * One element. Props: class, dataset, style (object), on<event> handlers, aria-* and plain attributes; a boolean
 * attribute is set when true and left out when false, null or undefined.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") setStyle(element, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setStyle(element, style) {
  for (const [property, value] of Object.entries(style)) {
    if (value !== null && value !== undefined) element.style.setProperty(property, value);
  }
}

/**
 * A picture that shows its colour first and fades in when it has arrived; one that fails keeps its colour. Artwork
 * may be null (a title without artwork in that role).
 */
export function picture(artwork, className, { eager = false } = {}) {
  const frame = h("span", { class: `picture ${className}`, style: { "--placeholder": artwork?.placeholderColor } });
  if (!artwork?.url) return frame;
  const image = h("img", {
    alt: artwork.altText ?? "",
    decoding: "async",
    loading: eager ? "eager" : "lazy",
    draggable: "false",
  });
  image.addEventListener("load", () => frame.classList.add("is-loaded"));
  image.addEventListener("error", () => image.remove());
  image.src = artwork.url;
  frame.append(image);
  return frame;
}

const SVG = "http://www.w3.org/2000/svg";

// Icons on a 24 × 24 grid, drawn for these pages.
const ICON_PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6.5 4.5h4v15h-4zM13.5 4.5h4v15h-4z",
  back10: "M12 5V1.5L6.5 6 12 10.5V7a6.2 6.2 0 1 1-6.2 6.2H3.6A8.4 8.4 0 1 0 12 5z",
  forward10: "M12 5V1.5L17.5 6 12 10.5V7a6.2 6.2 0 1 0 6.2 6.2h2.2A8.4 8.4 0 1 1 12 5z",
  next: "M5 4.5 15.5 12 5 19.5zM16.5 4.5H19v15h-2.5z",
  plus: "M10.9 4h2.2v6.9H20v2.2h-6.9V20h-2.2v-6.9H4v-2.2h6.9z",
  check: "M9.3 18.6 3.5 12.8l1.6-1.6 4.2 4.2L18.9 5.8l1.6 1.6z",
  star: "M12 2.8l2.8 6 6.5.8-4.8 4.5 1.3 6.5L12 17.4l-5.8 3.2 1.3-6.5L2.7 9.6l6.5-.8z",
  person: "M12 3a4.6 4.6 0 1 0 0 9.2A4.6 4.6 0 0 0 12 3zm0 2.2a2.4 2.4 0 1 1 0 4.8 2.4 2.4 0 0 1 0-4.8zM3.5 21v-1.2c0-3.3 3.8-5.6 8.5-5.6s8.5 2.3 8.5 5.6V21h-2.2v-1.2c0-1.8-2.8-3.4-6.3-3.4s-6.3 1.6-6.3 3.4V21z",
  genre: "M3 3h8.2l9.9 9.9-8.2 8.2L3 11.2zm2.2 2.2v5.1l7.7 7.7 5.1-5.1-7.7-7.7zM7.9 6.5a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8z",
  order: "M7 4.2 11.2 8.4 9.7 10 8.1 8.4V20H5.9V8.4L4.3 10 2.8 8.4zM15.9 4h2.2v11.6l1.6-1.6 1.5 1.6L17 19.8l-4.2-4.2 1.5-1.6 1.6 1.6z",
  like: "M2.5 10.5h3.8V21H2.5zM8 10.2 12.2 2.5c1.6 0 2.7 1.2 2.5 2.8l-.6 3.7h5c1.4 0 2.4 1.3 2.1 2.7l-1.5 7.4A2.4 2.4 0 0 1 17.3 21H8z",
  dislike: "M21.5 13.5h-3.8V3h3.8zM16 13.8l-4.2 7.7c-1.6 0-2.7-1.2-2.5-2.8l.6-3.7h-5a2.2 2.2 0 0 1-2.1-2.7l1.5-7.4A2.4 2.4 0 0 1 6.7 3H16z",
  hide: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2.2c1.5 0 2.9.5 4 1.3L6.5 16A6.8 6.8 0 0 1 12 5.2zm0 13.6c-1.5 0-2.9-.5-4-1.3L17.5 8A6.8 6.8 0 0 1 12 18.8z",
  restart: "M5 4h2.2v3.3A8 8 0 1 1 4 13h2.2a5.8 5.8 0 1 0 2.2-4.5H12v2.2H5z",
  home: "M12 3 3 10.4V21h6.2v-6.4h5.6V21H21V10.4zm0 2.8 6.8 5.6v7.4h-1.8v-6.4H7v6.4H5.2v-7.4z",
  search: "M10.3 3a7.3 7.3 0 1 0 4.4 13.1l4.9 4.9 1.6-1.6-4.9-4.9A7.3 7.3 0 0 0 10.3 3zm0 2.2a5.1 5.1 0 1 1 0 10.2 5.1 5.1 0 0 1 0-10.2z",
  lock: "M7 10V7.5a5 5 0 0 1 10 0V10h1.5v11h-13V10zm2.2 0h5.6V7.5a2.8 2.8 0 0 0-5.6 0zM10.9 13v4.5h2.2V13z",
  list: "M3 5h11v2.2H3zM3 10.9h11v2.2H3zM3 16.8h7V19H3zM17 13h2.2v3H22v2.2h-2.8V21H17v-2.8h-3V16h3z",
  close: "M5.4 3.9 12 10.4l6.6-6.5 1.5 1.5-6.5 6.6 6.5 6.6-1.5 1.5-6.6-6.5-6.6 6.5-1.5-1.5 6.5-6.6-6.5-6.6z",
  back: "M14.8 4.2 7 12l7.8 7.8 1.6-1.6L10.2 12l6.2-6.2z",
  captions: "M3 5h18v14H3zm2.2 2.2v9.6h13.6V7.2zM7 11h4v2H7zM13 11h4v2h-4zM7 14h7v1.8H7zM15 14h2v1.8h-2z",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2.2a6.8 6.8 0 1 1 0 13.6 6.8 6.8 0 0 1 0-13.6zM10.9 10.8h2.2V17h-2.2zM10.9 7h2.2v2.2h-2.2z",
  warning: "M12 3.5 1.8 20.5h20.4zm0 4.3 6.4 10.5H5.6zM11 11h2v4h-2zM11 15.8h2v1.7h-2z",
};

/** An icon by name; decoration only, so its button carries the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICON_PATHS[name]);
  svg.append(path);
  return svg;
}

/** The product's name with its sign: a theatre canopy whose lamps spell an M. */
export function wordmark() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 40 32");
  svg.setAttribute("class", "wordmark-sign");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ["M2 30V4l18 15L38 4v26", "M9 30V17.5l11 9 11-9V30"]) {
    const stroke = document.createElementNS(SVG, "path");
    stroke.setAttribute("d", d);
    svg.append(stroke);
  }
  return h("span", { class: "wordmark", role: "img", "aria-label": "Marquee" }, svg, h("span", { "aria-hidden": "true" }, "Marquee"));
}

/** A person's sign: an initial on a colour that belongs to the avatar's name, so that it is the same everywhere. */
export function avatar(profile) {
  const hue = profile.isKids ? 172 : hueOf(profile.avatar || profile.id || profile.name);
  return h(
    "span",
    { class: `avatar${profile.isKids ? " is-kids" : ""}`, style: { "--hue": hue }, "aria-hidden": "true" },
    [...profile.name.trim()][0]?.toUpperCase() ?? "?",
  );
}

function hueOf(text) {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)) % 360;
  return hash;
}

/** A whole-screen or in-place statement: what is the matter and what can be done about it. */
export function statement({ sign = "warning", heading, text, actions = [] }) {
  return h(
    "div",
    { class: "statement", role: "status" },
    icon(sign),
    h("h2", {}, heading),
    text ? h("p", {}, text) : null,
    actions.length ? h("div", { class: "statement-actions", dataset: { row: "actions" } }, actions) : null,
  );
}
