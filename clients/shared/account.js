// Signing in and choosing a profile, as steps that both pages share.

import { call } from "./api.js";
import { deviceId, forgetSession, keepSession, readSession } from "./session.js";

/** The demo's accounts; its password is public, as everything in the demo is. */
export const DEMO_PASSWORD = "popcorn-time";
export const DEMO_ACCOUNTS = [
  { email: "premium@marquee.example", plan: "Premium", promise: "4K · 4 screens", note: "Three profiles, one of them for kids" },
  { email: "standard@marquee.example", plan: "Standard", promise: "Full HD · 2 screens", note: "For a household of two" },
  { email: "basic@marquee.example", plan: "Basic", promise: "SD · 1 screen", note: "One screen, everything on it" },
];

/** null when signed in, else the sentence to show. device: {name, formFactor}, as the account's holder sees it in the list of devices. */
export async function signIn(email, password, device) {
  const { data } = await call("shared/log_in", { input: { email, password, deviceName: device.name, device: { id: deviceId(), ...device } } });
  const result = data.logIn;
  if (result.__typename === "LogInSuccess") {
    keepSession(result.session);
    return null;
  }
  if (result.__typename === "RateLimited") return `Too many tries. Wait ${result.retryAfterSeconds} seconds, then try again.`;
  return "That e-mail and password don’t match. Check both and try again.";
}

/**
 * null when the profile is chosen, else {kind, message, profileId}: kind is PinRequired, PinIncorrect or PinLocked where
 * a PIN is in the way, that of profileId; a kids profile's PIN also guards the way out of it.
 */
export async function chooseProfile(profileId, pin = null) {
  const session = readSession();
  const input = { profileId, refreshToken: session?.refreshToken ?? null, pin };
  const { data } = await call("shared/select_profile", { input });
  const result = data.selectProfile;
  if (result.__typename !== "SelectProfileSuccess") return { kind: result.__typename, ...result };
  keepSession({ ...result.session, profile: result.session.profile });
  return null;
}

/** The account's profiles and plan, or null when nobody is signed in. */
export async function loadViewer() {
  const { data } = await call("shared/viewer");
  return data.viewer;
}

/** Forgets the session here at once; the server is told, and need not answer for it to count. */
export async function signOut() {
  const ending = call("shared/log_out").catch(() => null);
  await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, 1500))]);
  forgetSession();
}
