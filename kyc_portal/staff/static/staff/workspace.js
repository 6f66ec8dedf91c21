/* The workspace: a document that can be enlarged, turned and paged, and single keys for its buttons. Without this script
   the first page shows whole and the others are links. Keys can be switched off (WCAG 2.1.4); the choice stays here. */
(function () {
  "use strict";

  const STEPS = [1, 1.5, 2, 3, 4, 6];

  function viewer(root) {
    const frame = root.querySelector("[data-frame]");
    const sheet = root.querySelector("[data-sheet]");
    const image = root.querySelector("[data-page]");
    const told = root.querySelector("[data-told]");
    const links = Array.from(root.querySelectorAll("[data-goto]"));
    let step = 0;
    let angle = 0;
    let page = 0;

    function draw() {
      if (!image.naturalWidth) {
        return;
      }
      const lies = angle % 180 !== 0;
      const ratio = image.naturalHeight / image.naturalWidth;
      const outer = (frame.clientWidth - 2) * STEPS[step];
      const width = lies ? outer / ratio : outer;
      const height = width * ratio;
      sheet.style.width = outer + "px";
      sheet.style.height = (lies ? width : height) + "px";
      image.style.width = width + "px";
      const moves = { 0: "", 90: "translateX(" + height + "px) ", 180: "translate(" + width + "px, " + height + "px) ",
        270: "translateY(" + width + "px) " };
      image.style.transform = moves[angle] + "rotate(" + angle + "deg)";
      told.textContent = Math.round(STEPS[step] * 100) + " %, page " + (page + 1) + " of " + links.length;
    }

    function show(number) {
      page = Math.min(Math.max(number, 0), links.length - 1);
      image.src = links[page].href;
      image.alt = "Page " + (page + 1) + " of " + links.length + ", drawn anew from the original";
      mark();
    }

    function mark() {
      links.forEach(function (link, place) {
        if (place === page) {
          link.setAttribute("aria-current", "page");
        } else {
          link.removeAttribute("aria-current");
        }
      });
    }

    const acts = {
      in: function () { step = Math.min(step + 1, STEPS.length - 1); draw(); },
      out: function () { step = Math.max(step - 1, 0); draw(); },
      fit: function () { step = 0; draw(); frame.scrollTo(0, 0); },
      turn: function () { angle = (angle + 90) % 360; draw(); },
      back: function () { show(page - 1); },
      on: function () { show(page + 1); },
    };

    root.querySelector(".viewer-tools").hidden = false;
    root.querySelectorAll("[data-act]").forEach(function (button) {
      button.addEventListener("click", function () { acts[button.dataset.act](); });
    });
    links.forEach(function (link, place) {
      link.addEventListener("click", function (event) { event.preventDefault(); show(place); });
    });
    image.addEventListener("load", draw);
    window.addEventListener("resize", draw);
    mark();
    draw();
  }

  function shortcut(root, key) {
    const wanted = root.querySelector("[aria-keyshortcuts=\"" + CSS.escape(key === "=" ? "+" : key) + "\"]");
    return wanted && function () { wanted.click(); };
  }

  document.querySelectorAll("[data-workspace]").forEach(function (root) {
    root.querySelectorAll("[data-viewer]").forEach(viewer);
    window.singleKeys(root, function (key) { return shortcut(root, key); });
  });
}());
