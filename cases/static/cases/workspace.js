/* A case by keyboard: j and k go from part to part, d to the decision, c to the list, n to the note, ? lists the keys.
   Without this script everything is a heading, a link, a field or a button. Keys can be switched off (WCAG 2.1.4). */
(function () {
  "use strict";

  const root = document.querySelector("[data-case]");
  if (!root) {
    return;
  }
  const parts = Array.from(root.querySelectorAll(".case-page section.card"));

  function go(part) {
    part.setAttribute("tabindex", "-1");
    part.focus({ preventScroll: true });
    part.scrollIntoView({ block: "nearest" });
    if (part.getBoundingClientRect().height > window.innerHeight) {
      part.scrollIntoView({ block: "start" });
    }
  }

  function move(step) {
    const here = parts.findIndex(function (part) { return part.contains(document.activeElement); });
    const next = here < 0 ? (step > 0 ? 0 : parts.length - 1) : here + step;
    go(parts[Math.min(Math.max(next, 0), parts.length - 1)]);
  }

  function into(id) {
    const part = document.getElementById(id);
    if (!part) {
      return;
    }
    const field = part.querySelector("select, textarea, input:not([type=hidden]), button, summary");
    go(part);
    if (field) {
      field.focus();
    }
  }

  const acts = {
    j: function () { move(1); },
    k: function () { move(-1); },
    d: function () { into("decision"); },
    c: function () { into("list"); },
    n: function () { into("notes"); },
  };

  window.singleKeys(root, function (key) { return acts[key]; });
}());
