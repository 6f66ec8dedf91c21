/* Single keys of a page. `find(key)` gives what a key does, or nothing; ? opens the list of keys. They can be switched
   off (WCAG 2.1.4), and the choice stays in this browser. */
window.singleKeys = function (root, find) {
  "use strict";

  const CHOICE = "workspace-keys";
  const help = root.querySelector("[data-keys]");
  const box = root.querySelector("[data-keys-on]");
  help.hidden = false;
  box.checked = localStorage.getItem(CHOICE) !== "off";
  box.addEventListener("change", function () { localStorage.setItem(CHOICE, box.checked ? "on" : "off"); });

  document.addEventListener("keydown", function (event) {
    const isTyping = event.target.matches("input:not([type=checkbox]), textarea, select");
    if (!box.checked || isTyping || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const act = event.key === "?" ? function () { help.open = !help.open; } : find(event.key);
    if (act) {
      event.preventDefault();
      act();
    }
  });
};
