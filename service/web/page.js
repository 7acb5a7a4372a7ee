// The page: one view at a time, as the address says.

import { follow, link, read } from "./address.js";
import { showControls, startControls } from "./controls.js";
import { byId, setText } from "./elements.js";
import { showModel } from "./model.js";
import { showMovie, startMovie } from "./movie.js";
import { startRecommendations } from "./recommendations.js";
import { showStranger, startStranger } from "./stranger.js";
import { showUser, startUser } from "./user.js";

let shown = null;

function show(state) {
  const { view } = state;
  const place = `${view} ${view === "movie" ? state.movie : ""}`;
  const isNew = place !== shown;
  byId("people").hidden = view !== "user" && view !== "stranger";
  byId("user").hidden = view !== "user";
  byId("stranger").hidden = view !== "stranger";
  byId("movie").hidden = view !== "movie";
  byId("model").hidden = view !== "model";
  for (const each of document.querySelectorAll("[data-view]")) {
    each.href = link({ view: each.dataset.view, movie: null });
    if (each.dataset.view === view) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  showControls(state);
  const views = {
    user: () => showUser(state),
    stranger: () => showStranger(state),
    movie: () => showMovie(state, retitleMovie),
    model: () => showModel(isNew),
  };
  entitle(views[view]());
  if (isNew && shown !== null) {
    // What was clicked may be gone: the keyboard goes on at the new heading.
    byId("heading").focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  shown = place;
}

/** The title of a film is known only once it is loaded, and another view may be shown by then. */
function retitleMovie() {
  if (read().view === "movie") entitle(showMovie(read(), retitleMovie));
}

function entitle(title) {
  if (!title) return;
  setText(byId("heading"), title.heading);
  setText(byId("lead"), title.lead);
  document.title = `${title.heading} · Matinee`;
}

// Forms act as one types; nothing is ever sent by them.
document.addEventListener("submit", (event) => event.target.method === "dialog" || event.preventDefault());
startControls();
startRecommendations();
startUser();
startStranger();
startMovie();
follow(show);
