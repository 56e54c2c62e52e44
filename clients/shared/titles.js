// What both pages do with one title: read its details, keep it in My List, say what one thinks of it.

import { call } from "./api.js";

/**
 * The title with its details; null when it does not exist for this viewer. What a service that is away would have told
 * (canPlay, inMyList, thumb, similar) is null. Rejects when the catalogue itself did not answer.
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

/** thumb: UP | DOWN | NOT_INTERESTED, or null to take it back. Resolves to the one kept. Rejects with the sentence to show. */
export async function setThumb(titleId, thumb) {
  const { data } = await call("shared/set_thumb", { titleId, thumb });
  if (data.setThumb.__typename !== "SetThumbSuccess") throw new Error(data.setThumb.message);
  return data.setThumb.title ? data.setThumb.title.thumb : thumb;
}

/** Takes a title, or its whole series, from the row to go on with. Rejects with the sentence to show. */
export async function removeFromContinueWatching(titleId) {
  const { data } = await call("shared/remove_from_continue_watching", { titleId });
  if (data.removeFromContinueWatching.message) throw new Error(data.removeFromContinueWatching.message);
}

/** The items of a connection, without edges that failed. */
export function nodes(connection) {
  return (connection?.edges ?? []).map((edge) => edge?.node).filter(Boolean);
}

/** The cards of a section that have a title, by its id; a card whose title failed is left out. */
export function cardsByTitle(section) {
  return new Map(nodes(section.items).filter((card) => card.title).map((card) => [card.title.id, card]));
}

/** The id to press play on: a series plays the episode to go on with, else its first. */
export function playableId(title) {
  if (title.kind !== "SERIES") return title.id;
  const first = nodes(title.seasons).flatMap((season) => nodes(season.episodes))[0];
  return title.progress?.resumeTitle?.id ?? first?.id ?? title.id;
}
