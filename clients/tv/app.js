// The TV page: a stack of screens, one remote control. A screen is {element, start(), entry?() → the item for the first
// focus, key?(event) → handled, resume?(), leave?()}; opening one pushes it, Back pops it and the screen below has its
// focus as it was.

import { loadViewer } from "../shared/account.js";
import { decoded } from "../shared/address.js";
import { readSession, sessionEvents } from "../shared/session.js";
import { failureWords } from "../shared/wording.js";
import { h, statement } from "../shared/elements.js";
import { introductions } from "../shared/onboarding.js";
import { focusItem, moveFocus, rememberedItem, rowsOf } from "./focus.js";
import { detailsScreen } from "./screens/details.js";
import { homeScreen } from "./screens/home.js";
import { onboardingScreen } from "./screens/onboarding.js";
import { profilesScreen } from "./screens/profiles.js";
import { signInScreen } from "./screens/sign_in.js";

const stage = document.getElementById("stage");
const toastLine = document.getElementById("toast");
const stack = [];

const DIRECTIONS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
// Escape and Backspace on a keyboard; the rest are what TV platforms send for the remote's Back key.
const BACK_KEYS = new Set(["Escape", "Backspace", "GoBack", "BrowserBack", "XF86Back"]);
const BACK_KEY_CODES = new Set([461, 10009]);

/** What every screen gets to reach the others. */
export const app = {
  /** Counts what the viewer did that screens show: each of them knows up to which number it has seen. */
  changes: 0,
  /** The end of the film that was left last: resolves to the title and where it stands, or to nothing. */
  leaving: Promise.resolve(),

  /** Opens a screen above the current one. */
  open(screen) {
    const below = stack.at(-1);
    if (below) {
      below.lastFocus = document.activeElement?.closest("[data-item]") ?? below.lastFocus;
      below.element.inert = true;
      below.element.classList.add("is-below");
    }
    stack.push(screen);
    stage.append(screen.element);
    enter(screen);
  },

  /** Leaves the current screen; false when it is the last one. */
  back() {
    if (stack.length < 2) return false;
    const screen = stack.pop();
    screen.leave?.();
    screen.element.remove();
    const below = stack.at(-1);
    below.element.inert = false;
    below.element.classList.remove("is-below");
    if (below.lastFocus?.isConnected) focusItem(below.lastFocus);
    else focusItem(below.entry?.() ?? rememberedItem(rowsOf(below.element)[0]));
    if (below.resume) afterLeaving().then((left) => app.isCurrent(below) && below.resume(left));
    return true;
  },

  /** Puts one screen in the place of all. */
  reset(screen) {
    for (const old of stack.splice(0)) {
      old.leave?.();
      old.element.remove();
    }
    app.open(screen);
  },

  /** Puts one screen in the place of the current one. */
  replace(screen) {
    const old = stack.pop();
    old?.leave?.();
    old?.element.remove();
    stack.push(screen);
    stage.append(screen.element);
    enter(screen);
  },

  /** A line at the foot of the screen, gone after some seconds. */
  toast(text) {
    toastLine.textContent = text;
    toastLine.classList.add("is-shown");
    clearTimeout(app.toastTimer);
    app.toastTimer = setTimeout(() => toastLine.classList.remove("is-shown"), 4500);
  },

  /** Is this screen the one that the viewer sees? */
  isCurrent: (screen) => stack.at(-1) === screen,

  /** After a profile was chosen: a new one is asked what it likes first. */
  async enter() {
    const titles = await introductions();
    if (!titles) return app.showHome();
    document.documentElement.dataset.kids = String(Boolean(readSession()?.profile?.isKids));
    app.reset(onboardingScreen(app, titles));
  },
  showHome() {
    document.documentElement.dataset.kids = String(Boolean(readSession()?.profile?.isKids));
    app.reset(homeScreen(app));
    openAddressed();
  },
  goProfiles() {
    document.documentElement.dataset.kids = "false";
    app.reset(profilesScreen(app));
  },
  goSignIn(sentence) {
    document.documentElement.dataset.kids = "false";
    app.reset(signInScreen(app, sentence));
  },
};

// A film that was just left says where it ended; what is loaded next should know it, but not wait for long. Resolves as
// app.leaving does, or to nothing when it takes too long.
function afterLeaving() {
  return Promise.race([app.leaving, new Promise((resolve) => setTimeout(resolve, 1500))]);
}

// A start may wait for data; a screen that was left meanwhile must not take the focus.
async function enter(screen) {
  // One stream ends before the next begins: a plan may allow only one.
  await afterLeaving();
  if (!stack.includes(screen)) return;
  await screen.start();
  if (app.isCurrent(screen) && !screen.element.contains(document.activeElement)) focusItem(rememberedItem(rowsOf(screen.element)[0]));
}

function onKeyDown(event) {
  const screen = stack.at(-1);
  if (!screen || event.altKey || event.ctrlKey || event.metaKey) return;
  if (screen.key?.(event)) return event.preventDefault();
  const typing = event.target instanceof HTMLInputElement;
  const direction = DIRECTIONS[event.key];
  // In a field with text, left and right belong to its caret.
  const caret = typing && event.target.value && (direction === "left" || direction === "right");
  if (direction && !caret) {
    moveFocus(screen.element, direction);
    return event.preventDefault();
  }
  const isBack = BACK_KEYS.has(event.key) || BACK_KEY_CODES.has(event.keyCode);
  if (isBack && !(typing && event.key === "Backspace" && event.target.value)) {
    if (!app.back()) backAtTheTop(screen);
    event.preventDefault();
  }
}

// Where there is nothing to go back to: first up to the places, then home.
function backAtTheTop(screen) {
  const places = screen.element.querySelector(".top-bar");
  if (!places) return;
  const current = places.querySelector('[aria-current="page"]');
  if (!places.contains(document.activeElement)) focusItem(current);
  else if (current?.dataset.place !== "HOME") app.showHome();
}

/** A screen with nothing but what went wrong and a way on. */
export function failureScreen(error, retry) {
  const words = failureWords(error);
  const button = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: retry }, "Try again");
  return { element: h("section", { class: "screen failure-screen" }, statement({ ...words, actions: [button] })), start() {} };
}

// An address of the form #/title/ID opens that title above home, once; a link from elsewhere may carry it.
function openAddressed() {
  const [, place, id] = location.hash.split("/");
  if (place !== "title" || !id) return;
  history.replaceState(null, "", "#/");
  app.open(detailsScreen(app, decoded(id)));
}

async function begin() {
  const session = readSession();
  if (!session) return app.goSignIn();
  if (session.profile) return app.showHome();
  try {
    return (await loadViewer()) ? app.goProfiles() : app.goSignIn();
  } catch (error) {
    return error.kind === "signed-out" ? app.goSignIn() : app.reset(failureScreen(error, begin));
  }
}

addEventListener("keydown", onKeyDown);
addEventListener("hashchange", () => readSession()?.profile && openAddressed());
// Pointing works as well: what is clicked gets the focus first.
stage.addEventListener("pointerdown", (event) => {
  const item = event.target.closest("[data-item]");
  if (item && !(item instanceof HTMLInputElement)) focusItem(item);
});
sessionEvents.addEventListener("ended", () => app.goSignIn("You have been signed out. Sign in again to go on where you stopped."));
begin();
