// Looks again by itself while something is going on, and says so politely. Without it the page reloads or waits for a key.
document.documentElement.classList.add("has-script");

const place = document.querySelector("[data-progress]");
const words = document.querySelector("[data-progress-words]");
const busy = new Set(["scanning", "requesting"]);

async function look(seen, wait) {
  await new Promise((done) => setTimeout(done, wait));
  if (document.hidden) return look(seen, wait);
  try {
    const answer = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const told = await answer.json();
    if (told.state !== place.dataset.state) {
      // never under somebody's hands: whoever is typing is told, and reloads when done
      if (isTyping()) words.textContent = `${told.word}. Reload the page when you are done typing.`;
      else location.reload();
      return;
    }
    if (words.textContent !== told.words) words.textContent = told.words;
    return look(told.state, busy.has(told.state) ? 1500 : 10000);
  } catch {
    return look(seen, Math.min(wait * 2, 30000)); // the network comes and goes
  }
}

function isTyping() {
  return [...document.querySelectorAll("main input:not([type=hidden]), main textarea")].some((f) => f.value !== f.defaultValue);
}

if (place) look(place.dataset.state, busy.has(place.dataset.state) ? 1500 : 10000);
