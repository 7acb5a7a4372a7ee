// Dialog for the API key.

import { byId, setText } from "./elements.js";

let prompting = null;

/** Returns the typed key, or null; concurrent requests share one dialog. */
export function promptForKey(wasRefused) {
  prompting ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    const input = byId("key");
    setText(byId("key-refused"), wasRefused ? "The service refused this key." : "");
    dialog.returnValue = "none";
    dialog.addEventListener(
      "close",
      () => {
        resolve(dialog.returnValue === "use" ? input.value : null);
        input.value = "";
        prompting = null;
      },
      { once: true },
    );
    dialog.showModal();
  });
  return prompting;
}
