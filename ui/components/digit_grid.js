// Digits as buttons on one shared picture. `setTriggerValue` tells Python which one was opened.

// One stop of the Tab key for all digits: arrows, Home and End move among them.

function tabStop(grid) {
  return [...grid.children].findIndex((button) => button.tabIndex === 0)
}

function moveTabStop(grid, stop) {
  for (const button of grid.children) button.tabIndex = button === stop ? 0 : -1
}

function neighbour(buttons, place, key) {
  if (place < 0) return undefined
  const below = buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop)
  const columns = below < 0 ? buttons.length : below
  const target = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    ArrowUp: place - columns,
    ArrowDown: place + columns,
    Home: 0,
    End: buttons.length - 1,
  }[key]
  return target === undefined ? undefined : Math.min(Math.max(target, 0), buttons.length - 1)
}

export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector(".digit-grid")
  grid.style.setProperty("--sprite", `url("${data.sprite}")`)
  grid.style.setProperty("--columns", data.columns)
  grid.style.setProperty("--rows", data.rows)
  grid.style.setProperty("--tile", `${data.width}px`)
  const focused = tabStop(grid)
  const held = grid.contains(grid.getRootNode().activeElement)
  grid.replaceChildren(
    ...data.tiles.map((tile, position) => {
      const button = document.createElement("button")
      button.type = "button"
      button.title = tile.label
      button.setAttribute("aria-label", tile.label)
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
        button.append(caption)
      }
      button.onclick = () => setTriggerValue("opened", tile.index)
      button.onfocus = () => moveTabStop(grid, button)
      return button
    }),
  )
  const buttons = [...grid.children]
  if (!buttons.length) return
  const stop = buttons[Math.min(Math.max(focused, 0), buttons.length - 1)]
  moveTabStop(grid, stop)
  if (held) stop.focus()
  grid.onkeydown = (event) => {
    const target = neighbour(buttons, buttons.indexOf(event.target), event.key)
    if (target === undefined || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation() // the page turns at the same keys where no digit has the focus
    buttons[target].focus()
  }
}
