// Digits as buttons on one shared picture. `setTriggerValue` tells Python which one was opened.

export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".digit-grid")
  grid.style.setProperty("--sprite", `url("${data.sprite}")`)
  grid.style.setProperty("--columns", data.columns)
  grid.style.setProperty("--rows", data.rows)
  grid.style.setProperty("--tile", `${data.width}px`)
  const tiles = () =>
    data.tiles.map((tile, position) => {
      const button = document.createElement("button")
      button.type = "button"
      button.title = tile.label
      button.setAttribute("aria-label", [tile.label, ...tile.caption].join(", "))
      button.dataset.index = tile.index
      const picture = document.createElement("span")
      picture.className = tile.marked ? "digit-picture digit-marked" : "digit-picture"
      picture.style.setProperty("--column", position % data.columns)
      picture.style.setProperty("--row", Math.floor(position / data.columns))
      button.append(picture)
      for (const line of tile.caption) {
        const caption = document.createElement("span")
        caption.className = "digit-caption"
        caption.textContent = line
        button.append(" ", caption) // the space keeps the lines apart for those who hear them
      }
      button.onclick = () => {
        window.digitLabTile = tile.index // where the focus comes back to, see focus.js
        setTriggerValue("opened", tile.index)
      }
      return button
    })
  oneTabStop(grid, () => grid.replaceChildren(...tiles()))
}
