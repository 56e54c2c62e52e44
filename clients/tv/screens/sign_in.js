// Signing in: one press for each of the demo's accounts, or any other account with the keyboard.

import { DEMO_ACCOUNTS, DEMO_PASSWORD, signIn } from "../../shared/account.js";
import { h, wordmark } from "../../shared/elements.js";
import { failureWords } from "../../shared/wording.js";

const DEVICE = { name: "TV", formFactor: "TV" };

export function signInScreen(app, sentence = "") {
  const message = h("p", { class: "sign-in-message", role: "alert" }, sentence);
  let busy = false;

  async function attempt(email, password) {
    if (busy) return;
    busy = true;
    message.textContent = "Signing in…";
    try {
      const refusal = await signIn(email, password, DEVICE);
      if (!refusal) return app.goProfiles();
      message.textContent = refusal;
    } catch (error) {
      const words = failureWords(error);
      message.textContent = `${words.heading}. ${words.text}`;
    } finally {
      busy = false;
    }
  }

  const cards = DEMO_ACCOUNTS.map((account) =>
    h(
      "button",
      { class: "account-card", dataset: { item: "", email: account.email }, onclick: () => attempt(account.email, DEMO_PASSWORD) },
      h("span", { class: "account-plan" }, account.plan),
      h("span", { class: "account-promise" }, account.promise),
      h("span", { class: "account-note" }, account.note),
      h("span", { class: "account-email" }, account.email),
    ),
  );

  const element = h(
    "section",
    { class: "screen sign-in", "aria-label": "Sign in" },
    h("div", { class: "beam", "aria-hidden": "true" }),
    h("header", {}, wordmark()),
    h("h1", {}, "The first hundred years of film, tonight."),
    h("p", { class: "lead" }, "Choose one of the demo accounts, or sign in with your own."),
    h("div", { class: "account-cards", dataset: { row: "accounts" } }, cards),
    signInForm(attempt),
    message,
  );
  return { element, start() {} };
}

function signInForm(attempt) {
  const email = h("input", { type: "email", name: "email", placeholder: "E-mail", autocomplete: "username", "aria-label": "E-mail", dataset: { item: "" } });
  const password = h("input", {
    type: "password",
    name: "password",
    placeholder: "Password",
    autocomplete: "current-password",
    "aria-label": "Password",
    dataset: { item: "" },
  });
  const submit = h("button", { class: "button", type: "submit", dataset: { item: "" } }, "Sign in");
  const form = h("form", { class: "sign-in-form", novalidate: true, dataset: { row: "form" } }, email, password, submit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!email.value.trim()) return email.focus();
    if (!password.value) return password.focus();
    attempt(email.value.trim(), password.value);
  });
  return form;
}
