// Who is watching.

import { chooseProfile, loadViewer, signOut } from "../../shared/account.js";
import { avatar, h, statement, wordmark } from "../../shared/elements.js";
import { failureWords } from "../../shared/wording.js";

export function profilesView(app) {
  const body = h("div", { class: "profiles-body" }, h("span", { class: "spinner", role: "progressbar", "aria-label": "Loading" }));
  const element = h("main", { class: "view profiles" }, wordmark(), body);

  async function pick(profile) {
    try {
      const refusal = await chooseProfile(profile.id);
      if (refusal) app.toast(refusal);
      else app.enter();
    } catch (error) {
      app.toast(failureWords(error).heading);
    }
  }

  async function start() {
    try {
      const viewer = await loadViewer();
      if (!viewer) return app.goSignIn();
      body.replaceChildren(
        h("h1", {}, "Who’s watching?"),
        h(
          "div",
          { class: "profile-cards" },
          viewer.account.profiles.map((profile) =>
            h(
              "button",
              { class: "profile-card", dataset: { profile: profile.id }, onclick: () => pick(profile) },
              avatar(profile),
              h("span", {}, profile.name),
              profile.isKids ? h("span", { class: "kids-badge" }, "Kids") : null,
            ),
          ),
        ),
        h("p", { class: "profiles-account" }, `${viewer.account.email} · ${viewer.account.plan.displayName}`),
        h("button", { class: "button is-quiet", onclick: () => signOut().then(() => app.goSignIn()) }, "Sign out"),
      );
    } catch (error) {
      if (error.kind === "signed-out") return;
      body.replaceChildren(statement({ ...failureWords(error), actions: [h("button", { class: "button is-primary", onclick: start }, "Try again")] }));
    }
  }

  return { element, start };
}
