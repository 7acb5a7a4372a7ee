// A film in a list: its title, a link to its view, and its genres.

import { link } from "./address.js";
import { element, setText } from "./elements.js";

/** Creates a row; `after` are elements after the title. */
export function filmRow(film, ...after) {
  return element(
    "li",
    { class: "film" },
    element("span", { class: "rank", "aria-hidden": "true" }),
    element("div", { class: "body" }, element("a", { class: "title" }, film.title), element("span", { class: "soft genres" })),
    ...after,
  );
}

/** Shows a film in a row, with a link to its view. */
export function showFilm(row, film) {
  const [title, genres] = row.querySelector(".body").children;
  title.href = link({ view: "movie", movie: film.movie_id });
  setText(title, film.title);
  const year = film.year !== null && !film.title.includes(film.year) ? [String(film.year)] : [];
  setText(genres, [...year, ...film.genres].join(" · "));
}

export const filmKey = (film) => film.movie_id;
