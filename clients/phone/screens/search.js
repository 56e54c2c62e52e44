// Search: completions while typing, results as posters.

import { call } from "../../shared/api.js";
import { h, icon, statement } from "../../shared/elements.js";
import { nodes } from "../../shared/titles.js";
import { count, failureWords } from "../../shared/wording.js";
import { posterCard } from "../cards.js";

const WAIT_MS = 220;

export function searchView(app) {
  const input = h("input", {
    type: "search",
    placeholder: "Films, series, people",
    "aria-label": "Search",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    maxlength: 60,
  });
  const clear = h("button", { class: "search-clear", type: "button", "aria-label": "Clear", hidden: true, onclick: () => take("") }, icon("close"));
  const form = h("form", { class: "search-box", role: "search" }, icon("search"), input, clear);
  const suggestions = h("ul", { class: "suggestions", "aria-label": "Suggestions" });
  const results = h("div", { class: "results", role: "region", "aria-label": "Results", "aria-live": "polite" }, invitation());
  const element = h("main", { class: "view search", "aria-label": "Search" }, h("header", { class: "search-header" }, form), suggestions, results);
  let waiting = null;
  let pending = null;

  function take(text) {
    input.value = text;
    onInput();
    input.focus();
  }

  function onInput() {
    clear.hidden = !input.value;
    clearTimeout(waiting);
    pending?.abort();
    if (input.value.trim()) {
      waiting = setTimeout(run, WAIT_MS);
    } else {
      suggestions.replaceChildren();
      results.replaceChildren(invitation());
    }
  }

  async function run() {
    pending = new AbortController();
    const { signal } = pending;
    const query = input.value.trim();
    call("shared/search_suggestions", { query }, { signal })
      .then(({ data }) => signal.aborted || showSuggestions(data.searchSuggestions, query))
      .catch(() => suggestions.replaceChildren());
    try {
      const { data } = await call("shared/search", { query, first: 21 }, { signal });
      if (!signal.aborted) showResults(data.search, query);
    } catch (error) {
      if (signal.aborted || error.kind === "signed-out") return;
      results.replaceChildren(statement({ ...failureWords(error), actions: [h("button", { class: "button is-primary", onclick: run }, "Try again")] }));
    }
  }

  function showSuggestions(found, query) {
    const others = found.filter((one) => one.text.toLowerCase() !== query.toLowerCase());
    suggestions.replaceChildren(
      ...others.map((one) => h("li", {}, h("button", { class: "suggestion", onclick: () => (one.title ? app.openTitle(one.title.id) : take(one.text)) }, icon("search"), h("span", {}, one.text)))),
    );
  }

  function showResults(found, query) {
    const titles = nodes(found);
    if (!titles.length) {
      return results.replaceChildren(statement({ sign: "search", heading: `Nothing found for “${query}”`, text: "Try fewer letters, another spelling, or a name." }));
    }
    results.replaceChildren(
      h("p", { class: "results-count" }, count(found.totalCount, "title")),
      h("div", { class: "poster-grid" }, titles.map((title) => posterCard(title, title.poster, () => app.openTitle(title.id)))),
    );
  }

  input.addEventListener("input", onInput);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    input.blur();
    suggestions.replaceChildren();
  });
  return { element, start() {} };
}

function invitation() {
  return h("p", { class: "quiet" }, "A name, a face, half a title, even with a slip of the finger.");
}
