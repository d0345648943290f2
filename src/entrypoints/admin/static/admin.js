// A passkey is created or used, and what the device answers is submitted with the form. Nothing else needs a script.
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
  for (const part of ["attestationObject", "authenticatorData", "signature"]) {
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
