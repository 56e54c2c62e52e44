// What both pages do with one title: read its details, keep it in My List, rate it.

import { call } from "./api.js";

/**
 * The title with its details; null when it does not exist for this viewer. What a service that is away would have told
 * (canPlay, inMyList, rating, similar) is null. Rejects when the catalogue itself did not answer.
 */
export async function loadDetails(id, options) {
  const { data, errors } = await call("shared/details", { id, ...options });
  if (!data.title && errors.length) throw Object.assign(new Error("The title could not be loaded."), { kind: "failed" });
  return data.title;
}

/** The profile's list, newest first. Rejects when it failed to load: that is not the same as an empty list. */
export async function loadMyList(variables) {
  const { data, errors } = await call("shared/my_list", variables);
  const list = data.viewer?.profile?.myList;
  if (!list && errors.length) throw Object.assign(new Error("The list could not be loaded."), { kind: "failed" });
  return nodes(list);
}

/** Resolves to the new state, true when listed. Rejects with the sentence to show. */
export async function setInMyList(titleId, listed) {
  const { data } = await call(listed ? "shared/my_list_add" : "shared/my_list_remove", { titleId });
  const result = listed ? data.addToMyList : data.removeFromMyList;
  if (result.__typename !== "MyListSuccess") throw new Error(result.message);
  return result.title?.inMyList ?? listed;
}

/** stars 1 to 5, or null to take the rating back. Resolves to the stars kept, 0 for none. */
export async function rate(titleId, stars) {
  const { data } = await call("shared/rate", { titleId, stars });
  if (data.rateTitle.__typename !== "RateTitleSuccess") throw new Error(data.rateTitle.message);
  return data.rateTitle.title?.rating?.stars ?? stars ?? 0;
}

/** The items of a connection, without edges that failed. */
export function nodes(connection) {
  return (connection?.edges ?? []).map((edge) => edge?.node).filter(Boolean);
}

/** The id to press play on: a series plays the episode to go on with, else its first. */
export function playableId(title) {
  if (title.kind !== "SERIES") return title.id;
  const first = nodes(title.seasons).flatMap((season) => nodes(season.episodes))[0];
  return title.progress?.resumeTitle?.id ?? first?.id ?? title.id;
}
