// Asks for a key where the service wants one.

import { byId, setText } from "./elements.js";

let asking = null;

/** The key that was typed, or null; requests that wait for one share the question. */
export function askForKey(wasRefused) {
  asking ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    const input = byId("key");
    setText(byId("key-refused"), wasRefused ? "The service did not take that key." : "");
    dialog.returnValue = "none";
    dialog.addEventListener(
      "close",
      () => {
        resolve(dialog.returnValue === "use" ? input.value : null);
        input.value = "";
        asking = null;
      },
      { once: true },
    );
    dialog.showModal();
  });
  return asking;
}
