// Search: completions while typing, results as posters that can be narrowed and ordered. While nothing is typed, genres
// to go to.

import { h, icon, statement } from "../../shared/elements.js";
import { cardOpened } from "../../shared/interactions.js";
import { browseGenres, MAX_QUERY, SORTS, TitleSearch } from "../../shared/title_search.js";
import { count, failureWords } from "../../shared/wording.js";
import { posterCard } from "../cards.js";

const AT_A_TIME = 21;
const SIGNS = { TITLE: "search", PERSON: "person", GENRE: "genre" };

export function searchView(app) {
  const search = new TitleSearch(AT_A_TIME, draw);
  const input = h("input", {
    type: "search",
    placeholder: "Films, series, people",
    "aria-label": "Search",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    maxlength: MAX_QUERY,
  });
  const clear = h("button", { class: "search-clear", type: "button", "aria-label": "Clear", hidden: true, onclick: () => take("") }, icon("close"));
  const form = h("form", { class: "search-box", role: "search" }, icon("search"), input, clear);
  const suggestions = h("ul", { class: "suggestions", "aria-label": "Suggestions" });
  const choices = h("div", { class: "choices", role: "group", "aria-label": "Narrow the results" });
  const results = h("div", { class: "results", role: "region", "aria-label": "Results", "aria-live": "polite" });
  const end = h("div", { class: "rows-end", "aria-hidden": "true" });
  const element = h("main", { class: "view search", "aria-label": "Search" }, h("header", { class: "search-header" }, form), suggestions, choices, results, end);
  let genres = [];
  let drawn = null;
  let isTyping = false;

  function take(text) {
    input.value = text;
    isTyping = true;
    search.type(text);
    input.focus();
  }

  function draw() {
    clear.hidden = !input.value;
    element.classList.toggle("is-busy", search.isBusy);
    // Once the results are what one wants to see, completions are in their way.
    suggestions.replaceChildren(...(isTyping ? search.suggestions.map(suggestion) : []));
    const hasResults = search.titles?.length || search.choices.length;
    const { scrollLeft } = choices;
    choices.replaceChildren(...(hasResults ? choiceButtons() : []));
    choices.scrollLeft = scrollLeft;
    drawResults();
  }

  function drawResults() {
    const content = search.text ? (search.error ?? search.titles) : genres;
    if (content === drawn) return;
    drawn = content;
    if (!search.text) return results.replaceChildren(...invitation());
    if (search.error) return results.replaceChildren(statement({ ...failureWords(search.error), actions: [h("button", { class: "button is-primary", onclick: () => search.retry() }, "Try again")] }));
    if (!content) return results.replaceChildren(h("div", { class: "poster-grid", "aria-hidden": "true" }, [1, 2, 3, 4, 5, 6].map(() => h("span", { class: "card poster skeleton" }))));
    if (!content.length) return results.replaceChildren(statement({ sign: "search", heading: `Nothing found for “${search.text}”`, text: search.choices.length ? "Take a choice back, or try fewer letters." : "Try fewer letters, another spelling, or a name." }));
    results.replaceChildren(
      h("p", { class: "results-count" }, count(search.totalCount, "title")),
      h("div", { class: "poster-grid" }, content.map((title) => posterCard(title, title.poster, () => open(title)))),
    );
  }

  function open(title) {
    cardOpened({ title, tracking: title.tracking });
    app.openTitle(title.id);
  }

  function suggestion(found) {
    const act = () => {
      if (found.title) return app.openTitle(found.title.id);
      if (found.genre) return app.openGenre(found.genre);
      take(found.text);
    };
    return h("li", {}, h("button", { class: "suggestion", onclick: act }, icon(SIGNS[found.kind] ?? "search"), h("span", {}, found.text)));
  }

  function choiceButtons() {
    const order = h("select", { class: "choice", "aria-label": "Order", onchange: () => search.sortBy(order.value) }, SORTS.map(({ sort, words }) => h("option", { value: sort, selected: sort === search.sort }, words)));
    const facets = search.choices.map((choice) =>
      h("button", { class: "choice", "aria-pressed": String(search.isChosen(choice)), onclick: () => search.choose(choice) }, choice.words, h("span", { class: "choice-count" }, String(choice.titleCount))),
    );
    return [order, ...facets];
  }

  function invitation() {
    const words = h("p", { class: "quiet" }, "A name, a face, half a title, even with a slip of the finger.");
    if (!genres.length) return [words];
    return [words, h("h2", { class: "genres-heading" }, "Or look around"), h("div", { class: "genres" }, genres.map((genre) => h("button", { class: "genre", onclick: () => app.openGenre(genre) }, genre.displayName)))];
  }

  input.addEventListener("input", () => {
    isTyping = true;
    search.type(input.value);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    isTyping = false;
    input.blur();
    draw();
  });
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && search.more(), { rootMargin: "600px" }).observe(end);

  return {
    element,
    async start() {
      draw();
      genres = await browseGenres();
      if (!search.text) draw();
    },
  };
}
