// The quality view: the live bundle, and its measures beside simpler recommenders.

import { bar, byId, count, element, latest, setText, showTerms } from "./elements.js";
import { showProblem } from "./notice.js";
import { request } from "./service.js";

const NAMES = { ease: "EASE", svd: "SVD", ials: "iALS", sasrec: "SASRec", popularity: "most popular", biases: "mean ratings" };
// By measure its name, what it says, and 100 for a percentage.
const MEASURES = {
	hit_rate_at_10: ["Found in the first ten", "Of films watched later, how many were among the first ten (hit rate@10).", 100],
	hit_rate_at_100: ["Found in the first hundred", "The same among the first hundred (hit rate@100).", 100],
	recall_at_20: ["Covered by twenty", "Of what a user watched later, how much the first twenty held (recall@20).", 100],
	ndcg_at_10: ["Good order", "The earlier in the first ten, the better; 1 is perfect (NDCG@10)."],
	rmse: ["Error of predicted stars", "Less is better (RMSE)."],
};

let isShown = false;

export function showModel(isNew) {
	if (isNew || !isShown) load();
	return { heading: "How good is it?", lead: "Tried on ratings that were kept from it, beside simpler recommenders." };
}

const load = latest(async (signal) => {
	show(await request(["model"], { signal }));
	byId("model-notice").replaceChildren();
	isShown = true;
}, (problem) => showProblem(byId("model-notice"), problem, load));

function show({ bundle_id: bundleId, metrics, manifest }) {
	const { dataset } = manifest;
	const facts = [
		["Ratings", dataset.ratings?.toLocaleString("en")],
		["Users", dataset.users?.toLocaleString("en")],
		["Films", dataset.movies?.toLocaleString("en")],
		["Data", dataset.name],
		["Made", new Date(manifest.created_utc).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })],
		["Bundle", bundleId],
	].filter(([, fact]) => fact);
	showTerms(byId("model-facts"), facts);
	byId("report").hidden = !("report/index.html" in manifest.files);
	showQuality(metrics);
}

function showQuality({ model, ...metrics }) {
	byId("quality").replaceChildren();
	if (!model) return setText(byId("quality-summary"), "Not measured.");
	const seeds = metrics.seeds?.length > 1 ? `, mean of ${metrics.seeds.length} trainings` : "";
	setText(byId("quality-summary"), `${count(metrics.test_ratings, "rating")} kept apart, ${metrics.train_ratings.toLocaleString("en")} trained on${seeds}. ✓: better than all others, beyond chance.`);
	const others = Object.entries(metrics.baselines ?? {});
	byId("quality").append(...Object.keys(MEASURES).filter((measure) => measure in model).map((measure) => bars(measure, model[measure], others, metrics.differences ?? {})));
}

// Creates a measure's bars, one below the other, ours first and the others from best to worst.
function bars(measure, ours, others, differences) {
	const [name, meaning, factor = 1] = MEASURES[measure];
	const sign = measure === "rmse" ? -1 : 1;
	const compared = others.filter(([, of]) => of?.[measure] !== undefined).map(([other, of]) => [other, of[measure]]).sort(([, a], [, b]) => sign * (b - a));
	const most = Math.max(ours, ...compared.map(([, value]) => value));
	const isBest = compared.length > 0 && compared.every(([other]) => sign * differences[other]?.[measure]?.low > 0 && sign * differences[other][measure].high > 0);
	const rows = [["Matinee", ours], ...compared].map(([of, value], at) => {
		const text = `${(factor * value).toFixed(factor === 1 ? 3 : 1)}${factor === 1 ? "" : " %"}${isBest && !at ? " ✓" : ""}`;
		return bar(NAMES[of] ?? of.replaceAll("_", " "), value / most, text, at ? null : "ours");
	});
	return element("section", {}, element("h2", {}, name), element("p", { class: "soft" }, meaning), element("ul", { class: "bars" }, ...rows));
}
