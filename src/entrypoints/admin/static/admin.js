// Only passkeys need a script. The rest: keys that can be switched off, and a look at what is new while a page is seen.
"use strict";
const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function answerOf(what, asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge) };
  if (asked.user) publicKey.user = { ...asked.user, id: bytes(asked.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    publicKey[list] = (asked[list] || []).map((known) => ({ ...known, id: bytes(known.id) }));
  }
  const { id, type, response } = await navigator.credentials[what]({ publicKey });
  const told = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[part]) told[part] = text(response[part]);
  }
  return JSON.stringify({ id, rawId: id, type, response: told, clientExtensionResults: {} });
}

for (const form of window.PublicKeyCredential ? all("form[data-passkey]") : []) {
  const button = form.querySelector("button"), said = form.querySelector("[data-said]");
  form.querySelector("[data-unable]").hidden = true;
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = said.hidden = true;
    try {
      form.elements.answer.value = await answerOf(form.dataset.passkey, JSON.parse(form.dataset.options));
      form.submit();
    } catch {
      button.disabled = said.hidden = false;
    }
  });
}

const help = one("#shortcuts");
if (help) {
  const on = help.querySelector("input"), button = one("[data-keys]");
  on.checked = localStorage.keys !== "off";
  on.onchange = () => (localStorage.keys = on.checked ? "on" : "off");
  button.hidden = false;
  button.onclick = () => help.showModal();
  document.addEventListener("keydown", (event) => {
    const { key, target } = event, step = { j: 1, k: -1 }[key];
    if (!on.checked || help.open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input, select, textarea") || !(step || key === "/" || key === "?")) return;
    event.preventDefault();
    if (key === "?") return help.showModal();
    if (key === "/") return one(".search input").select();
    const rows = all("tbody tr, main .rows li, .queue li");
    const links = rows.map((row) => row.querySelector("a")).filter((link) => link?.checkVisibility());
    const now = links.findIndex((link) => link.closest("tr, li").contains(target));
    links[Math.max(now + step, 0)]?.focus();
  });
}

// Without a network, it asks again.
const whileSeen = (seconds, look) =>
  setInterval(() => document.hidden || look().catch(() => {}), seconds * 1000);

const news = one("[data-poll]");
if (news) {
  const link = news.querySelector("a");
  let tag = "";
  const timer = whileSeen(20, async () => {
    const answer = await fetch(news.dataset.poll, { redirect: "manual", headers: { "if-none-match": tag } });
    if (answer.type === "opaqueredirect") return clearInterval(timer);
    if (answer.status !== 200) return;
    tag = answer.headers.get("etag");
    link.text = await answer.text();
    link.hidden = !link.text;
  });
}

const working = one("[data-working]");
if (working) {
  whileSeen(2, async () => {
    const answer = await fetch(location.href, { redirect: "manual" });
    if (answer.status >= 500) return;
    const page = answer.ok ? await answer.text() : "";
    const now = new DOMParser().parseFromString(page, "text/html").querySelector("[data-working]");
    if (!now) return location.reload();
    if (now.textContent !== working.textContent) working.textContent = now.textContent;
  });
}
