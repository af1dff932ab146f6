// Saves by itself, counts as the platforms count, and takes photos by drag, paste and camera. The form works without it.
import { counter, littleLength } from "./post-form-count.js";

document.documentElement.classList.add("has-script");
const form = document.getElementById("post-form");
const state = document.getElementById("save-state");
const uploads = document.getElementById("uploads");
const adder = document.getElementById("add-photo");
const input = form.elements.photo;
const limits = JSON.parse(form.dataset.limits);
const lengths = { x: counter(JSON.parse(form.dataset.weights)), facebook: (words) => [...words].length, linkedin: littleLength };
const most = Number(form.dataset.mostPhotos);
let turn = Promise.resolve(); // one request at a time, so that no two savings overtake each other
let waiting = 0;
let timer = 0;
let dirty = false;
let hasPhoto = false; // a photo needs a draft to go to, even one without a word

const inTurn = (work) => {
  waiting += 1;
  turn = turn.then(work, work).finally(() => (waiting -= 1));
  return turn;
};
const say = (sentence, wrong = false) => {
  state.textContent = sentence;
  state.classList.toggle("wrong", wrong);
};

// ---- counting ----
function show(kind, number) {
  const place = form.querySelector(`[data-count-for="${kind}"]`);
  if (!place) return; // a platform on which the school has no account
  place.querySelector("[data-number]").textContent = number.toLocaleString("en-GB");
  const over = number > limits[kind];
  place.classList.toggle("over", over);
  place.querySelector("[data-over]").hidden = !over;
}
function count() {
  const words = form.elements.text.value;
  for (const kind of Object.keys(limits)) show(kind, lengths[kind](words));
}
function countAlts() {
  for (const field of form.querySelectorAll("textarea[data-count]")) {
    const holder = field.closest(".field");
    let place = holder.querySelector(".alt-count");
    if (!place) {
      place = document.createElement("p");
      place.className = "alt-count";
      holder.append(place);
    }
    const number = field.value.length; // an emoji is two, as the channels count
    place.textContent = `${number.toLocaleString("en-GB")} of ${Number(field.dataset.count).toLocaleString("en-GB")}`;
    place.classList.toggle("over", number > Number(field.dataset.count));
  }
}

// ---- saving ----
const typed = () => {
  const data = new FormData(form);
  data.delete("photo");
  data.set("do", hasPhoto ? "begin" : "save");
  return data;
};
// an empty form begins no draft
const isBlank = () =>
  !form.dataset.autosave && !hasPhoto && ![...form.querySelectorAll("input:not([type=hidden]):not([type=radio]), textarea")].some((field) =>
    field.type === "checkbox" ? field.checked : field.value.trim());

const read = (page) => new DOMParser().parseFromString(page, "text/html");
const token = () => document.querySelector("meta[name=csrf-token]");

// whoever was signed out and has signed in again, in another window, has a new form secret: it is fetched, nothing is lost
async function renewToken() {
  const fresh = read(await (await fetch(location.href)).text()).querySelector("meta[name=csrf-token]");
  if (!fresh || fresh.content === token().content) return false;
  token().content = fresh.content;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = fresh.content;
  return true;
}

async function post(address) {
  const send = () => fetch(address, { method: "POST", body: typed(), headers: { Accept: "application/json" } });
  const answer = await send();
  return answer.status === 400 && (await renewToken()) ? send() : answer;
}

async function whyNot(answer) {
  const told = await answer.json().catch(() => null);
  return new Error(told?.error ?? "This could not be saved. Press “Save draft” to see why.");
}

async function ensureDraft() {
  if (form.dataset.autosave) return;
  const answer = await post(form.action);
  const made = answer.url.match(/\/posts\/(\d+)\/edit/);
  if (!answer.ok || !made) throw await whyNot(answer);
  const page = read(await answer.text()).getElementById("post-form");
  form.action = page.getAttribute("action");
  Object.assign(form.dataset, { autosave: page.dataset.autosave, photos: page.dataset.photos });
  form.elements.revision.value = page.elements.revision.value;
  askWhichHour(!page.querySelector("[data-fold]").hidden);
  history.replaceState(null, "", answer.url);
}

function askWhichHour(doubled) {
  form.querySelector("[data-fold]").hidden = !doubled;
}

