// Who is signed in on this device: tokens, the chosen profile, and the device's own id. Kept in localStorage so that
// a TV that was switched off comes back to where it was; every tab of the page reads the same values.

const KEY = "marquee.session";
const DEVICE_KEY = "marquee.device";

/** Fired on `sessionEvents` when the session ends without the viewer's wish (refresh refused). */
export const sessionEvents = new EventTarget();

/** {accessToken, refreshToken, profile|null, account} or null. */
export function readSession() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

/** Keeps what logIn, selectProfile or refreshSession answered. */
export function keepSession(session) {
  const { accessToken, refreshToken, account, profile } = session;
  localStorage.setItem(KEY, JSON.stringify({ accessToken, refreshToken, account, profile: profile ?? null }));
}

export function forgetSession({ announce = false } = {}) {
  localStorage.removeItem(KEY);
  if (announce) sessionEvents.dispatchEvent(new Event("ended"));
}

/** An id that this device keeps for good; stream limits and downloads count devices by it. */
export function deviceId() {
  let id = localStorage.getItem(DEVICE_KEY);
  if (!id) {
    id = `dev_${crypto.randomUUID()}`;
    localStorage.setItem(DEVICE_KEY, id);
  }
  return id;
}
