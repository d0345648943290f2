// Looks again while a payment settles: after 2, 4, 8 … 60 seconds, for five minutes. Without it there is a button.
"use strict";
(() => {
  const STOP_AFTER = 5 * 60 * 1000;
  const LONGEST = 60 * 1000;
  const began = Date.now();
  let wait = 2000;

  async function look() {
    try {
      const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect") return location.reload();
      if (answer.ok && !(await answer.text()).includes("data-settling")) return location.reload();
    } catch {
      // The network is away: the next look may find it back.
    }
    plan();
  }

  function plan() {
    if (Date.now() - began + wait > STOP_AFTER) return;
    setTimeout(look, wait);
    wait = Math.min(wait * 2, LONGEST);
  }

  plan();
})();