async function save() {
  if (!dirty) return;
  dirty = false;
  if (isBlank()) return say("");
  say("Saving …");
  try {
    if (!form.dataset.autosave) await ensureDraft();
    else {
      const answer = await post(form.dataset.autosave);
      if (!answer.ok) throw await whyNot(answer);
      const told = await answer.json();
      form.elements.revision.value = told.revision;
      for (const [kind, number] of Object.entries(told.counts)) if (!dirty) show(kind, number);
      askWhichHour(told.doubled);
    }
    say(`Saved at ${new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`);
  } catch (error) {
    dirty = true;
    say(error instanceof TypeError ? "Not saved yet: no connection. It is tried again when you go on typing." : error.message, true);
  }
}
const saveSoon = () => {
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(() => inTurn(save), 1500);
};
form.addEventListener("input", (event) => {
  if (event.target === input) return;
  count();
  countAlts();
  saveSoon();
});
// whoever leaves keeps what was typed, even before the draft has been made; a phone may end a hidden page without a word
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden" || !dirty || form.dataset.sent) return;
  clearTimeout(timer);
  inTurn(save);
});
window.addEventListener("pagehide", () => {
  if (!dirty || waiting || form.dataset.sent || isBlank()) return;
  dirty = false;
  const address = form.dataset.autosave ?? form.action;
  fetch(address, { method: "POST", body: typed(), keepalive: true, headers: { Accept: "application/json" } });
});
// a button waits for what is still on its way
form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  if (!waiting) return;
  event.preventDefault();
  const button = event.submitter;
  say("One moment …");
  turn.finally(() => form.requestSubmit(button));
});

// ---- photos ----
const cards = () => form.querySelectorAll("[data-photo]").length;
input.multiple = true;
adder.querySelector("button").hidden = true;

function take(files) {
  for (const file of files) {
    const line = document.createElement("li");
    line.className = "upload";
    const name = Object.assign(document.createElement("span"), { textContent: file.name || "Photo" });
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Sending ${file.name || "photo"}`);
    line.append(name, bar);
    uploads.append(line);
    inTurn(async () => {
      try {
        if (cards() >= most) throw new Error(`A post takes ${most} photos at most. Remove one before you add another.`);
        if (dirty || !form.dataset.autosave) {
          dirty = hasPhoto = true;
          await save();
        }
        if (!form.dataset.photos) throw new Error("The draft could not be saved, so the photo was not sent.");
        addCard(await send(file, bar, name));
        line.remove();
      } catch (error) {
        bar.remove();
        line.classList.add("failed");
        line.setAttribute("role", "alert");
        name.textContent = `${file.name || "Photo"}: ${error.message}`;
        const gone = Object.assign(document.createElement("button"), { type: "button", className: "link-button", textContent: "Dismiss" });
        gone.addEventListener("click", () => line.remove());
        line.append(gone);
      }
    });
  }
}

function send(file, bar, name) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.dataset.photos);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token().content);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = event.loaded / event.total;
      if (event.loaded === event.total) {
        bar.removeAttribute("value");
        name.textContent = `${file.name || "Photo"}: being opened …`;
      }
    });
    request.addEventListener("load", () =>
      request.status === 201 ? done(request.response) : fail(new Error(request.response?.error ?? "This photo could not be sent.")));
    request.addEventListener("error", () => fail(new Error("No connection. Please try again.")));
    const data = new FormData();
    data.append("photo", file, file.name || "pasted.png");
    request.send(data);
  });
}

function addCard(told) {
  form.elements.revision.value = told.revision;
  const list = document.getElementById("photo-cards");
  const before = list.lastElementChild?.querySelector("button[value^=later]");
  if (before) before.disabled = false;
  const holder = document.createElement("template");
  holder.innerHTML = told.card; // drawn by our own server, which escapes every value
  list.append(holder.content);
  adder.hidden = cards() >= most;
  say(`Photo ${told.number} was added`);
  countAlts();
  form.dispatchEvent(new Event("photos-changed"));
}

input.addEventListener("change", () => {
  take([...input.files]);
  input.value = "";
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (!files.length) return;
  event.preventDefault();
  take(files);
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    adder.classList.add("dropping");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) adder.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  adder.classList.remove("dropping");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  take([...event.dataTransfer.files]);
});

count();
countAlts();
