// What was on the screen and what was opened, told to the server in batches. A card counts as shown when most of it was
// in sight for a moment, once per place on a page. Nothing is told of kids profiles.

import { call, preloadOperations } from "./api.js";
import { readSession } from "./session.js";

const IN_SIGHT = 0.6;
const DWELL_MS = 800;
const EVERY_MS = 5_000;
const MOST_AT_ONCE = 50;
const MOST_WAITING = 300;
// A TV may stay on for weeks.
const MOST_REMEMBERED = 5_000;

const cards = new WeakMap();
const dwelling = new Map();
let told = new Set();
let toldOf = null;
let waiting = [];
let timer = null;

const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(dwelling.get(target));
      dwelling.delete(target);
      if (isIntersecting) dwelling.set(target, setTimeout(() => shown(target), DWELL_MS));
    }
  },
  { threshold: IN_SIGHT },
);

/** Watches a card's element until it is gone. card: {tracking, title: {id}} as the page gave it. */
export function watchCard(element, card) {
  if (!card.tracking) return;
  cards.set(element, card);
  observer.observe(element);
}

/** The viewer opened a card. */
export function cardOpened(card) {
  if (card.tracking) tell("OPENED", card);
}

function shown(element) {
  dwelling.delete(element);
  observer.unobserve(element);
  if (!element.isConnected) return;
  const card = cards.get(element);
  const key = `${card.title.id} ${card.tracking}`;
  // Each profile's own: the next one to watch on this screen has seen nothing yet.
  const profile = readSession()?.profile?.id ?? null;
  if (profile !== toldOf || told.size >= MOST_REMEMBERED) [told, toldOf] = [new Set(), profile];
  if (told.has(key)) return;
  told.add(key);
  tell("SHOWN", card);
}

function tell(kind, card) {
  const profile = readSession()?.profile;
  if (!profile || profile.isKids) return;
  waiting.push({ profileId: profile.id, interaction: { kind, titleId: card.title.id, tracking: card.tracking } });
  // While the server is away, the oldest are given up.
  waiting = waiting.slice(-MOST_WAITING);
  timer ??= setTimeout(send, EVERY_MS);
}

/** Sends what waits; the rest of a long list in its own turn. */
async function send({ keepalive = false } = {}) {
  clearTimeout(timer);
  timer = null;
  const profileId = readSession()?.profile?.id;
  // What was not told before another profile was chosen is nobody's any more.
  const own = waiting.filter((one) => one.profileId === profileId);
  const batch = own.slice(0, MOST_AT_ONCE);
  waiting = own.slice(MOST_AT_ONCE);
  if (!batch.length) return;
  if (waiting.length) timer = setTimeout(send, 0);
  try {
    const { data } = await call("shared/report_interactions", { interactions: batch.map((one) => one.interaction) }, { keepalive });
    if (data.reportInteractions.message) console.warn("interactions:", data.reportInteractions.message);
  } catch (error) {
    if (["offline", "timeout", "busy"].includes(error.kind)) waiting = [...batch, ...waiting];
    else console.warn("interactions:", error.message);
  }
}

addEventListener("pagehide", () => send({ keepalive: true }));
preloadOperations("shared/report_interactions");
