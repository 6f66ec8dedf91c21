/* While work goes on, the part of the page marked data-progress is brought up to date. Once the work has ended, the page
   is loaded again, because what can be done with it has changed. Without script there is a link that loads it. */
(function () {
  "use strict";

  const EVERY = 2000;
  const LONGEST = 20000;
  let wait = EVERY;

  function look() {
    const part = document.querySelector("[data-progress]");
    if (!part || document.hidden) {
      window.setTimeout(look, EVERY);
      return;
    }
    fetch(window.location.href, { credentials: "same-origin", headers: { Accept: "text/html" } })
      .then(function (answer) {
        if (!answer.ok || answer.redirected) {
          throw new Error("no page");
        }
        return answer.text();
      })
      .then(function (text) {
        const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-progress]");
        if (!fresh) {
          window.location.reload();
          return;
        }
        part.replaceChildren.apply(part, Array.from(fresh.childNodes));
        wait = EVERY;
        window.setTimeout(look, wait);
      })
      .catch(function () {
        wait = Math.min(wait * 2, LONGEST);
        window.setTimeout(look, wait);
      });
  }

  if (document.querySelector("[data-progress]")) {
    window.setTimeout(look, wait);
  }
})();
