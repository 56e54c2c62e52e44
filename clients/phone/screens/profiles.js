// Who is watching.

import { chooseProfile, loadViewer, signOut } from "../../shared/account.js";
import { avatar, h, statement, wordmark } from "../../shared/elements.js";
import { failureWords, profileRefusal } from "../../shared/wording.js";

export function profilesView(app) {
  const body = h("div", { class: "profiles-body" }, h("span", { class: "spinner", role: "progressbar", "aria-label": "Loading" }));
  const element = h("main", { class: "view profiles" }, wordmark(), body);

  async function pick(profile, profiles, pin = null) {
    try {
      const refusal = await chooseProfile(profile.id, pin);
      if (!refusal) return app.enter();
      if (refusal.kind === "PinRequired") return askPin(profile, profiles, profiles.find((one) => one.id === refusal.profileId) ?? profile);
      app.toast(profileRefusal(refusal));
    } catch (error) {
      app.toast(failureWords(error).heading);
    }
  }

  function askPin(profile, profiles, guard) {
    const field = h("input", { type: "password", inputmode: "numeric", autocomplete: "off", maxlength: 4, "aria-label": `PIN of ${guard.name}` });
    // The fourth digit sends it.
    field.addEventListener("input", () => {
      field.value = field.value.replace(/[^0-9]/g, "");
      if (field.value.length < 4) return;
      const pin = field.value;
      field.value = "";
      pick(profile, profiles, pin);
    });
    body.replaceChildren(
      h("div", { class: "pin-form" }, avatar(guard), h("h1", {}, `PIN of ${guard.name}`), field, h("button", { class: "button is-quiet", onclick: start }, "Cancel")),
    );
    field.focus();
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
              { class: "profile-card", dataset: { profile: profile.id }, onclick: () => pick(profile, viewer.account.profiles) },
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
