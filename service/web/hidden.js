// Films that are not for you: hidden at once, listed, brought back.

import { account, hide } from "./account.js";
import { refresh } from "./address.js";
import { byId, count, element, keep, setText } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { films } from "./films.js";

const TOAST_MS = 10_000;
const toast = byId("toast");
let last = null;

export function startHidden() {
  byId("undo-hide").addEventListener("click", () => {
    toast.hidden = true;
    hide(last, 0);
    byId("recommended").focus();
  });
  toast.addEventListener("focusout", () => {
    setTimeout(() => {
      toast.hidden = !toast.contains(document.activeElement);
    }, TOAST_MS);
  });
  byId("hidden-box").addEventListener("toggle", refresh);
}

/** Creates the button of a recommendation that hides it. */
export function hideButton(film) {
  const button = element("button", { type: "button", class: "quiet", "aria-label": `Not for me: ${film.title}` }, "Not for me");
  button.addEventListener("click", () => {
    last = film.movie_id;
    films.set(last, film);
    setText(byId("toast-text"), `${film.title} is not shown to you again.`);
    toast.hidden = false;
    byId("undo-hide").focus({ preventScroll: true }); // this button goes
    hide(last);
  });
  return button;
}

/** Returns the ids of the films that the list shows. */
export const listed = () => (byId("hidden-box").open ? [...account.hidden] : []);

export function showHidden() {
  byId("hidden-box").hidden = account.hidden.size === 0;
  setText(byId("hidden-count"), count(account.hidden.size, "film"));
  keep(byId("hidden-films"), listed().flatMap((id) => films.get(id) ?? []), {
    key: filmKey,
    make: (film) => {
      const button = element("button", { type: "button", "aria-label": `Show again: ${film.title}` }, "Show again");
      button.addEventListener("click", () => {
        hide(film.movie_id, 0);
        if (account.hidden.size === 0) byId("rate-query").focus();
      });
      return filmRow(film, button);
    },
    update: showFilm,
  });
}
