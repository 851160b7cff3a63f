/* Additions to the pages: every page also works without this file, except passkeys.
   Nothing is stored in the browser. */

const root = document.documentElement;
root.classList.add("js");

/* A page from the back/forward cache asks the server again, because the session may be over. */
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

/* Quick exit: hide the page first, then end the session and go to a harmless address. */
const exit = document.querySelector("#leave");

function leavePage() {
  root.classList.add("hide-now");
  document.title = " ";
  fetch(exit.action, { method: "POST", keepalive: true }).catch(() => {});
  location.replace(exit.dataset.to);
}

function watchShiftKey() {
  let presses = 0;
  let last = 0;
  addEventListener("keyup", (event) => {
    if (event.key !== "Shift" || event.ctrlKey || event.altKey) {
      presses = 0;
      return;
    }
    presses = event.timeStamp - last < 1500 ? presses + 1 : 1;
    last = event.timeStamp;
    if (presses >= 3) leavePage();
  });
}

if (exit) {
  exit.addEventListener("submit", (event) => {
    event.preventDefault();
    leavePage();
  });
  if ("shift" in exit.dataset) watchShiftKey();
}

/* The time that is left until a deadline. The server wrote the first text. */
const units = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" });

function formatLeft(minutes) {
  const size = Math.abs(minutes);
  if (size < 90) return units.format(minutes, "minute");
  if (size < 2880) return units.format(Math.round(minutes / 60), "hour");
  return units.format(Math.round(minutes / 1440), "day");
}

function updateTimes() {
  for (const time of document.querySelectorAll("time[data-due]")) {
    time.textContent = formatLeft(Math.round((new Date(time.dateTime) - Date.now()) / 60000));
  }
}

updateTimes();
setInterval(updateTimes, 30000);

/* The session was renewed by a request: this page and the other tabs begin to wait anew.
   An old browser has no BroadcastChannel; its tabs wait each for itself. */
const tabs = window.BroadcastChannel ? new BroadcastChannel("session") : null;

function announceRenewal() {
  dispatchEvent(new Event("session-renewed"));
  tabs?.postMessage("renewed");
}

/* A form is saved on the server after a pause in typing. */
const form = document.querySelector("form[data-autosave]");
let saving = new AbortController();

async function saveForm() {
  const status = document.querySelector("#saved");
  status.textContent = status.dataset.saving;
  saving.abort();
  saving = new AbortController();
  const { signal } = saving;
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.dataset.autosave, {
      method: "POST", body, redirect: "error", keepalive: true, signal,
    });
    if (response.ok) announceRenewal();
    status.textContent = response.ok ? await response.text() : status.dataset.failed;
  } catch {
    if (!signal.aborted) status.textContent = status.dataset.failed;
  }
}

/* Saving stops when the form is sent, so that it cannot come after the form. What was typed
   last is saved when the page is left or hidden, for example because the screen is locked. */
if (form) {
  let timer = 0;
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
  };
  form.addEventListener("input", () => {
    stop();
    timer = setTimeout(() => {
      timer = 0;
      saveForm();
    }, 1200);
  });
  form.addEventListener("submit", () => {
    stop();
    saving.abort();
  });
  const saveAtOnce = () => {
    if (timer) saveForm();
    stop();
  };
  addEventListener("pagehide", saveAtOnce);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") saveAtOnce();
  });
}

/* The forms in which something was typed and not sent. A saved form is kept already. */
const edited = new Set();

addEventListener("input", ({ target }) => {
  if (target.form?.method === "post" && target.form !== form) edited.add(target.form);
});

/* Keep these forms on the server before the page is left, because the time is over. */
async function keepForms(end) {
  for (const one of edited) {
    const body = new URLSearchParams(new FormData(one));
    body.append("console-page", new URL(one.action).pathname);
    const response = await fetch(end.dataset.keep, { method: "POST", body, redirect: "error" });
    if (response.status === 429 || response.status >= 500) throw new Error();
    if (response.ok) end.elements.kept.disabled = false;
    edited.delete(one);
  }
}

