/* A link graph by keyboard: left goes along the tie towards the start, right along the strongest tie away from it, up and
   down to the nodes before and after that are tied to the same one, t along every tie in turn. The node that has the
   focus, or lies under the pointer, is told beside the picture. Without this script every node is a link with a label,
   and the table says the same. Keys can be switched off (WCAG 2.1.4). */
(function () {
  "use strict";

  const root = document.querySelector("[data-graph]");
  if (!root) {
    return;
  }
  const nodes = Array.from(root.querySelectorAll("[data-node]"));
  const told = root.querySelector("[data-graph-told]");
  let from = null;

  function rowOf(node) {
    return Number(node.dataset.node);
  }

  function towards(node) {
    return node.dataset.toward === "" ? null : Number(node.dataset.toward);
  }

  function tiedTo(node) {
    return node.dataset.ties.split(" ").filter(Boolean).map(Number);
  }

  function here() {
    return nodes.find(function (node) { return node === document.activeElement; });
  }

  function tell(node) {
    told.textContent = node.dataset.told;
    nodes.forEach(function (each) { each.classList.toggle("graph-tied", tiedTo(node).includes(rowOf(each))); });
  }

  function go(row) {
    if (row !== null && row !== undefined && nodes[row]) {
      nodes[row].focus();
      nodes[row].scrollIntoView({ block: "center" });
    }
  }

  function beside(step) {
    const toward = towards(here());
    const same = nodes.filter(function (node) { return towards(node) === toward; });
    const next = same[same.indexOf(here()) + step];
    go(next && rowOf(next));
  }

  function away() {
    const row = rowOf(here());
    const ties = tiedTo(here());
    go(ties.find(function (each) { return towards(nodes[each]) === row; }));
  }

  function along() {
    const node = here();
    if (from === null || !tiedTo(nodes[from]).includes(rowOf(node))) {
      from = rowOf(node);
    }
    const ties = tiedTo(nodes[from]);
    go(ties[(ties.indexOf(rowOf(node)) + 1) % ties.length]);
  }

  const acts = {
    ArrowLeft: function () { from = null; go(towards(here())); },
    ArrowRight: function () { from = null; away(); },
    ArrowUp: function () { from = null; beside(-1); },
    ArrowDown: function () { from = null; beside(1); },
    t: along,
  };

  nodes.forEach(function (node) {
    node.addEventListener("focus", function () { tell(node); });
    node.addEventListener("mouseenter", function () { if (!here()) { tell(node); } });
  });
  window.singleKeys(root, function (key) { return here() && acts[key]; });
}());
