// The model view: the live bundle and its metrics.

import { byId, count, element, latest, setText, showTerms } from "./elements.js";
import { showProblem } from "./notice.js";
import { request } from "./service.js";

const NAMES = { ndcg: "NDCG", rmse: "RMSE, stars", ease: "EASE" };
const FALLING = new Set(["rmse", "mae"]);

let isShown = false;

/** Loads the live bundle each time the view is opened. */
export function showModel(isNew) {
  if (isNew || !isShown) load();
  return { heading: "The model", lead: "The live bundle, and its quality on ratings that were held out of training." };
}

const load = latest(async (signal) => {
  try {
    const model = await request(["model"], { signal });
    if (signal.aborted) return;
    byId("model-notice").replaceChildren();
    show(model);
    isShown = true;
  } catch (problem) {
    if (!signal.aborted) showProblem(byId("model-notice"), problem, load);
  }
});

function show({ bundle_id: bundleId, metrics, manifest }) {
  const { dataset } = manifest;
  const facts = [
    ["Bundle", bundleId],
    ["Age", age(new Date(manifest.created_utc))],
    ["Trained on", dataset.name],
    ["Ratings", dataset.ratings?.toLocaleString("en")],
    ["Users", dataset.users?.toLocaleString("en")],
    ["Films", dataset.movies?.toLocaleString("en")],
  ].filter(([, fact]) => (fact ?? null) !== null);
  showTerms(byId("model-facts"), facts);
  byId("report").hidden = !("report/index.html" in manifest.files);
  showQuality(metrics);
}

function age(created) {
  const minutes = Math.max(0, (Date.now() - created) / 60_000);
  const [each, unit] = minutes < 60 ? [1, "minute"] : minutes < 2880 ? [60, "hour"] : [1440, "day"];
  const since = count(Math.floor(minutes / each), unit);
  return `${since}, made ${created.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}`;
}

function showQuality(metrics) {
  const model = metrics.model;
  byId("quality-scroll").hidden = !model;
  if (!model) {
    setText(byId("quality-summary"), "Not measured.");
    return;
  }
  const seeds = metrics.seeds?.length > 1 ? `, mean of ${metrics.seeds.length} seeds` : "";
  setText(byId("quality-summary"), `The ${metrics.split} split: ${count(metrics.test_ratings, "rating")} held out, ${metrics.train_ratings.toLocaleString("en")} trained on${seeds}. Bold: the best beyond chance.`);
  const columns = [["Matinee", model]];
  for (const [name, of] of Object.entries(metrics.baselines ?? {})) columns.push([inWords(name), of ?? {}, metrics.differences?.[name]]);
  const head = element("tr", {}, element("td"), ...columns.map(([name]) => element("th", { scope: "col" }, name)));
  const rows = Object.keys(model).map((measure) => row(measure, columns));
  byId("quality").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

function row(measure, columns) {
  const values = columns.map(([, of]) => of[measure] ?? null);
  const measured = values.filter((value) => value !== null);
  const most = Math.max(...measured);
  const best = FALLING.has(measure) ? Math.min(...measured) : most;
  const differs = columns.map(([, , of]) => of?.[measure]?.low * of?.[measure]?.high > 0);
  differs[0] = measured.length > 1 && values.every((value, at) => !at || value === null || differs[at]);
  const cells = values.map((value, at) => {
    if (value === null) return element("td", {}, "–");
    const text = value.toFixed(4);
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--filled", `${(100 * value) / most}%`);
    return element("td", {}, value === best && differs[at] ? element("strong", {}, text) : text, measured.length > 1 && bar);
  });
  const note = FALLING.has(measure) ? element("span", { class: "soft" }, " less is better") : "";
  return element("tr", {}, element("th", { scope: "row" }, inWords(measure), note), ...cells);
}

/** Converts a metric's name to text. */
function inWords(name) {
  return name
    .replace(/_with_time$/, ", row’s own time")
    .replace(/^top_(\d+)_/, "top-$1 ")
    .replace(/_at_(\d+)/, "@$1")
    .replace(/[a-z]+/, (word) => NAMES[word] ?? word)
    .replaceAll("_", " ");
}
