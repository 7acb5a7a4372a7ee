// Films that lists show by id, each loaded once.

import { latest } from "./elements.js";
import { modelKnown } from "./live_model.js";
import { request } from "./service.js";

export const films = new Map();

/** Loads films that are missing, then calls `loaded`. */
export const loadFilms = latest(async (signal, ids, loaded) => {
  const missing = ids.filter((id) => !films.has(id));
  if (!missing.length) return;
  await modelKnown().catch(() => {}); // the list of recommendations shows the error
  await Promise.all(
    missing.map(async (id) => {
      const found = await request(["movies", id], { signal }).catch((problem) => (problem.status === 404 ? gone(id) : null));
      if (found) films.set(id, found);
    }),
  );
  if (!signal.aborted) loaded();
});

/** Stands for a film that this bundle does not have. */
function gone(id) {
  return { movie_id: id, title: `Unknown film ${id}`, genres: [], year: null };
}
