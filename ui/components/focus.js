// Moves the focus where one looks once what had it is gone: to what was opened, and back to the tile that it was opened
// from. Streamlit takes a button that is no longer shown from the page, and the focus with it.

const PATIENCE_MS = 10_000 // a page may take a while to follow
const TILE_MS = 3000 // and longer than the heading above them, the tiles that it lists
const PAUSE_MS = 50

// The tile of an image; grids have roots of their own.
function tile(index) {
  for (const { shadowRoot } of document.querySelectorAll(".stMain .stBidiComponent *")) {
    const found = shadowRoot?.querySelector(`[data-index="${CSS.escape(index)}"]`)
    if (found) return found
  }
  return undefined
}

function find(before, here, waited) {
  if (before.opened && !here.opened) {
    const from = tile(before.opened) ?? tile(window.digitLabTile)
    if (from || waited < TILE_MS) return from
  }
  return document.querySelector(`.stMain ${here.target}`)
}

export default function ({ data: here }) {
  const before = window.digitLabPlace
  window.digitLabPlace = here
  if (!before || before.place === here.place) return
  const start = performance.now()
  let last = document.activeElement
  const look = () => {
    const waited = performance.now() - start
    const now = document.activeElement
    if (window.digitLabPlace !== here || waited > PATIENCE_MS) return
    if (now === document.body) {
      const target = find(before, here, waited)
      if (target) {
        if (target.tabIndex < 0) target.tabIndex = -1
        target.focus()
        last = document.activeElement
      }
    } else if (now !== last) return // the visitor went on
    setTimeout(look, PAUSE_MS)
  }
  look()
}
