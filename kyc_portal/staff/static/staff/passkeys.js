// Ties each button with data-passkey (log in, add, prove) to the browser's passkeys, and says when one was not used.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-passkey]")) {
    const act = button.dataset.passkey;
    const ids = { [act]: button.id, credential: button.dataset.credential, data: "js_data", passwordless: "id_passwordless" };
    window.allauth.webauthn.forms[`${act}Form`]({ ids });
  }
});

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("passkey-failed").hidden = false;
});
