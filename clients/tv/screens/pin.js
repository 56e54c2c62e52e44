// The PIN of a profile: a keypad for the remote control; a keyboard's or a remote's digits work as well. The last digit
// sends it.

import { chooseProfile } from "../../shared/account.js";
import { avatar, h, wordmark } from "../../shared/elements.js";
import { failureWords, profileRefusal } from "../../shared/wording.js";

const LENGTH = 4;
const KEYS = [
  ["1", "2", "3"],
  ["4", "5", "6"],
  ["7", "8", "9"],
  ["delete", "0", "cancel"],
];
const WORDS = { delete: "Delete", cancel: "Cancel" };

/** wanted: the profile to choose; guard: the one whose PIN is asked for. */
export function pinScreen(app, wanted, guard = wanted) {
  let digits = "";
  let busy = false;
  const dots = h("div", { class: "pin-dots", role: "img" });
  const message = h("p", { class: "pin-message", role: "alert" });
  const pad = KEYS.map((row) => h("div", { class: "pin-row", dataset: { row: "grid" } }, row.map(padKey)));
  const element = h(
    "section",
    { class: "screen profiles pin", "aria-label": `PIN of ${guard.name}` },
    h("header", {}, wordmark()),
    h("div", { class: "profiles-body" }, avatar(guard), h("h1", {}, `PIN of ${guard.name}`), dots, message, pad),
  );

  function padKey(name) {
    return h("button", { class: `pin-key${WORDS[name] ? " is-word" : ""}`, dataset: { item: "", key: name }, onclick: () => press(name) }, WORDS[name] ?? name);
  }

  function press(name) {
    if (name === "cancel") return app.back();
    if (busy) return;
    if (name !== "delete") message.textContent = "";
    digits = name === "delete" ? digits.slice(0, -1) : digits + name;
    draw();
    if (digits.length === LENGTH) send();
  }

  function draw() {
    // The digits themselves are never on the screen: others are in the room.
    dots.replaceChildren(...Array.from({ length: LENGTH }, (_, place) => h("i", { class: place < digits.length ? "is-given" : "" })));
    dots.setAttribute("aria-label", `${digits.length} of ${LENGTH} digits`);
  }

  async function send() {
    busy = true;
    try {
      const refusal = await chooseProfile(wanted.id, digits);
      if (!app.isCurrent(screen)) return;
      if (!refusal) return app.enter();
      message.textContent = profileRefusal(refusal);
    } catch (error) {
      const words = failureWords(error);
      message.textContent = `${words.heading}. ${words.text}`;
    } finally {
      busy = false;
      digits = "";
      draw();
    }
  }

  draw();
  const screen = {
    element,
    start() {},
    key(event) {
      const isDigit = /^[0-9]$/.test(event.key);
      if (!isDigit && !(event.key === "Backspace" && digits)) return false;
      press(isDigit ? event.key : "delete");
      return true;
    },
  };
  return screen;
}
