/* Light, dark, or what the system says. The choice stays in this browser; without this file the system decides. */
(function () {
  "use strict";

  const KEY = "kyc-theme";
  const root = document.documentElement;

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch (refused) { // storage may be switched off; the system's choice then stands
      return null;
    }
  }

  function apply(choice) {
    if (choice === "light" || choice === "dark") {
      root.dataset.theme = choice;
    } else {
      delete root.dataset.theme;
    }
    document.querySelectorAll("[data-theme-choice]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (root.dataset.theme || "system")));
    });
  }

  function choose(event) {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) {
      return;
    }
    try {
      localStorage.setItem(KEY, button.dataset.themeChoice);
    } catch (refused) { // the choice then lasts for this page only
    }
    apply(button.dataset.themeChoice);
  }

  apply(stored()); // before the first paint, so that no page flashes
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-theme-switch]").forEach(function (part) {
      part.hidden = false;
    });
    apply(stored());
  });
  document.addEventListener("click", choose);
  window.addEventListener("storage", function (event) {
    if (event.key === KEY) {
      apply(event.newValue);
    }
  });
}());
