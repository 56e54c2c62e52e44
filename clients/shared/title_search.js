// A search as somebody types it: waits for a pause, gives up answers that nobody waits for any more, and keeps what was
// found on the screen until there is something newer. Both pages draw what it holds.

import { call } from "./api.js";

export const MAX_QUERY = 60;
const PAUSE_MS = 220;
// Choices are counted when nobody is typing.
const SETTLED_MS = 450;
const SUGGESTIONS = 6;
const MOST_CHOICES = { genres: 8, decades: 5 };

/** The orders of results, as they are offered. */
export const SORTS = [
  { sort: "RELEVANCE", words: "Best match" },
  { sort: "POPULARITY", words: "Most popular" },
  { sort: "RELEASE_YEAR", words: "Newest" },
  { sort: "NAME", words: "A to Z" },
];
const KIND_WORDS = { MOVIE: "Films", SERIES: "Series", EPISODE: "Episodes", VIDEO: "Clips" };

export class TitleSearch {
  #first;
  #onchange;
  #timers = {};
  #pending = null;

  /** first: results at a time; onchange: called after every change of what is held. */
  constructor(first, onchange) {
    this.#first = first;
    this.#onchange = onchange;
    this.#forget("");
  }

  #forget(query) {
    Object.assign(this, { query, filter: {}, sort: "RELEVANCE", titles: null, totalCount: 0, suggestions: [], choices: [], endCursor: null, error: null, isBusy: false });
  }

  get text() {
    return this.query.trim();
  }

  /** What is in the field now. Another text is another search: choices that were made for the last one end. */
  type(text) {
    const query = text.replace(/^\s+/, "").replace(/\s{2,}/g, " ").slice(0, MAX_QUERY);
    if (query.trim() === this.text) {
      this.query = query;
      return this.#onchange();
    }
    this.#stop();
    if (!query.trim()) {
      this.#forget(query);
      return this.#onchange();
    }
    Object.assign(this, { query, filter: {}, sort: "RELEVANCE", choices: [], isBusy: true });
    this.#onchange();
    this.#timers.pause = setTimeout(() => this.#run({ withSuggestions: true }), PAUSE_MS);
  }

  /** Takes a choice, or takes it back; one of each facet at a time. */
  choose({ facet, value }) {
    this.filter = { ...this.filter, [facet]: this.filter[facet] === value ? undefined : value };
    this.#again();
  }

  sortBy(sort) {
    this.sort = sort;
    this.#again();
  }

  retry() {
    this.#again({ withSuggestions: true });
  }

  #again(how = {}) {
    this.#stop();
    this.isBusy = true;
    this.#onchange();
    return this.#run(how);
  }

  /** Further results; called as often as one likes. */
  async more() {
    const { endCursor, titles } = this;
    if (!endCursor || this.isBusy) return;
    this.endCursor = null;
    try {
      const { data } = await call("shared/search", { ...this.#variables(), after: endCursor }, { signal: this.#pending?.signal });
      if (this.titles !== titles) return;
      const known = new Set(titles.map((title) => title.id));
      this.titles = [...titles, ...hitsOf(data.search).filter((title) => !known.has(title.id))];
      this.endCursor = cursorOf(data.search);
      this.#onchange();
    } catch (error) {
      // What is there stays; coming near the end again asks again.
      if (this.titles === titles) this.endCursor = endCursor;
    }
  }

  /** Nobody looks any more. */
  stop() {
    this.#stop();
  }

  #stop() {
    Object.values(this.#timers).forEach(clearTimeout);
    this.#pending?.abort();
    this.#pending = null;
  }

  #variables() {
    return { query: this.text, filter: this.filter, sort: this.sort, first: this.#first };
  }

  async #run({ withSuggestions = false }) {
    this.#pending = new AbortController();
    const { signal } = this.#pending;
    if (withSuggestions) this.#suggest(signal);
    try {
      const { data } = await call("shared/search", this.#variables(), { signal });
      if (signal.aborted) return;
      Object.assign(this, { titles: hitsOf(data.search), totalCount: data.search.totalCount, endCursor: cursorOf(data.search), error: null, isBusy: false });
      this.#timers.settled = setTimeout(() => this.#count(signal), SETTLED_MS);
    } catch (error) {
      if (signal.aborted || error.kind === "signed-out") return;
      Object.assign(this, { titles: [], totalCount: 0, endCursor: null, choices: [], error, isBusy: false });
    }
    this.#onchange();
  }

  // Completions are a courtesy: without them the results still come.
  async #suggest(signal) {
    const query = this.text;
    try {
      const { data } = await call("shared/search_suggestions", { query, first: SUGGESTIONS }, { signal });
      if (signal.aborted) return;
      this.suggestions = data.searchSuggestions.filter((one) => one.kind !== "TITLE" || one.text.toLowerCase() !== query.toLowerCase());
      this.#onchange();
    } catch {
      if (!signal.aborted) this.suggestions = [];
    }
  }

  async #count(signal) {
    try {
      const { data } = await call("shared/search_facets", { query: this.text, filter: this.filter }, { signal });
      if (signal.aborted) return;
      this.choices = this.#choicesOf(data.search.facets);
      this.#onchange();
    } catch {
      // The results stand for themselves.
    }
  }

  // A facet with one value narrows nothing; one that was chosen stays to be taken back.
  #choicesOf({ kinds, genres, decades }) {
    const facets = [
      kinds.map(({ kind, titleCount }) => ({ facet: "kind", value: kind, words: KIND_WORDS[kind] ?? kind, titleCount })),
      genres.map(({ genre, titleCount }) => ({ facet: "genreId", value: genre.id, words: genre.displayName, titleCount })).slice(0, MOST_CHOICES.genres),
      mostOf(decades, MOST_CHOICES.decades).map(({ decade, titleCount }) => ({ facet: "decade", value: decade, words: `${decade}s`, titleCount })),
    ];
    return facets.flatMap((choices) => choices.filter((choice) => choices.length > 1 || this.isChosen(choice)));
  }

  isChosen({ facet, value }) {
    return this.filter[facet] === value;
  }
}

// The fullest decades, in the order of time.
function mostOf(decades, count) {
  const fullest = [...decades].sort((one, other) => other.titleCount - one.titleCount).slice(0, count);
  return fullest.sort((one, other) => other.decade - one.decade);
}

// Titles, with what is told to the server when one is opened.
function hitsOf({ edges }) {
  return edges.filter(({ node }) => node).map(({ node, tracking }) => ({ ...node, tracking }));
}

function cursorOf({ pageInfo }) {
  return pageInfo.hasNextPage ? pageInfo.endCursor : null;
}

/** Genres to go to while nothing is typed. Resolves to none when they did not come. */
export async function browseGenres() {
  return call("shared/genres").then(
    ({ data }) => data.genres,
    () => [],
  );
}
