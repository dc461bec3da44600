// One Plotly chart whose node lives as long as the page shows it: updates go through Plotly.react, so zoom, hover and
// hidden traces survive them. Plotly itself is fetched once per browser tab: for a `data.patient` chart once the line
// has nothing else to carry, and so without `data.figure`, unless the line is slow.
//
// With `data.digits`, a point whose customdata is a whole number shows the digit of that number, cut out of one large
// picture; with `data.clicks`, the server is told which one was clicked.

const SIDE = 28 // pixels of a digit
const LOOK_MS = 200 // a page that has just appeared is looked at before anything is clicked

function loadPlotly(url) {
  window.digitLabPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = url
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      window.digitLabPlotly = undefined
      reject(new Error(url))
    }
    document.head.appendChild(script)
  })
  return window.digitLabPlotly
}

// Acts once the line has nothing else to carry: the page stands, with its scripts, fonts and pictures.
function whenLineIdle(act) {
  const app = document.querySelector("[data-testid=stApp]")
  const stands =
    app?.dataset.testScriptState === "notRunning" &&
    !document.querySelector("[data-testid=stSkeleton]") &&
    document.readyState === "complete" &&
    document.fonts.status === "loaded" &&
    [...document.images].every((image) => image.complete || image.loading === "lazy")
  if (!stands) setTimeout(() => whenLineIdle(act), LOOK_MS)
  else if (window.requestIdleCallback) requestIdleCallback(act)
  else setTimeout(act) // Safari has no such callback
}

// Whether a browser would rather not fetch what may not be needed; only Chromium tells.
function saves() {
  const line = navigator.connection
  return Boolean(line?.saveData || /[23]g/.test(line?.effectiveType))
}

function hasWebGL() {
  window.digitLabWebGL ??= Boolean(document.createElement("canvas").getContext("webgl"))
  return window.digitLabWebGL
}

// Without WebGL the same points are drawn as SVG: slower, but there.
function drawable(traces) {
  const isGL = (trace) => trace.type === "scattergl"
  if (!traces.some(isGL) || hasWebGL()) return traces
  return traces.map((trace) => (isGL(trace) ? { ...trace, type: "scatter" } : trace))
}

// A figure may say how high it can be for its width. A finger that moves over it scrolls the page, and does not zoom.
function fitting(layout, width) {
  const most = layout.meta?.most_height_per_width
  if (!most) return layout
  const dragmode = window.matchMedia("(hover: none)").matches ? false : layout.dragmode
  return { ...layout, dragmode, height: Math.min(layout.height, most * width) }
}

function show(Plotly, node, figure) {
  if (node.digitLabFigure !== figure || !node.isConnected) return // a newer figure is on its way
  if (node._dragging) {
    setTimeout(() => show(Plotly, node, figure), 200) // an update would end the visitor's drag
    return
  }
  if (!node._fullLayout) node.textContent = "" // Plotly may have failed to load the first time
  const drawn = Plotly.react(node, drawable(figure.data), fitting(figure.layout, node.clientWidth), {
    ...node.digitLabData.config,
    responsive: true,
    // A tap may count as a double click: that must not move the points under the finger.
    doubleClick: node.digitLabData.digits ? "reset" : "reset+autosize",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  })
  for (const svg of node.querySelectorAll(".main-svg")) svg.setAttribute("aria-hidden", "true") // the label says it
  const tools = node.querySelector(".modebar")
  if (tools) oneTabStop(tools, () => {})
  if (!node.digitLabListens) {
    node.digitLabListens = true
    drawn.then(() => listen(node))
  }
}

// What a visitor does with points. What to show and whom to tell is looked up as it happens: it changes with each run.
function listen(node) {
  const card = node.parentElement.querySelector(".live-chart-digit")
  let hit // the point that Plotly found last
  let shown // the index of the digit on the card
  let touched = false
  const hide = () => {
    hit = shown = undefined
    card.hidden = true
  }
  const present = (pointer) => {
    if (!node.digitLabData.digits) return
    const point = onTop(node, hit, pointer)
    if (!Number.isInteger(point.customdata)) return
    if (shown !== point.customdata) {
      shown = point.customdata
      fill(card, point, node.digitLabData.digits, () => shown === point.customdata)
    }
    place(card, node, pointer)
  }
  const open = (index) => {
    if (Number.isInteger(index)) node.digitLabTell("clicked", index)
  }
  node.addEventListener(
    "pointerdown",
    (event) => {
      touched = event.pointerType === "touch"
      if (touched) hide()
      card.classList.toggle("live-chart-tappable", touched && node.digitLabData.clicks)
    },
    true,
  )
  node.addEventListener("pointermove", (event) => {
    if (hit && !touched) present(position(event))
  })
  node.on("plotly_hover", (event) => {
    hit = event.points[0]
    present(position(event.event))
  })
  node.on("plotly_unhover", () => {
    if (!touched) hide()
  })
  node.on("plotly_click", (event) => {
    hit = event.points[0]
    if (touched && node.digitLabData.digits) {
      present(position(event.event)) // a tap on the card opens it
    } else if (node.digitLabData.clicks) {
      open(onTop(node, hit, position(event.event)).customdata)
    }
  })
  card.addEventListener("click", () => open(shown)) // it can only be tapped if there is something to open
}

