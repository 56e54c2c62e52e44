// Search with a remote control: a strip of letters, completions to take, results that follow every letter. A keyboard
// can be typed on too.

import { call } from "../../shared/api.js";
import { h, icon, statement } from "../../shared/elements.js";
import { nodes } from "../../shared/titles.js";
import { count, failureWords } from "../../shared/wording.js";
import { focusItem, itemsOf, slideTo } from "../focus.js";
import { followGrid, titleGrid } from "../title_grid.js";
import { topBar } from "../top_bar.js";
import { detailsScreen } from "./details.js";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
const WAIT_MS = 250;
const MAX_QUERY = 60;

export function searchScreen(app) {
  let query = "";
  let pending = null;
  let waiting = null;
  const line = h("p", { class: "query", role: "searchbox", "aria-label": "Search", "aria-live": "polite" });
  const suggestions = h("div", { class: "suggestions", dataset: { row: "suggestions" } });
  const summary = h("p", { class: "search-summary", role: "status" });
  const track = h("div", { class: "grid-track" });
  const grid = h("div", { class: "grid" }, track);
  const letters = h(
    "div",
    { class: "letters", dataset: { row: "letters" }, "aria-label": "Letters" },
    key("space", "Space", () => type(`${query} `)),
    LETTERS.map((letter) => key(letter, letter, () => type(query + letter))),
    key("delete", "Delete", () => type(query.slice(0, -1))),
  );
  const element = h("section", { class: "screen search", "aria-label": "Search" }, topBar(app, "SEARCH"), line, h("div", { class: "letters-window" }, letters), suggestions, summary, grid);
  followGrid(grid, track);

  function key(name, words, onclick) {
    return h("button", { class: `letter${words.length > 1 ? " is-wide" : ""}`, dataset: { item: "", letter: name }, onclick }, words);
  }

  function type(text) {
    query = text.replace(/^\s+/, "").replace(/\s{2,}/g, " ").slice(0, MAX_QUERY);
    drawQuery();
    clearTimeout(waiting);
    pending?.abort();
    if (!query.trim()) return show(null);
    waiting = setTimeout(search, WAIT_MS);
  }

  function drawQuery() {
    line.replaceChildren(icon("search"), query ? h("span", {}, query.replace(/ $/, "\u00a0")) : h("span", { class: "hint" }, "Films, series, people"), h("i", { class: "caret", "aria-hidden": "true" }));
  }

  async function search() {
    pending = new AbortController();
    const { signal } = pending;
    try {
      const [results, completions] = await Promise.all([
        call("shared/search", { query: query.trim(), first: 20 }, { signal }),
        // Completions are a courtesy: without them the results still come.
        call("shared/search_suggestions", { query: query.trim() }, { signal }).catch(() => null),
      ]);
      if (!signal.aborted) show(results.data.search, completions?.data.searchSuggestions ?? []);
    } catch (error) {
      if (signal.aborted || error.kind === "signed-out") return;
      const retry = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: search }, "Try again");
      track.replaceChildren(statement({ ...failureWords(error), actions: [retry] }));
    }
  }

  function show(found, completions = []) {
    const others = completions.filter((completion) => completion.text.toLowerCase() !== query.trim().toLowerCase());
    suggestions.replaceChildren(...others.map((completion) => h("button", { class: "suggestion", dataset: { item: "" }, onclick: () => takeSuggestion(completion.text) }, completion.text)));
    track.style.translate = "0 0";
    if (!found) {
      summary.textContent = "";
      return track.replaceChildren();
    }
    const titles = nodes(found);
    summary.textContent = titles.length ? count(found.totalCount, "title") : "";
    track.replaceChildren(
      ...(titles.length
        ? titleGrid(titles, (title) => app.open(detailsScreen(app, title.id, title)))
        : [statement({ sign: "search", heading: `Nothing found for “${query.trim()}”`, text: "Try fewer letters, another spelling, or a name." })]),
    );
  }

  function takeSuggestion(text) {
    type(text);
    focusItem(itemsOf(letters)[0]);
  }

  letters.addEventListener("itemfocus", ({ detail: { item } }) => slideTo(letters, item, letters.parentElement.clientWidth));
  drawQuery();

  return {
    element,
    start: () => focusItem(itemsOf(letters)[1]),
    leave: () => pending?.abort(),
    key(event) {
      const inLetters = letters.contains(document.activeElement);
      if (event.key === "Backspace" && query && inLetters) return type(query.slice(0, -1)), true;
      if (event.key.length === 1 && event.key !== " " && /[\p{L}\p{N}'.-]/u.test(event.key)) return type(query + event.key), true;
      return false;
    },
    resume() {
      app.changed = false;
    },
  };
}
