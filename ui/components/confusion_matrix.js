// A confusion matrix as a table of buttons: a cell, a whole row or a whole column can be chosen.

function button(text, label, cell, chosen, onClick) {
  const element = document.createElement("button")
  element.type = "button"
  element.textContent = text
  element.title = label
  element.setAttribute("aria-label", label)
  element.setAttribute("aria-pressed", chosen)
  element.dataset.cell = cell
  element.onclick = onClick
  return element
}

export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector("table")
  const pick = (row, column) => () => {
    const again = data.row === row && data.column === column
    setTriggerValue("picked", again ? "" : `${row ?? ""},${column ?? ""}`) // a second click lets go
  }
  const head = document.createElement("tr")
  const corner = document.createElement("td")
  corner.className = "confusion-corner"
  corner.append("true ↓", document.createElement("br"), "pred.→")
  head.append(corner)
  const rows = data.cells.map((cells, row) => {
    const line = document.createElement("tr")
    const side = document.createElement("th")
    side.scope = "row"
    side.append(button(row, data.rows[row], `${row},`, data.row === row && data.column === null, pick(row, null)))
    line.append(side)
    const top = document.createElement("th")
    top.scope = "col"
    top.append(button(row, data.columns[row], `,${row}`, data.column === row && data.row === null, pick(null, row)))
    head.append(top)
    cells.forEach((cell, column) => {
      const place = document.createElement("td")
      if (cell.text === "") {
        place.className = row === column ? "confusion-diagonal" : ""
      } else {
        const chosen = data.row === row && data.column === column
        const element = button(cell.text, cell.label, `${row},${column}`, chosen, pick(row, column))
        element.className = row === column ? "confusion-diagonal" : "confusion-mistake"
        element.style.setProperty("--shade", cell.shade)
        place.append(element)
      }
      line.append(place)
    })
    return line
  })
  oneTabStop(table, () => table.replaceChildren(head, ...rows))
}