/* Without a connection a form is not sent, because the page with what was typed would be lost. */
addEventListener("submit", (event) => {
  const notice = document.querySelector("#offline");
  notice.hidden = navigator.onLine || event.target.method !== "post";
  if (notice.hidden) return edited.delete(event.target);
  event.preventDefault();
  notice.focus();
});

/* Two minutes before the session ends, ask; without an answer, end it and leave the page.
   A request of any tab renews the session, so that the tabs tell each other. A timer stands
   still while the device sleeps, so that the time is compared when the page is seen again. */
const dialog = document.querySelector("dialog#ending");
const WARNING = 120000;
const SETTLE = 3000; // the other tabs keep their forms meanwhile, with the same session

function watchSession() {
  const end = document.querySelector("form#end");
  let ends = 0;
  let timer = 0;
  const leave = async () => {
    root.classList.add("hide-now");
    try {
      await keepForms(end);
      setTimeout(() => end.submit(), SETTLE);
    } catch {
      setTimeout(leave, 10000);
    }
  };
  const check = () => {
    clearTimeout(timer);
    const left = ends - Date.now();
    if (left <= 0) return leave();
    if (left > WARNING) dialog.close();
    else if (!dialog.open) dialog.showModal();
    timer = setTimeout(check, left > WARNING ? left - WARNING : left);
  };
  const begin = () => {
    ends = Date.now() + dialog.dataset.seconds * 1000;
    check();
  };
  const stay = async () => {
    try {
      const response = await fetch(dialog.dataset.stay, { method: "POST", redirect: "error" });
      if (response.ok) announceRenewal();
      else leave();
    } catch {
      check();
    }
  };
  dialog.addEventListener("close", () => {
    if (ends - Date.now() <= WARNING) stay();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") check();
  });
  addEventListener("session-renewed", begin);
  tabs?.addEventListener("message", begin);
  announceRenewal();
}

if (dialog) watchSession();

/* An error summary gets the focus, so that a screen reader reads it first. */
document.querySelector(".error-summary")?.focus();

/* Passkeys. Binary values of WebAuthn are base64url in JSON. */
const status = document.querySelector("#passkey-status");

function decode(text) {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function encode(buffer) {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return base64.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function readOptions(options) {
  options.challenge = decode(options.challenge);
  if (options.user) options.user.id = decode(options.user.id);
  for (const known of options.excludeCredentials ?? []) known.id = decode(known.id);
  return { publicKey: options };
}

function writeCredential(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = encode(credential.response[name]);
  }
  const { id, type } = credential;
  return { id, rawId: id, type, response, clientExtensionResults: {} };
}

async function send(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`/console/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) {
    if (content.to) location.assign(content.to);
    throw new Error(content.text);
  }
  return content;
}

/* The secret of an enrolment is removed from the address, so that it is not in the history. */
const link = document.querySelector("[data-passkey=enrol]") ? location.hash.slice(1) : "";
if (link) history.replaceState(null, "", location.pathname);

function readValues() {
  const read = (id) => document.querySelector(id)?.value;
  return { link, code: read("#code"), label: read("#label") };
}

const PASSKEY_PATHS = { "sign-in": "passkey", register: "passkeys", enrol: "enrol" };

async function usePasskey(button) {
  const path = PASSKEY_PATHS[button.dataset.passkey];
  const signsIn = path === "passkey";
  const values = signsIn ? { next: button.dataset.next } : readValues();
  const options = readOptions(await send(`${path}/options`, values));
  const container = navigator.credentials;
  const credential = await (signsIn ? container.get(options) : container.create(options));
  location.assign((await send(path, { ...values, credential: writeCredential(credential) })).to);
}

for (const button of document.querySelectorAll("button[data-passkey]")) {
  button.hidden = !window.PublicKeyCredential;
  button.addEventListener("click", async () => {
    status.textContent = "";
    try {
      await usePasskey(button);
    } catch (error) {
      status.textContent = error instanceof DOMException ? button.dataset.failed : error.message;
    }
  });
}
