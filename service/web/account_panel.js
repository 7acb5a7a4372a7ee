// The panel of your account: make it, take it to another device, be forgotten.

import { accountId, forgetMe, loadAccount, openAccount, readItems } from "./account.js";
import { REPLACE, go, read } from "./address.js";
import { byId, count, onClick, setText } from "./elements.js";
import { showNotice, showProblem } from "./notice.js";
import { outbox, unguessable, unkept } from "./outbox.js";
import { feedback } from "./service.js";

export function startPanel() {
	onClick("keep-stars", () => open(unguessable()));
	onClick("try-now", loadAccount);
	onClick("forget", forget);
}

async function open(id) {
	byId("account-notice").replaceChildren();
	await openAccount(id, read().rated);
	byId("account").focus(); // what was used is gone
}

// Opens the account of an id that came with a link, if the person agrees.
async function offerAccount(id) {
	try {
		const films = await readItems(["users", id]);
		const leaves = accountId() === null ? "" : " Only its link leads back to the account you leave.";
		if (confirm(`Is “${id}” your id? It has ${count(films.length, "film")}. Anyone who knows an id sees and changes its stars.${leaves}`)) await open(id);
	} catch (problem) {
		showProblem(byId("account-notice"), problem, () => offerAccount(id));
	}
}

async function forget() {
	if (!confirm("Forget you? The service deletes your stars and what is not for you, for good.")) return;
	try {
		const { bundle_trained_without: isWithout } = await forgetMe();
		const rest = isWithout ? "The model was trained without you." : "The model was trained with your stars; the next one is not.";
		showNotice(byId("account-notice"), "You are forgotten", rest);
		byId("account").focus();
	} catch (problem) {
		showProblem(byId("account-notice"), problem, forget);
	}
}

export function showPanel({ rated, as }) {
	const id = accountId();
	if (as !== null && feedback !== null) {
		go({}, REPLACE); // an id does not stay in the address
		if (feedback === "on" && as !== id) offerAccount(as);
	}
	const { problem } = outbox;
	byId("account").hidden = feedback === null || feedback === "off";
	setText(byId("account-says"), says(id, rated));
	byId("keep-stars").hidden = id !== null || feedback !== "on" || !rated.length;
	byId("kept").hidden = id === null;
	byId("account-link").href = `#${new URLSearchParams({ view: "you", as: id })}`;
	byId("unkept").hidden = id === null || problem === null;
	if (problem) setText(byId("unkept-text"), `${unkept().length ? `${count(unkept().length, "change")} not kept yet. ` : ""}${problem.title}: ${problem.message}`);
}

function says(id, rated) {
	if (feedback === "write-key") return "Your stars stay in this browser, in the page’s address.";
	if (id === null && !rated.length) return "This service will keep your stars under a random id, until you say “Forget me”.";
	if (id === null) return "These stars are in the page’s address only. Kept, they are here whenever you come back.";
	return rated.length ? "These stars came with a link. Clear them to see yours." : "The service keeps your stars, for whenever you come back.";
}
