// What a visitor does while the connection to the server is lost goes nowhere, but the page goes on showing it. So the
// page pauses meanwhile, all but the canvas, and runs once more when the connection is back: every field then tells
// what it shows.

const PAUSED = "Connection lost. This page pauses until it is back."
const OVER = "Connection lost. Reload the page to go on."
const MESSAGES = { PINGING_SERVER: PAUSED, CONNECTING: PAUSED, DISCONNECTED_FOREVER: OVER }
const CANVAS = ".st-key-drawing" // what is drawn meanwhile is read afterwards
const PATIENCE = 6000 // milliseconds that the server has for an answer
const REST = 3000 // milliseconds after an answer until it is asked again
const AGAIN = 1000 // and if it did not answer

function pause(parent, kept) {
  for (const child of parent.children) {
    if (kept.includes(child)) continue
    if (kept.some((each) => child.contains(each))) pause(child, kept)
    else if (!child.inert) {
      child.inert = true
      child.dataset.paused = ""
    }
  }
}

function resume() {
  for (const element of document.querySelectorAll("[data-paused]")) {
    element.inert = false
    delete element.dataset.paused
  }
}

// Streamlit's own words would cover the page.
function closeDialog() {
  const dialog = document.querySelector('[data-testid="stDialog"]:not([data-paused], [data-paused] *)')
  dialog?.querySelector('[aria-label="Close"]')?.click()
}

export default function ({ data, parentElement, setTriggerValue }) {
  const notice = parentElement.querySelector(".connection")
  const app = document.querySelector("[data-test-connection-state]")
  if (!app) return // another Streamlit: the page is as it would be without this
  notice.session = data.session

  const lose = () => {
    const canvas = document.querySelector(CANVAS)
    if (!canvas?.contains(document.activeElement)) {
      notice.left = notice.focused
      notice.left?.blur()
    }
    pause(document.body, [notice.getRootNode().host, canvas].filter(Boolean))
    notice.dialogs = new MutationObserver(closeDialog)
    notice.dialogs.observe(document.body, { childList: true })
  }
  const regain = () => {
    notice.dialogs.disconnect()
    resume()
    if (document.activeElement === document.body) {
      // A field that was disabled while one typed in it does not tell what it shows until the focus leaves it.
      for (const step of ["focus", "blur", "focus"]) notice.left?.[step]({ preventScroll: true })
    }
    notice.left = undefined
    setTriggerValue("back", notice.session)
  }
  const show = () => {
    const message = MESSAGES[app.dataset.testConnectionState] ?? (notice.unanswered ? PAUSED : "")
    const before = notice.textContent
    if (message === before) return
    notice.textContent = message
    if (!before) lose()
    else if (!message) regain()
  }
  // A line can also be cut without anybody being told of it, so whoever does something has the server asked.
  const ask = async () => {
    notice.acted = true
    if (notice.asking) return
    notice.asking = true
    while (notice.acted || notice.unanswered) {
      notice.acted = false
      try {
        await fetch("_stcore/health", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) })
        notice.unanswered = false
      } catch {
        notice.unanswered = true
      }
      show()
      await new Promise((done) => setTimeout(done, notice.unanswered ? AGAIN : REST))
    }
    notice.asking = false
  }

  notice.end?.() // Streamlit runs this again when the theme changes, without the clean-up
  const states = new MutationObserver(show)
  states.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] })
  const ending = new AbortController()
  const listeners = {
    pointerdown: ask,
    keydown: ask,
    input: ask,
    focusin: (event) => {
      notice.focused = event.composedPath()[0]
    },
    focusout: (event) => {
      if (!event.composedPath()[0].disabled) notice.focused = undefined // else Streamlit has just disabled it
    },
  }
  for (const [name, listener] of Object.entries(listeners)) {
    document.addEventListener(name, listener, { capture: true, signal: ending.signal })
  }
  notice.end = () => {
    states.disconnect()
    ending.abort()
  }
  return notice.end
}
