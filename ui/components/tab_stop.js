// One stop of the Tab key for all buttons of a group; arrows, Home and End move among them. Python puts this in front
// of the scripts of components whose buttons are many.

const FAR = 100 // how much worse it is to be aside than to be far away

const middle = ({ left, width }) => left + width / 2

// The nearest button above (-1) or below (1), in the same column if there is one.
function beyond(buttons, from, direction) {
  const here = from.getBoundingClientRect()
  let [best, least] = [from, Number.POSITIVE_INFINITY]
  for (const button of buttons) {
    const there = button.getBoundingClientRect()
    const away = direction * (there.top - here.top)
    const distance = away + FAR * Math.abs(middle(there) - middle(here))
    if (away > here.height / 2 && distance < least) [best, least] = [button, distance]
  }
  return best
}

function neighbour(buttons, from, key) {
  const place = buttons.indexOf(from)
  if (place < 0) return undefined
  return {
    ArrowLeft: () => buttons[place - 1] ?? from,
    ArrowRight: () => buttons[place + 1] ?? from,
    ArrowUp: () => beyond(buttons, from, -1),
    ArrowDown: () => beyond(buttons, from, 1),
    Home: () => buttons[0],
    End: () => buttons.at(-1),
  }[key]?.()
}

// Let `fill` put its buttons into a group. The stop, and the focus, stay with the button of the same `data-cell`, or else
// with the one at the same place.
export function oneTabStop(group, fill) {
  const before = [...group.querySelectorAll("button")]
  const held = group.contains(group.getRootNode().activeElement)
  const place = before.findIndex((button) => button.tabIndex === 0)
  fill()
  const buttons = [...group.querySelectorAll("button")]
  if (!buttons.length) return
  const cell = before[place]?.dataset.cell
  const same = cell && buttons.find((button) => button.dataset.cell === cell)
  const stop = same || buttons[Math.min(Math.max(place, 0), buttons.length - 1)]
  for (const button of buttons) {
    button.tabIndex = button === stop ? 0 : -1
    button.onfocus = () => {
      for (const each of buttons) each.tabIndex = each === button ? 0 : -1
    }
  }
  if (held) stop.focus()
  group.onkeydown = (event) => {
    const target = neighbour(buttons, event.target, event.key)
    if (!target || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation() // the page turns at the same keys where no button of the group has the focus
    target.focus()
  }
}
