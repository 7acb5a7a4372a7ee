// What the live bundle and the service say of themselves, loaded once.

import { request } from "./service.js";

/** The rating scale; null if the bundle has watches only. */
export let scale;
/** Whether feedback is kept: "on", "off", or "write-key" where only apps may write; null until known. */
export let feedback = null;
let asked = null;

/** Resolves when both are known. */
export async function modelKnown() {
  asked ??= request(["model"]);
  try {
    const model = await asked;
    scale = model.manifest.rating_scale;
    feedback = model.feedback;
  } catch (problem) {
    asked = null;
    throw problem;
  }
}
