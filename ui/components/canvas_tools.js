// Undo, redo and clear for the drawing canvas, and its strokes without delay.
//
// The canvas has a toolbar of its own, which shows on hover only, and it waits 200 ms after a stroke. The buttons of
// that toolbar do what ours promise, so ours press them; its button that sends the drawing is pressed when a stroke ends.
// Where no canvas is found that looks as expected, its toolbar stays, and strokes arrive 200 ms later.

const LABELS = { undo: "Undo", redo: "Redo", clear: "Reset canvas & history", send: "Update the app with this drawing" }

const RESTING = 12 // pixels within which a palm moves
const CLEARING = 50 // milliseconds in which the canvas takes a stroke back

function findToolbar(tools) {
  const place = tools.getRootNode().host?.closest(".st-key-drawing")
  for (const element of place?.querySelectorAll("*") ?? []) {
    const toolbar = element.shadowRoot?.querySelector(".dc-toolbar")
    if (toolbar?.querySelector(`[aria-label="${LABELS.send}"]`)) return toolbar
  }
  return undefined
}

// One touch draws at a time. The canvas ends a stroke only when nothing touches the screen any more, which a resting palm
// does, and never hears that the system has cancelled a touch. So it is told of the touch that draws, and of no other.
class Touches {
  constructor(isOnCanvas, onEnd) {
    Object.assign(this, { isOnCanvas, onEnd })
    this.kinds = { touchstart: "start", touchmove: "move", touchend: "end", touchcancel: "end" }
  }

  listen() {
    this.listening = new AbortController()
    const options = { capture: true, signal: this.listening.signal, passive: true }
    for (const [name, kind] of Object.entries(this.kinds)) {
      window.addEventListener(name, (event) => event.isTrusted && this[kind](event), options)
    }
  }

  stop() {
    this.listening.abort()
  }

  changed(event) {
    return [...event.changedTouches].find((touch) => touch.identifier === this.drawing?.identifier)
  }

  start(event) {
    if (this.drawing && ![...event.touches].some((touch) => touch.identifier === this.drawing.identifier))
      this.drawing = null
    if (!this.isOnCanvas(event)) return
    const before = this.drawing
    if (before) event.stopImmediatePropagation()
    if (before && !this.rests) return
    if (before) this.lift(before, true) // it was a palm
    const [touch] = event.changedTouches
    this.drawing = touch
    this.rests = true
    this.isTold = !before
    const [canvas] = event.composedPath() // `touch.target` is what holds it
    if (before) setTimeout(() => this.drawing === touch && this.tell(canvas, touch), CLEARING)
  }

  tell(canvas, touch) {
    this.isTold = true
    const options = { touches: [touch], changedTouches: [touch], bubbles: true, composed: true, cancelable: true }
    canvas.dispatchEvent(new TouchEvent("touchstart", options))
  }

  move(event) {
    const touch = this.changed(event)
    const { clientX, clientY } = this.drawing ?? {}
    if (touch && Math.hypot(touch.clientX - clientX, touch.clientY - clientY) > RESTING) this.rests = false
  }

  end(event) {
    const touch = this.changed(event)
    if (!touch) return
    event.stopImmediatePropagation()
    this.lift(touch, event.type === "touchcancel")
  }

  lift(touch, wasCancelled) {
    this.drawing = null
    if (!this.isTold) return
    document.dispatchEvent(new TouchEvent("touchend", { changedTouches: [touch], bubbles: true }))
    this.onEnd(wasCancelled)
  }
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

  const isOnCanvas = (event) => event.composedPath().some((element) => element.classList?.contains("upper-canvas"))
  let drawing = false
  const begin = (event) => {
    drawing = isOnCanvas(event)
  }
  const end = () => {
    if (drawing) setTimeout(() => press("send")) // when the canvas, too, has heard of it
    drawing = false
  }
  const touches = new Touches(isOnCanvas, (wasCancelled) => {
    drawing = false
    if (wasCancelled)
      queueMicrotask(() => press("undo")) // when the canvas has noted the stroke, and before the next one
    else setTimeout(() => press("send"))
  })
  const onKey = (event) => {
    const key = event.key.toLowerCase()
    if (!(event.ctrlKey || event.metaKey) || !["z", "y"].includes(key)) return
    if (event.composedPath()[0].matches?.("input, textarea, [contenteditable]")) return
    event.preventDefault()
    press(key === "y" || event.shiftKey ? "redo" : "undo")
  }
  const listeners = { mousedown: begin, mouseup: end, keydown: onKey }
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener)
  touches.listen()
  tools.cleanUp = () => {
    clearInterval(searching)
    changes.disconnect()
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener)
    touches.stop()
  }
  return tools.cleanUp
}
