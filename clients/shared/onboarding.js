// A new profile's first answers: a few titles that it likes, so that its first page is its own. A device asks the server
// once per profile whether they are wanted; home never waits long for that.

import { call } from "./api.js";
import { readSession } from "./session.js";
import { failureWords } from "./wording.js";

const MOST_PICKS = 10;
const KEY = "marquee.asked";
const WAIT_MS = 2500;
const MOST_REMEMBERED = 50;

/** The titles to pick from, or null when there is nothing to ask. Never rejects. */
export async function introductions(variables) {
  const profileId = readSession()?.profile?.id;
  if (!profileId || asked().includes(profileId)) return null;
  try {
    const { data } = await call("shared/onboarding", variables, { signal: AbortSignal.timeout(WAIT_MS) });
    const titles = (data.onboarding?.titles ?? []).filter(Boolean);
    if (data.onboarding?.isWanted && titles.length) return titles;
    if (data.onboarding) remember(profileId);
  } catch (error) {
    console.warn("onboarding:", error.message);
  }
  return null;
}

async function savePicks(titleIds) {
  const profileId = readSession()?.profile?.id;
  const { data } = await call("shared/save_onboarding_picks", { titleIds });
  const result = data.saveOnboardingPicks;
  if (profileId) remember(profileId);
  if (result.message) throw new Error(result.message);
}

/** What was picked so far, and its end. */
export class Picks {
  #ids = new Set();
  #isSent = false;

  constructor(app) {
    this.app = app;
  }

  get ids() {
    return [...this.#ids];
  }

  has(id) {
    return this.#ids.has(id);
  }

  /** Picks a title or takes it back; says so where there are as many as can be told. */
  toggle(id) {
    if (this.#ids.delete(id)) return;
    if (this.#ids.size < MOST_PICKS) this.#ids.add(id);
    else this.app.toast(`${MOST_PICKS} are enough to begin with.`);
  }

  /** Sends what was picked, or that nothing was, and goes home. */
  async finish({ skipped = false } = {}) {
    if (this.#isSent) return;
    this.#isSent = true;
    try {
      await savePicks(skipped ? [] : this.ids);
    } catch (error) {
      // Home is there without them, and asks again another time.
      this.app.toast(error.kind ? failureWords(error).heading : error.message);
    }
    this.app.showHome();
  }
}

function asked() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function remember(profileId) {
  localStorage.setItem(KEY, JSON.stringify([...asked().filter((id) => id !== profileId), profileId].slice(-MOST_REMEMBERED)));
}
