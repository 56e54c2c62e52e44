// Who is watching: the account's profiles, and the way out.

import { chooseProfile, loadViewer, signOut } from "../../shared/account.js";
import { avatar, h, icon, statement, wordmark } from "../../shared/elements.js";
import { failureWords, profileRefusal } from "../../shared/wording.js";
import { focusItem, rememberedItem, rowsOf } from "../focus.js";
import { pinScreen } from "./pin.js";

export function profilesScreen(app) {
  const body = h("div", { class: "profiles-body" }, skeleton());
  const element = h("section", { class: "screen profiles", "aria-label": "Who is watching?" }, h("header", {}, wordmark()), body);

  async function pick(profile, profiles) {
    if (profile.hasPin) return app.open(pinScreen(app, profile));
    try {
      const refusal = await chooseProfile(profile.id);
      if (!refusal) return app.enter();
      // The PIN may be new, or that of the kids profile which is left by this.
      if (refusal.kind !== "PinRequired") return app.toast(profileRefusal(refusal));
      app.open(pinScreen(app, profile, profiles.find((one) => one.id === refusal.profileId)));
    } catch (error) {
      app.toast(failureWords(error).heading);
    }
  }

  function show(viewer) {
    const cards = viewer.account.profiles.map((profile) =>
      h(
        "button",
        { class: "profile-card", dataset: { item: "", profile: profile.id }, onclick: () => pick(profile, viewer.account.profiles) },
        avatar(profile),
        h("span", { class: "profile-name" }, profile.name),
        profile.isKids ? h("span", { class: "kids-badge" }, "Kids") : null,
        profile.hasPin ? h("span", { class: "profile-lock" }, icon("lock"), "PIN") : null,
      ),
    );
    const leave = h("button", { class: "button is-quiet", dataset: { item: "" }, onclick: () => signOut().then(() => app.goSignIn()) }, "Sign out");
    body.replaceChildren(
      h("h1", {}, "Who’s watching?"),
      h("div", { class: "profile-cards", dataset: { row: "profiles" } }, cards),
      h("p", { class: "profiles-account" }, `${viewer.account.email} · ${viewer.account.plan.displayName}`),
      h("div", { dataset: { row: "leave" } }, leave),
    );
  }

  async function start() {
    try {
      const viewer = await loadViewer();
      if (!viewer) return app.goSignIn();
      show(viewer);
    } catch (error) {
      if (error.kind === "signed-out") return;
      const retry = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: start }, "Try again");
      body.replaceChildren(statement({ ...failureWords(error), actions: [retry] }));
    }
    focusItem(rememberedItem(rowsOf(element)[0]));
  }

  return { element, start };
}

function skeleton() {
  return h("div", { class: "profile-cards", "aria-hidden": "true" }, [1, 2, 3].map(() => h("span", { class: "avatar skeleton" })));
}
