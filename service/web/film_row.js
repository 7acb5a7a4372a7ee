// One film of a list: its title, which leads to its page, and what else there is to say.

import { link } from "./address.js";
import { element, setText } from "./elements.js";

/** A row; `after` are elements behind the title. */
export function filmRow(film, ...after) {
  return element(
    "li",
    { class: "film" },
    element("span", { class: "rank", "aria-hidden": "true" }),
    element("div", { class: "body" }, element("a", { class: "title" }, film.title), element("span", { class: "soft genres" })),
    ...after,
  );
}

/** Makes a row show a film, and lead to it from where one is. */
export function showFilm(row, film) {
  const [title, genres] = row.querySelector(".body").children;
  title.href = link({ view: "movie", movie: film.movie_id });
  setText(title, film.title);
  const year = film.year !== null && !film.title.includes(film.year) ? [String(film.year)] : [];
  setText(genres, [...year, ...film.genres].join(" · "));
}

export const filmKey = (film) => film.movie_id;
