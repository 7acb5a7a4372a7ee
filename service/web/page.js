// Entry point: shows the view of the address.

import { follow, link, read } from "./address.js";
import { showControls, startControls } from "./controls.js";
import { byId, onClick, setText } from "./elements.js";
import { showModel } from "./model.js";
import { showMovie, startMovie } from "./movie.js";
import { startToast } from "./notice.js";
import { startRecommendations } from "./recommendations.js";
import { showYou, startYou } from "./you.js";
import { showUser, startUser } from "./user.js";

let shown = null;

function show(state) {
	const { view } = state;
	const place = `${view} ${view === "movie" ? state.movie : ""}`;
	const isNew = place !== shown;
	for (const part of document.querySelectorAll("[data-of]")) part.hidden = !part.dataset.of.split(" ").includes(view);
	for (const each of document.querySelectorAll("[data-view]")) {
		each.href = link({ view: each.dataset.view, movie: null });
		if (each.dataset.view === view) each.setAttribute("aria-current", "page");
		else each.removeAttribute("aria-current");
	}
	showControls(state);
	const views = {
		user: () => showUser(state),
		you: () => showYou(state),
		movie: () => showMovie(state, retitleMovie),
		model: () => showModel(isNew),
	};
	entitle(views[view]());
	if (isNew && shown !== null) {
		// The clicked element may be gone: focus the new heading.
		byId("heading").focus({ preventScroll: true });
		scrollTo(0, 0);
	}
	shown = place;
}

// Updates the heading once a film is loaded, unless another view is shown by then.
function retitleMovie() {
	if (read().view === "movie") entitle(showMovie(read(), retitleMovie));
}

function entitle(title) {
	if (!title) return;
	setText(byId("heading"), title.heading);
	setText(byId("lead"), title.lead);
	document.title = `${title.heading} · Matinee`;
}

// Forms act on input; they are never submitted.
document.addEventListener("submit", (event) => event.target.method === "dialog" || event.preventDefault());
onClick("skip", (event) => {
	event.preventDefault(); // the address is the page's state
	byId("heading").focus();
});
startToast();
startControls();
startRecommendations();
startUser();
startYou();
startMovie();
follow(show);
