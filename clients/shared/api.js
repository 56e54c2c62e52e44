// The one way to the graph. Operations are the texts in /operations, the same that the servers review and plan; an
// expired access token is refreshed once, for all calls that wait, and the call is tried again.

import { forgetSession, keepSession, readSession } from "./session.js";

const ENDPOINT = "/graphql";
const OPERATIONS = "/operations/";
const TIMEOUT_MS = 10_000;

/** A request that brought no data. kind: offline | timeout | signed-out | busy | failed. */
export class ApiError extends Error {
  constructor(kind, message, errors = []) {
    super(message);
    this.name = "ApiError";
    this.kind = kind;
    this.errors = errors;
  }
}

const texts = new Map();

function operationText(name) {
  if (!texts.has(name)) {
    const text = fetch(`${OPERATIONS}${name}.graphql`).then((response) => {
      if (!response.ok) throw new ApiError("failed", `The operation ${name} is missing (HTTP ${response.status}).`);
      return response.text();
    });
    // A text that failed to load is asked for again next time.
    text.catch(() => texts.delete(name));
    texts.set(name, text);
  }
  return texts.get(name);
}

/** Loads texts ahead, for operations that must go out while the page is closing. */
export function preloadOperations(...names) {
  return Promise.allSettled(names.map(operationText));
}

/**
 * Sends one operation, by its name below /operations ("tv/home").
 *
 * Resolves to {data, errors}: with errors beside data, parts of it are null and the page shows the rest. Rejects
 * with ApiError when there is no data at all. keepalive lets it outlive the page.
 */
export async function call(name, variables = {}, { signal, keepalive = false } = {}) {
  let query;
  try {
    query = await operationText(name);
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError("offline", "The page's operations cannot be loaded.");
  }
  const session = readSession();
  let answer = await send(query, variables, session?.accessToken, { signal, keepalive });
  if (answer.status === 401 && session) {
    const accessToken = await refresh(session);
    answer = await send(query, variables, accessToken, { signal, keepalive });
  }
  return read(answer);
}

async function send(query, variables, accessToken, { signal, keepalive }) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json, application/json;q=0.9" };
  if (accessToken) headers.authorization = `Bearer ${accessToken}`;
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers,
      body: JSON.stringify({ query, variables }),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      keepalive,
    });
    return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.json().catch(() => null) };
  } catch (error) {
    if (signal?.aborted) throw error;
    if (deadline.aborted) throw new ApiError("timeout", "No answer in time.");
    throw new ApiError("offline", "The network did not carry the request.");
  }
}

function read({ status, retryAfter, body }) {
  const errors = body?.errors ?? [];
  if (status === 401) {
    forgetSession({ announce: true });
    throw new ApiError("signed-out", "The session has ended.", errors);
  }
  if (status === 429) throw new ApiError("busy", `Please wait ${retryAfter ?? "a few"} seconds, then try again.`, errors);
  if (!body?.data) throw new ApiError("failed", errors[0]?.message ?? `HTTP ${status}`, errors);
  if (errors.length) console.warn(`${errors.length} part(s) of the answer failed:`, errors.map((error) => `${error.path?.join(".")}: ${error.message}`));
  return { data: body.data, errors };
}

let refreshing = null;

/** A fresh access token; one refresh at a time on this device, since a refresh token may be used only once. */
function refresh(stale) {
  refreshing ??= withLock(() => renew(stale)).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

function withLock(work) {
  return navigator.locks ? navigator.locks.request("marquee.refresh", work) : work();
}

async function renew(stale) {
  const current = readSession();
  // Another tab, or a call before this one, has already renewed it.
  if (current && current.accessToken !== stale.accessToken) return current.accessToken;
  const query = await operationText("shared/refresh");
  const { body } = await send(query, { input: { refreshToken: stale.refreshToken } }, null, {});
  const result = body?.data?.refreshSession;
  if (result?.__typename !== "RefreshSessionSuccess") {
    // No answer at all says nothing about the session; only a refusal ends it.
    if (!result) throw new ApiError("failed", "The session could not be renewed.", body?.errors ?? []);
    forgetSession({ announce: true });
    throw new ApiError("signed-out", "The session has ended.");
  }
  keepSession({ ...result.session, profile: result.session.profile ?? current?.profile ?? null });
  return result.session.accessToken;
}
