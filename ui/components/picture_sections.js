// Pictures with words, section by section. All pictures of a sheet are one image, of which each shows its part.

function element(name, className, text) {
  const made = document.createElement(name)
  if (className) made.className = className
  if (text) made.textContent = text
  return made
}

function picture(sheet, position, frame) {
  const made = element("div", "picture")
  const { style } = made
  style.setProperty("--sprite", `url("${sheet.sprite}")`)
  style.setProperty("--columns", sheet.columns)
  style.setProperty("--rows", sheet.rows)
  style.setProperty("--ratio", sheet.ratio)
  style.setProperty("--column", position % sheet.columns)
  style.setProperty("--row", Math.floor(position / sheet.columns))
  if (frame) {
    const mark = element("div", "picture-frame")
    const [left, top, side] = frame.map((share) => `${100 * share}%`)
    Object.assign(mark.style, { left, top, width: side, height: side })
    made.append(mark)
  }
  return made
}

function tile(section, each, position) {
  const figure = element("figure")
  figure.title = each.label
  const pictures = section.sheets.map((sheet) => picture(sheet, position, each.frame))
  const seen = element("div")
  seen.setAttribute("role", "img")
  seen.setAttribute("aria-label", each.label)
  seen.append(...pictures)
  figure.append(seen)
  if (each.title || each.lines.length) {
    const caption = element("figcaption")
    if (each.title) caption.append(element("b", "", each.title))
    caption.append(...each.lines.map((line) => element("span", "", line)))
    figure.append(caption)
  }
  return figure
}

function show(section) {
  const made = element("section")
  if (section.title) {
    const title = element("h4", "", section.title)
    if (section.aside) title.append(element("small", "", ` · ${section.aside}`))
    made.append(title)
  }
  if (section.note) made.append(element("p", "", section.note))
  const tiles = element("div", section.large ? "picture-tiles picture-large" : "picture-tiles")
  tiles.style.setProperty("--width", `${section.width}px`)
  tiles.style.setProperty("--few", section.per_row[0])
  tiles.style.setProperty("--many", section.per_row[1])
  tiles.append(...section.tiles.map((each, position) => tile(section, each, position)))
  made.append(tiles)
  return made
}

export default function ({ data, parentElement }) {
  parentElement.querySelector(".picture-sections").replaceChildren(...data.sections.map(show))
}
