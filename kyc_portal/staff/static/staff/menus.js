/* Menus are details elements. Escape or a click elsewhere closes them; opening one closes the others. */
(function () {
  "use strict";

  function openMenus() {
    return document.querySelectorAll("details.menu[open]");
  }

  document.addEventListener("click", function (event) {
    openMenus().forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") {
      return;
    }
    openMenus().forEach(function (menu) {
      const held = menu.contains(document.activeElement);
      menu.open = false;
      if (held) {
        menu.querySelector("summary").focus();
      }
    });
  });

  // A page that comes back with faults puts the reader on the summary of them.
  document.addEventListener("DOMContentLoaded", function () {
    const summary = document.querySelector("[data-error-summary]");
    if (summary) {
      summary.focus();
    }
  });
}());