function position(event) {
  const { clientX, clientY } = event.changedTouches?.[0] ?? event
  return [clientX, clientY]
}

// Plotly finds the point whose centre is nearest. A large marker hides the centres of small ones: what is seen at the
// pointer is meant, and that is the marker drawn last.
function onTop(node, hit, [clientX, clientY]) {
  const plot = node.querySelector(".nsewdrag").getBoundingClientRect()
  const [left, top] = [clientX - plot.left, clientY - plot.top]
  for (const trace of node._fullData.slice(hit.curveNumber + 1).reverse()) {
    const radius = trace.marker?.size / 2
    if (!(trace.visible === true && radius && trace.customdata)) continue
    for (let i = trace.x.length - 1; i >= 0; i--) {
      if (Math.hypot(hit.xaxis.d2p(trace.x[i]) - left, hit.yaxis.d2p(trace.y[i]) - top) <= radius) {
        return { customdata: trace.customdata[i], text: trace.text?.[i] }
      }
    }
  }
  return hit
}

const sheets = new Map() // address → promise of the picture

function sheet(address) {
  if (!sheets.has(address)) {
    sheets.set(
      address,
      new Promise((resolve, reject) => {
        const image = new Image()
        image.onload = () => resolve(image)
        image.onerror = () => {
          sheets.delete(address)
          reject(new Error(address))
        }
        image.src = address
      }),
    )
  }
  return sheets.get(address)
}

function fill(card, point, digits, isStillShown) {
  const index = point.customdata
  const lines = [`Image ${index.toLocaleString("en")}`, `labelled ${digits.labels[index]}`, point.text]
  card.querySelector("span").textContent = lines.filter(Boolean).join("\n")
  card.dataset.index = index
  card.hidden = false
  const context = card.querySelector("canvas").getContext("2d")
  context.clearRect(0, 0, SIDE, SIDE)
  sheet(digits.address).then(
    (image) => {
      if (!isStillShown()) return
      const [column, row] = [index % digits.columns, Math.floor(index / digits.columns)]
      context.drawImage(image, column * SIDE, row * SIDE, SIDE, SIDE, 0, 0, SIDE, SIDE)
    },
    () => {}, // the words are shown at least
  )
}

// Beside the pointer, on the side that has room.
function place(card, node, [clientX, clientY]) {
  const frame = node.getBoundingClientRect()
  const gap = 16
  const [x, y] = [clientX - frame.left, clientY - frame.top]
  const left = x + gap + card.offsetWidth > frame.width ? x - gap - card.offsetWidth : x + gap
  const top = Math.min(Math.max(0, y - card.offsetHeight / 2), frame.height - card.offsetHeight)
  card.style.transform = `translate(${Math.max(0, left)}px, ${top}px)`
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!data.figure) {
    const load = () => loadPlotly(data.plotly).catch(() => {}) // the first chart will try again
    if (!saves()) setTimeout(() => whenLineIdle(load), LOOK_MS)
    return
  }
  const node = parentElement.querySelector(".live-chart")
  const figure = data.figure
  node.style.minHeight = `${fitting(figure.layout, node.clientWidth).height}px`
  // Tools inside a picture could not be reached by those who hear it.
  node.setAttribute("role", data.config.displayModeBar ? "figure" : "img")
  const words = new DOMParser().parseFromString(figure.layout.meta?.words || "Chart", "text/html") // it has entities
  node.setAttribute("aria-label", words.body.textContent)
  node.digitLabFigure = figure
  node.digitLabData = data
  node.digitLabTell = setTriggerValue
  if (data.digits) sheet(data.digits.address).catch(() => {}) // ahead of the first look
  const draw = () =>
    loadPlotly(data.plotly)
      .then((Plotly) => show(Plotly, node, figure))
      .catch(() => {
        node.textContent = "The chart could not be loaded. Reload the page to try again."
        node.setAttribute("aria-label", node.textContent)
      })
  if (data.patient && !window.digitLabPlotly) whenLineIdle(() => node.isConnected && draw())
  else draw()
  return () => {
    if (window.Plotly && !node.isConnected) window.Plotly.purge(node)
  }
}
