// Notices and errors in place of content, and the toast: what was done, with undo.

import { button, byId, element, onClick, setText } from "./elements.js";

const AGAIN_MS = 5_000;
const TOAST_MS = 8_000;

// Shows a notice, with elements such as a link after it.
export function showNotice(place, title, text, ...more) {
	place.replaceChildren(element("div", { class: "notice" }, element("strong", {}, title), element("p", {}, text), ...more));
}

// Shows an error with a button to try again; a service that is starting is tried again by itself.
export function showProblem(place, problem, retry) {
	const tryAgain = () => {
		byId("heading").focus({ preventScroll: true }); // the button is removed
		retry();
	};
	const again = button("Try again", tryAgain, { class: "strong" });
	if (problem.status === 503) setTimeout(() => again.isConnected && retry(), AGAIN_MS);
	place.replaceChildren(
		element("div", { class: "notice problem", role: "alert" }, element("strong", {}, problem.title ?? "The page failed"), element("p", {}, problem.message), again),
	);
}

const toast = byId("toast");
let undoLast = null;
let leaving = null;

export function startToast() {
	onClick("toast-undo", () => {
		toast.hidden = true;
		undoLast();
		byId("recommended").focus({ preventScroll: true });
	});
	toast.addEventListener("focusout", leave);
}

// Says what was done for some seconds, longer while its button has the focus.
export function showToast(text, undo) {
	undoLast = undo;
	setText(byId("toast-text"), text);
	toast.hidden = false;
	leave();
}

function leave() {
	clearTimeout(leaving);
	leaving = setTimeout(() => {
		toast.hidden = !toast.contains(document.activeElement);
	}, TOAST_MS);
}
