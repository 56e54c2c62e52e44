// A browsing page as this device holds it: its sections from the top, as many as were loaded. It goes on below, goes on
// along a row, and after the viewer did something takes over what differs. Screens draw `sections`, by their keys.

import { call } from "./api.js";

const MOST_AT_ONCE = 50;
// What was done reaches the page within a second.
const ASK_AGAIN_MS = 1500;

export class HeldPage {
  #formFactor;
  #wish;
  #turn = Promise.resolve();
  #asked = new Set();

  /** formFactor: tv | phone, whose operations are used; wish: () → {kind, device, genreId?}, asked at every load. */
  constructor(formFactor, wish) {
    this.#formFactor = formFactor;
    this.#wish = wish;
    /** In the page's order, as the graph gave them; a section's items grow as its row is gone along. */
    this.sections = [];
    this.revision = null;
  }

  get isLoaded() {
    return this.revision !== null;
  }

  /** Loads the page from the top, as far as it was held before. Resolves to the errors beside the data. */
  load() {
    return this.#inTurn(() => this.#load());
  }

  /** The next sections below. Resolves to whether anything changed. */
  loadMore() {
    return this.#once("sections", () => this.#more());
  }

  /** The next cards of a section, in the revision that it came with. Resolves to whether anything changed. */
  loadCards({ key }) {
    return this.#once(key, async () => {
      const section = this.sections.find((one) => one.key === key);
      const pageInfo = section?.items.pageInfo;
      if (!pageInfo?.hasNextPage) return false;
      const { data } = await this.#orAnew(() => call(`${this.#formFactor}/row`, { sectionId: section.id, after: pageInfo.endCursor }));
      if (!data) return true;
      section.items = { edges: [...section.items.edges, ...data.section.items.edges], pageInfo: data.section.items.pageInfo };
      return true;
    });
  }

  /** Takes over what is different now. Resolves to whether anything is; a page that is too old comes anew. */
  refresh() {
    return this.#inTurn(async () => {
      if (!this.isLoaded) return (await this.#load(), true);
      const { data } = await call(`${this.#formFactor}/refresh`, { pageId: this.id, revision: this.revision, sections: Math.min(MOST_AT_ONCE, this.sections.length), ...this.#depth() });
      const change = data.refreshPage;
      if (change.__typename !== "PageChange") return (await this.#load(), true);
      this.expiresAt = Date.parse(change.page.expiresAt) || Infinity;
      if (change.newRevision === this.revision) return false;
      this.#apply(change);
      // What came in above pushed as much out below, where the viewer may be.
      if (change.added.length) await this.#more().catch((error) => console.warn("page:", error.message));
      return true;
    });
  }

  /** As refresh, for a change that was only just made: what the page does not know yet is asked for once more. */
  async catchUp() {
    if (await this.refresh()) return true;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    return this.refresh();
  }

  /** Where a title stands now, as stopPlayback told: what follows from it alone is no change of the page. */
  putProgress({ id, progress }) {
    for (const section of this.sections) {
      const edges = section.items.edges.map((edge) => (edge.node?.title?.id === id ? { ...edge, node: { ...edge.node, title: { ...edge.node.title, progress } } } : edge));
      section.items = { ...section.items, edges };
    }
  }

  #apply(change) {
    const told = [...change.changed, ...change.added];
    const placed = new Map(told.map(({ section, position }) => [section.key, { section, position }]));
    for (const { key, position } of change.moved) {
      const section = this.sections.find((one) => one.key === key);
      if (section) placed.set(key, { section, position });
    }
    const gone = new Set([...change.removed, ...placed.keys()]);
    const sections = this.sections.filter((section) => !gone.has(section.key));
    for (const { section, position } of [...placed.values()].sort((one, other) => one.position - other.position)) sections.splice(position, 0, section);
    this.sections = sections;
    this.revision = change.newRevision;
    this.endCursor = change.endCursor;
  }

  async #more() {
    if (!this.endCursor) return false;
    const { data } = await this.#orAnew(() => call(`${this.#formFactor}/home`, { ...this.#wish(), after: this.endCursor }));
    if (!data) return true;
    const known = new Set(this.sections.map((section) => section.key));
    this.sections.push(...sectionsOf(data.page).filter((section) => !known.has(section.key)));
    this.endCursor = cursorOf(data.page.sections);
    return true;
  }

  async #load() {
    const held = this.sections.length;
    const { data, errors } = await call(`${this.#formFactor}/home`, { ...this.#wish(), ...(held ? { sections: Math.min(MOST_AT_ONCE, held), ...this.#depth() } : {}) });
    const { page } = data;
    Object.assign(this, { id: page.id, revision: page.revision, sections: sectionsOf(page), endCursor: cursorOf(page.sections) });
    this.expiresAt = Date.parse(page.expiresAt) || Infinity;
    return errors;
  }

  // Rows that were gone along come back as long as they were, so that the viewer's card is among them.
  #depth() {
    const longest = Math.max(0, ...this.sections.map((section) => section.items.edges.length));
    return longest > 1 ? { cards: Math.min(MOST_AT_ONCE, longest) } : {};
  }

  // A cursor of a page that is not kept any more: the page is loaded anew, and there is nothing to add to it.
  async #orAnew(ask) {
    try {
      return await ask();
    } catch (error) {
      if (!error.errors?.some((one) => one.extensions?.code === "PAGE_EXPIRED")) throw error;
      await this.#load();
      return {};
    }
  }

  // One thing at a time: two answers would be put into one another.
  #inTurn(work) {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => null);
    return turn;
  }

  // What is asked for already is not asked for again.
  async #once(what, work) {
    if (this.#asked.has(what)) return false;
    this.#asked.add(what);
    try {
      return await this.#inTurn(work);
    } finally {
      this.#asked.delete(what);
    }
  }
}

function sectionsOf(page) {
  return (page.sections.edges ?? []).map((edge) => edge?.node).filter(Boolean);
}

function cursorOf(connection) {
  return connection.pageInfo.hasNextPage ? connection.pageInfo.endCursor : null;
}
