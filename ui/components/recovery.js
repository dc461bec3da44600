// If Streamlit's own script fails, it takes the whole page away. What it showed is in the address, so load it again.

const AT_LEAST_BETWEEN = 60_000 // milliseconds, so that a page that always fails does not load for ever
const NAME = "digit-lab-loaded-again"

function loadAgain() {
  if (document.querySelector('[data-testid="stApp"]')) return
  const last = Number(window.sessionStorage.getItem(NAME))
  if (Date.now() - last < AT_LEAST_BETWEEN) return
  window.sessionStorage.setItem(NAME, Date.now())
  window.location.reload()
}

export default function () {
  if (window.digitLabRecovers) return
  window.digitLabRecovers = true
  window.addEventListener("error", () => setTimeout(loadAgain, 500))
}
