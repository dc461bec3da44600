// Undo, redo and clear for the drawing canvas, and its strokes without delay.
//
// The canvas has a toolbar of its own, which shows on hover only, and it waits 200 ms after a stroke. The buttons of
// that toolbar do what ours promise, so ours press them; its button that sends the drawing is pressed when a stroke ends.
// Where no canvas is found that looks as expected, its toolbar stays, and strokes arrive 200 ms later.

const LABELS = { undo: "Undo", redo: "Redo", clear: "Reset canvas & history", send: "Update the app with this drawing" }

function findToolbar(tools) {
  const place = tools.getRootNode().host?.closest(".st-key-drawing")
  for (const element of place?.querySelectorAll("*") ?? []) {
    const toolbar = element.shadowRoot?.querySelector(".dc-toolbar")
    if (toolbar?.querySelector(`[aria-label="${LABELS.send}"]`)) return toolbar
  }
  return undefined
}

export default function ({ data, parentElement, setTriggerValue }) {
  const tools = parentElement.querySelector(".canvas-tools")
  tools.cleanUp?.() // Streamlit runs this again when the theme changes, without the clean-up
  const [undo, redo, clear] = tools.children
  let toolbar
  const behind = (name) => toolbar?.querySelector(`[aria-label="${LABELS[name]}"]`)
  const press = (name) => behind(name)?.click()
  const show = () => {
    undo.disabled = behind("undo").disabled
    redo.disabled = behind("redo").disabled
    clear.disabled = undo.disabled && !data.restored
  }
  const changes = new MutationObserver(show)
  const search = () => {
    toolbar = findToolbar(tools)
    if (!toolbar) return
    clearInterval(searching)
    toolbar.style.visibility = "hidden" // the canvas sets `display` itself
    tools.hidden = false
    changes.observe(toolbar, { attributes: true, attributeFilter: ["disabled"], subtree: true })
    show()
  }
  const searching = setInterval(search, 50)
  search()

  undo.onclick = () => press("undo")
  redo.onclick = () => press("redo")
  // Its own button would bring back the drawing that the canvas started with.
  clear.onclick = () => (data.restored ? setTriggerValue("cleared", true) : press("clear"))

  let drawing = false
  const begin = (event) => {
    drawing = event.composedPath().some((element) => element.classList?.contains("upper-canvas"))
  }
  const end = () => {
    if (drawing) setTimeout(() => press("send")) // when the canvas, too, has heard of it
    drawing = false
  }
  const onKey = (event) => {
    const key = event.key.toLowerCase()
    if (!(event.ctrlKey || event.metaKey) || !["z", "y"].includes(key)) return
    if (event.composedPath()[0].matches?.("input, textarea, [contenteditable]")) return
    event.preventDefault()
    press(key === "y" || event.shiftKey ? "redo" : "undo")
  }
  const listeners = { mousedown: begin, touchstart: begin, mouseup: end, touchend: end, keydown: onKey }
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener)
  tools.cleanUp = () => {
    clearInterval(searching)
    changes.disconnect()
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener)
  }
  return tools.cleanUp
}
