// Search with a remote control: a strip of letters, completions to take, results that follow every letter and can be
// narrowed. A keyboard can be typed on too. While nothing is typed, genres to go to.

import { h, icon, statement } from "../../shared/elements.js";
import { cardOpened } from "../../shared/interactions.js";
import { browseGenres, SORTS, TitleSearch } from "../../shared/title_search.js";
import { count, failureWords } from "../../shared/wording.js";
import { focusItem, itemsOf, slideTo } from "../focus.js";
import { followGrid, titleGrid } from "../title_grid.js";
import { topBar } from "../top_bar.js";
import { detailsScreen } from "./details.js";
import { homeScreen } from "./home.js";
import { personScreen } from "./person.js";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
const AT_A_TIME = 20;
const ROWS_AHEAD = 2;
const SIGNS = { TITLE: "search", PERSON: "person", GENRE: "genre" };

export function searchScreen(app) {
  const search = new TitleSearch(AT_A_TIME, draw);
  const line = h("p", { class: "query", role: "searchbox", "aria-label": "Search", "aria-live": "polite" });
  const suggestions = h("div", { class: "suggestions", dataset: { row: "suggestions" }, "aria-label": "Suggestions" });
  const choices = h("div", { class: "choices", dataset: { row: "choices" }, "aria-label": "Narrow the results" });
  const summary = h("p", { class: "search-summary", role: "status" });
  const track = h("div", { class: "grid-track" });
  const grid = h("div", { class: "grid" }, track);
  const letters = h(
    "div",
    { class: "letters", dataset: { row: "letters" }, "aria-label": "Letters" },
    key("space", "Space", () => search.type(`${search.query} `)),
    LETTERS.map((letter) => key(letter, letter, () => search.type(search.query + letter))),
    key("delete", "Delete", () => search.type(search.query.slice(0, -1))),
  );
  const element = h(
    "section",
    { class: "screen search", "aria-label": "Search" },
    topBar(app, "SEARCH"),
    h("div", { class: "search-head" }, line, h("div", { class: "strip" }, letters), h("div", { class: "strip" }, suggestions), h("div", { class: "strip" }, choices), summary),
    grid,
  );
  let genres = [];
  let drawn = null;
  followGrid(grid, track);

  function key(name, words, onclick) {
    return h("button", { class: `letter${words.length > 1 ? " is-wide" : ""}`, dataset: { item: "", letter: name }, "aria-label": words.length > 1 ? words : name.toUpperCase(), onclick }, words);
  }

  function draw() {
    const held = nameOf(document.activeElement);
    line.replaceChildren(icon("search"), search.query ? h("span", {}, search.query.replace(/ $/, "\u00a0")) : h("span", { class: "hint" }, "Films, series, people"), h("i", { class: "caret", "aria-hidden": "true" }));
    suggestions.replaceChildren(...search.suggestions.map(suggestion));
    choices.replaceChildren(...(search.titles?.length || search.choices.length ? choiceButtons() : []));
    element.classList.toggle("is-busy", search.isBusy);
    drawResults();
    restore(held);
  }

  function drawResults() {
    summary.textContent = search.titles?.length ? count(search.totalCount, "title") : "";
    const content = search.text ? (search.error ?? search.titles) : genres;
    if (content === drawn) return;
    // Results that only grew keep their place.
    const grew = Array.isArray(drawn) && Array.isArray(content) && drawn.length && drawn.every((title, place) => content[place] === title);
    drawn = content;
    if (!grew) track.style.translate = "0 0";
    if (!search.text) return track.replaceChildren(...genreRows());
    if (search.error) return track.replaceChildren(statement({ ...failureWords(search.error), actions: [h("button", { class: "button is-primary", dataset: { item: "", name: "retry" }, onclick: () => search.retry() }, "Try again")] }));
    if (!content) return track.replaceChildren(h("span", { class: "spinner", role: "progressbar", "aria-label": "Searching" }));
    if (!content.length) return track.replaceChildren(statement({ sign: "search", heading: `Nothing found for “${search.text}”`, text: search.choices.length ? "Take a choice back, or try fewer letters." : "Try fewer letters, another spelling, or a name." }));
    const rows = titleGrid(content, open);
    track.replaceChildren(...rows);
  }

  function open(title) {
    cardOpened({ title, tracking: title.tracking });
    app.open(detailsScreen(app, title.id, title));
  }

  function suggestion(found) {
    return h("button", { class: "suggestion", dataset: { item: "", name: `suggestion ${found.text}` }, onclick: () => take(found) }, icon(SIGNS[found.kind] ?? "search"), found.text);
  }

  function take({ text, person, genre }) {
    if (person) return app.open(personScreen(app, person));
    if (genre) return app.open(homeScreen(app, "GENRE", genre));
    search.type(text);
    focusItem(itemsOf(letters)[1]);
  }

  function choiceButtons() {
    const at = SORTS.findIndex(({ sort }) => sort === search.sort);
    const next = SORTS[(at + 1) % SORTS.length];
    const order = h("button", { class: "choice is-order", dataset: { item: "", name: "order" }, "aria-label": `Order: ${SORTS[at].words}. Change to ${next.words}`, onclick: () => search.sortBy(next.sort) }, icon("order"), SORTS[at].words);
    const facets = search.choices.map((choice) =>
      h(
        "button",
        { class: "choice", dataset: { item: "", name: `choice ${choice.value}` }, "aria-pressed": String(search.isChosen(choice)), onclick: () => search.choose(choice) },
        choice.words,
        h("span", { class: "choice-count" }, String(choice.titleCount)),
      ),
    );
    return [order, ...facets];
  }

  function genreRows() {
    if (!genres.length) return [];
    const chips = genres.map((genre) => h("button", { class: "genre", dataset: { item: "", name: `genre ${genre.id}` }, onclick: () => app.open(homeScreen(app, "GENRE", genre)) }, genre.displayName));
    const rows = [];
    for (let start = 0; start < chips.length; start += 5) rows.push(h("div", { class: "grid-row", dataset: { row: "grid" } }, chips.slice(start, start + 5)));
    return [h("h2", { class: "grid-heading" }, "Or look around"), ...rows];
  }

  // What has the focus may be drawn again under the viewer.
  function restore(name) {
    if (!app.isCurrent(screen) || !name || element.contains(document.activeElement)) return;
    const same = [...element.querySelectorAll("[data-item]")].find((item) => nameOf(item) === name);
    focusItem(same ?? itemsOf(choices)[0] ?? itemsOf(letters)[1]);
  }

  function nameOf(item) {
    return element.contains(item) ? (item.dataset.name ?? item.dataset.letter ?? item.dataset.title ?? "elsewhere") : null;
  }

  for (const strip of [letters, suggestions, choices]) strip.addEventListener("itemfocus", ({ detail: { item } }) => slideTo(strip, item, strip.parentElement.clientWidth));
  grid.addEventListener("itemfocus", ({ detail: { row } }) => {
    const rows = [...track.querySelectorAll(".grid-row")];
    if (rows.indexOf(row) >= rows.length - ROWS_AHEAD) search.more();
  });

  const screen = {
    element,
    async start() {
      draw();
      focusItem(itemsOf(letters)[1]);
      genres = await browseGenres();
      if (element.isConnected && !search.text) draw();
    },
    leave: () => search.stop(),
    key(event) {
      const inLetters = letters.contains(document.activeElement);
      if (event.key === "Backspace" && search.query && inLetters) return search.type(search.query.slice(0, -1)), true;
      // A typed space would press the letter that has the focus.
      if (event.key === " " && inLetters) return search.type(`${search.query} `), true;
      if (event.key.length === 1 && /[\p{L}\p{N}'.-]/u.test(event.key)) return search.type(search.query + event.key), true;
      return false;
    },
  };
  return screen;
}
