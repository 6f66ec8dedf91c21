/* The queue by keyboard: j and k move, Enter opens, x selects, n takes the next case, ? lists the keys. Without this
   script each of them is a link, a box or a button. Keys can be switched off (WCAG 2.1.4); the choice stays here. */
(function () {
  "use strict";

  const root = document.querySelector("[data-queue]");
  if (!root) {
    return;
  }
  const rows = Array.from(root.querySelectorAll("[data-row]"));
  const told = root.querySelector("[data-selected]");
  let at = -1;

  function move(step) {
    if (!rows.length) {
      return;
    }
    if (rows[at]) {
      rows[at].classList.remove("queue-at");
    }
    at = Math.min(Math.max(at + step, 0), rows.length - 1);
    rows[at].classList.add("queue-at");
    rows[at].querySelector("[data-open]").focus();
  }

  function tell() {
    const count = root.querySelectorAll("[data-select]:checked").length;
    if (told) {
      told.textContent = count ? (count === 1 ? "1 case selected." : count + " cases selected.")
        : "Select cases to act on several at once.";
    }
  }

  const acts = {
    j: function () { move(1); },
    k: function () { move(-1); },
    x: function () {
      const select = rows[at] && rows[at].querySelector("[data-select]");
      if (select) {
        select.checked = !select.checked;
        tell();
      }
    },
    n: function () {
      const next = document.querySelector("[data-next]");
      if (next) {
        next.click();
      }
    },
  };

  root.addEventListener("change", tell);
  rows.forEach(function (row, place) {
    row.addEventListener("focusin", function () {
      if (rows[at]) {
        rows[at].classList.remove("queue-at");
      }
      at = place;
      row.classList.add("queue-at");
    });
  });
  window.singleKeys(root, function (key) { return acts[key]; });
  tell();
}());
