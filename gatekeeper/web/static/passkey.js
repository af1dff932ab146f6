// Asks a passkey, or makes one, and puts its answer into the form. Without a script the PIN does the same.
//
// <button data-passkey="get" data-options="address" [data-keep]>   fills `assertion`, then sends the form (or keeps it)
// <form data-passkey-create="address">                             fills `response` before it is sent
// <form> with <div data-passkey-sign="address">                    fills `assertion` before an approval is sent

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
const described = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const able = () => window.isSecureContext && "PublicKeyCredential" in window && Boolean(navigator.credentials);

async function told(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error ?? "The page has changed meanwhile. Please reload it.");
  return json;
}

function sent(credential, response) {
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
}

async function ask(address) {
  const options = await told(address);
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: described(options.allowCredentials),
    },
  });
  return sent(credential, {
    clientDataJSON: text(credential.response.clientDataJSON),
    authenticatorData: text(credential.response.authenticatorData),
    signature: text(credential.response.signature),
  });
}

async function make(address) {
  const options = await told(address);
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    },
  });
  return sent(credential, {
    clientDataJSON: text(credential.response.clientDataJSON),
    attestationObject: text(credential.response.attestationObject),
    transports: credential.response.getTransports?.() ?? [],
  });
}

const SENTENCES = {
  NotAllowedError: "Your passkey was not used: the dialog was closed or took too long.",
  AbortError: "Your passkey was not used: the dialog was closed.",
  InvalidStateError: "This device has a passkey of yours already.",
  SecurityError: "A passkey works only at this site's own address.",
  NotSupportedError: "This device cannot make a passkey of the kind that is needed.",
  ConstraintError: "This device cannot check that it is you. Set up a fingerprint, a face or a code on it first.",
};

function say(form, error) {
  const sentence = SENTENCES[error.name] ?? (error instanceof Error && error.message) ?? "That did not work.";
  const pin = form.querySelector("details.proof-pin");
  if (pin) pin.open = true;
  const next = form.querySelector("input[name=pin]") ? " Try again, or use your PIN." : " Please try again.";
  hint(form, `${sentence}${sentence.endsWith(".") ? "" : "."}${next}`, "wrong");
}

function hint(form, sentence, kind = "") {
  const place = form.querySelector("[data-passkey-said]");
  if (!place) return;
  place.textContent = sentence;
  place.dataset.kind = kind;
}

// one dialog at a time, and the button that opened it rests meanwhile
async function during(form, button, work) {
  if (form.dataset.asking) return;
  form.dataset.asking = "yes";
  if (button) button.disabled = true;
  hint(form, "Waiting for your passkey …");
  try {
    await work();
  } catch (error) {
    say(form, error);
  } finally {
    delete form.dataset.asking;
    if (button) button.disabled = false;
  }
}

for (const button of document.querySelectorAll("button[data-passkey=get]")) {
  const form = button.form;
  if (!able()) {
    const pin = form.querySelector("details.proof-pin");
    if (pin) pin.open = true;
    hint(form, "This browser knows no passkeys.");
    continue;
  }
  button.hidden = false;
  button.addEventListener("click", () =>
    during(form, button, async () => {
      form.elements.assertion.value = await ask(button.dataset.options);
      if ("keep" in button.dataset) {
        hint(form, "✓ Your passkey has answered. Now go on below.", "right");
        return;
      }
      hint(form, "✓ Your passkey has answered.", "right");
      form.requestSubmit();
    }),
  );
}

for (const form of document.querySelectorAll("form[data-passkey-create]")) {
  if (!able()) {
    hint(form, "This browser knows no passkeys. Please use another one, or choose a PIN.", "wrong");
    continue;
  }
  form.addEventListener("submit", (event) => {
    if (form.elements.response.value) return;
    event.preventDefault();
    during(form, null, async () => {
      form.elements.response.value = await make(form.dataset.passkeyCreate);
      hint(form, "✓ The passkey is made.", "right");
      form.requestSubmit();
    });
  });
}

for (const place of document.querySelectorAll("[data-passkey-sign]")) {
  const form = place.closest("form");
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const { assertion } = form.elements;
    const written = [...form.querySelectorAll("[name=statement], [name=typed_name]")].every((field) =>
      field.value.trim(),
    );
    // what is not written out yet the server says; the passkey signs only what can be recorded
    if (button?.value !== "approve" || "byPin" in button.dataset || assertion.value || !written) return;
    event.preventDefault();
    if (!able()) {
      say(form, new Error("This browser knows no passkeys."));
      return;
    }
    during(form, null, async () => {
      assertion.value = await ask(place.dataset.passkeySign);
      hint(form, "✓ Your passkey has signed.", "right");
      form.requestSubmit(button);
    });
  });
}
