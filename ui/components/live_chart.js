// One Plotly chart whose node lives as long as the page shows it: updates go through Plotly.react, so zoom, hover and
// hidden traces survive them. Plotly itself is fetched once per browser tab.

function loadPlotly(url) {
  if (!window.digitLabPlotly) {
    window.digitLabPlotly = fetch(url)
      .then((response) => {
        if (!response.ok) throw new Error(`${url}: ${response.status}`)
        return response.text()
      })
      .then((source) => new Promise((resolve, reject) => {
        // Some systems serve .js files as plain text, which browsers refuse to run; a blob has the type we give it.
        const script = document.createElement("script")
        script.src = URL.createObjectURL(new Blob([source], { type: "text/javascript" }))
        script.onload = () => resolve(window.Plotly)
        script.onerror = reject
        document.head.appendChild(script)
      }))
      .catch((error) => {
        window.digitLabPlotly = undefined
        throw error
      })
  }
  return window.digitLabPlotly
}

function show(Plotly, node, figure) {
  if (node.digitLabFigure !== figure || !node.isConnected) return // a newer figure is on its way
  if (node._dragging) {
    setTimeout(() => show(Plotly, node, figure), 200) // an update would end the visitor's drag
    return
  }
  Plotly.react(node, figure.data, figure.layout, {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  })
}

export default function ({ data, parentElement }) {
  const node = parentElement.querySelector(".live-chart")
  const figure = data.figure
  node.style.minHeight = `${figure.layout.height}px`
  node.digitLabFigure = figure
  loadPlotly(data.plotly)
    .then((Plotly) => show(Plotly, node, figure))
    .catch(() => {
      node.textContent = "The chart could not be loaded. Reload the page to try again."
    })
  return () => {
    if (window.Plotly && !node.isConnected) window.Plotly.purge(node)
  }
}
