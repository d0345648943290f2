// A passkey is created or used, and what the device answers is submitted with the form. Nothing else needs a script:
// keys that can be switched off, and while the page is in view, a look for new sales or at work that is under way.
"use strict";
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function answerOf(what, asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge) };
  if (what === "create") {
    publicKey.user = { ...asked.user, id: bytes(asked.user.id) };
    publicKey.excludeCredentials = known(asked.excludeCredentials);
  } else {
    publicKey.allowCredentials = known(asked.allowCredentials);
  }
  const made = await navigator.credentials[what]({ publicKey });
  const told = { clientDataJSON: text(made.response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[part]) told[part] = text(made.response[part]);
  }
  const id = text(made.rawId);
  return JSON.stringify({ id, rawId: id, type: made.type, response: told, clientExtensionResults: {} });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const button = form.querySelector("button");
  form.querySelector("[data-unable]").hidden = true;
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    form.querySelector("[data-said]").hidden = true;
    try {
      form.elements.answer.value = await answerOf(form.dataset.passkey, JSON.parse(form.dataset.options));
      form.submit();
    } catch {
      form.querySelector("[data-said]").hidden = false;
      button.disabled = false;
    }
  });
}

const help = document.getElementById("shortcuts");
if (help) {
  const on = help.querySelector("input"), button = document.querySelector("[data-keys]");
  on.checked = localStorage.keys !== "off";
  on.onchange = () => (localStorage.keys = on.checked ? "on" : "off");
  button.hidden = false;
  button.onclick = () => help.showModal();
  document.addEventListener("keydown", (event) => {
    const { key } = event, step = { j: 1, k: -1 }[key];
    if (!on.checked || help.open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea") || !(step || key === "/" || key === "?")) return;
    event.preventDefault();
    if (key === "?") return help.showModal();
    if (key === "/") return document.querySelector(".search input").select();
    const rows = [...document.querySelectorAll("tbody tr, main .rows li, .queue li")];
    const links = rows.map((row) => row.querySelector("a")).filter((link) => link?.checkVisibility());
    const now = links.findIndex((link) => link.closest("tr, li").contains(document.activeElement));
    links[Math.min(Math.max(now + step, 0), links.length - 1)]?.focus();
  });
}

const news = document.querySelector("[data-poll]");
if (news) {
  let tag = "";
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(news.dataset.poll, { redirect: "manual", headers: { "if-none-match": tag } });
      if (answer.type === "opaqueredirect") return clearInterval(timer);
      if (answer.status !== 200) return;
      tag = answer.headers.get("etag");
      const link = document.createElement("a");
      link.href = news.dataset.at;
      link.textContent = await answer.text();
      news.replaceChildren(...(link.textContent ? [link] : []));
    } catch {} // The network is away: it is asked again.
  }, 20000);
}

const working = document.querySelector("[data-working]");
if (working) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { redirect: "manual" });
      if (answer.status >= 500) return;
      const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
      const now = page.querySelector("[data-working]");
      if (!now) return location.reload();
      if (now.textContent !== working.textContent) working.textContent = now.textContent;
    } catch {} // The network is away: it is looked at again.
  }, 2000);
}
