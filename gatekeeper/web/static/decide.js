// Keeps the chosen answer unfolded when another part of the page is looked at. Without this the address alone unfolds it.
const form = document.querySelector("[data-decide]");
const ANSWERS = ["approve", "changes", "refuse"];

function keep() {
  const said = location.hash.slice(1);
  if (!ANSWERS.includes(said)) return;
  for (const answer of ANSWERS) form.classList.toggle(`says-${answer}`, answer === said);
}

if (form) {
  window.addEventListener("hashchange", keep);
  keep();
}
