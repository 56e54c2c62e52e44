// Signing in: the demo's accounts by one touch, or any other.

import { DEMO_ACCOUNTS, DEMO_PASSWORD, signIn } from "../../shared/account.js";
import { h, wordmark } from "../../shared/elements.js";
import { failureWords } from "../../shared/wording.js";

export function signInView(app, sentence = "") {
  const message = h("p", { class: "form-message", role: "alert" }, sentence);
  const email = h("input", { type: "email", name: "email", placeholder: "E-mail", autocomplete: "username", "aria-label": "E-mail", required: true });
  const password = h("input", { type: "password", name: "password", placeholder: "Password", autocomplete: "current-password", "aria-label": "Password", required: true });
  let busy = false;

  async function attempt(address, secret) {
    if (busy) return;
    busy = true;
    message.textContent = "Signing in…";
    try {
      const refusal = await signIn(address, secret, { name: "Phone", formFactor: "PHONE" });
      if (!refusal) return app.goProfiles();
      message.textContent = refusal;
    } catch (error) {
      const words = failureWords(error);
      message.textContent = `${words.heading}. ${words.text}`;
    } finally {
      busy = false;
    }
  }

  const form = h("form", { class: "sign-in-form" }, email, password, h("button", { class: "button is-primary is-full", type: "submit" }, "Sign in"), message);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(email.value.trim(), password.value);
  });
  const cards = DEMO_ACCOUNTS.map((account) =>
    h(
      "button",
      { class: "account-card", dataset: { email: account.email }, onclick: () => attempt(account.email, DEMO_PASSWORD) },
      h("span", { class: "account-plan" }, account.plan),
      h("span", { class: "account-promise" }, account.promise),
    ),
  );
  const element = h(
    "main",
    { class: "view sign-in" },
    h("div", { class: "beam", "aria-hidden": "true" }),
    wordmark(),
    h("h1", {}, "The first hundred years of film, in your pocket."),
    h("p", { class: "lead" }, "Try a demo account"),
    h("div", { class: "account-cards" }, cards),
    h("p", { class: "or" }, h("span", {}, "or your own")),
    form,
  );
  return { element, start() {} };
}
