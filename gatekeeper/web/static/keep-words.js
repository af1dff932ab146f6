// Sending one form of a page loses nothing that was typed in another: it waits in this tab and stands there again
// when the page comes back. Passwords, PINs, files and hidden fields are never kept, and signing out forgets everything.
const STORE = "unsent-words";
const LASTS = 60 * 60 * 1000;
const KINDS = new Set(["text", "search", "email", "tel", "url", "number", "date", "time", "checkbox", "radio", "textarea", "select-one"]);
const person = document.body.dataset.person; // no number, nobody signed in: then nothing is kept or put back

function read() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORE));
    if (kept?.person === person) return kept.fields.filter((one) => Date.now() - one.at < LASTS);
  } catch {} // a browser that closes its storage keeps nothing
  return []; // somebody else's are not shown, and the next writing replaces them
}

function write(fields) {
  try {
    if (fields.length) sessionStorage.setItem(STORE, JSON.stringify({ person, fields }));
    else sessionStorage.removeItem(STORE);
  } catch {}
}

const pathOf = (form) => new URL(form.getAttribute("action") ?? "", location.href).pathname;
const canBeTicked = (field) => field.type === "checkbox" || field.type === "radio";
// a form that saves by itself has its words already
const forms = () => [...document.forms].filter((form) => !("savesItself" in form.dataset));
const fieldsOf = (form) => [...form.elements].filter((field) => KINDS.has(field.type) && (field.id || field.name) && !field.disabled);

// the same field again on the page that comes, whichever address that page has
function nameOf(form, field) {
  if (field.id) return `#${field.id}`;
  const twins = [...document.forms].filter((one) => pathOf(one) === pathOf(form));
  return [twins.indexOf(form), field.name, canBeTicked(field) ? field.value : ""].join(" ");
}

function isChanged(field) {
  if (canBeTicked(field)) return field.checked !== field.defaultChecked;
  if (field.type !== "select-one") return field.value !== field.defaultValue;
  return field.value !== ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value;
}

function keep(sent) {
  const fields = read().filter((one) => one.path !== pathOf(sent));
  for (const form of forms()) {
    if (form === sent) continue;
    for (const field of fieldsOf(form)) {
      if (!isChanged(field)) continue;
      const [path, name] = [pathOf(form), nameOf(form, field)];
      const at = fields.findIndex((one) => one.path === path && one.name === name);
      if (at >= 0) fields.splice(at, 1);
      fields.push({ path, name, value: field.value, ticked: Boolean(field.checked), at: Date.now() });
    }
  }
  write(fields);
}

function putBack() {
  let fields = read();
  for (const form of forms()) {
    for (const field of fieldsOf(form)) {
      const kept = fields.find((one) => one.path === pathOf(form) && one.name === nameOf(form, field));
      if (!kept) continue;
      fields = fields.filter((one) => one !== kept);
      if (canBeTicked(field)) field.checked = kept.ticked;
      else field.value = kept.value;
      for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  write(fields);
}

if (person) {
  putBack();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || "download" in form.dataset) return; // the page stays as it is
    if (pathOf(form) === "/signout") write([]);
    else keep(form);
  });
}
