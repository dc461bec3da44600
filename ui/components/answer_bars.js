// One answer of a network: the digit, and ten bars in fixed order. Updated in place, so that bars move and nothing
// flickers.

const COUNT = 10

function span(className) {
  const element = document.createElement("span")
  element.className = className
  return element
}

function build(root) {
  const bars = root.querySelector(".bars")
  for (let digit = 0; digit < COUNT; digit += 1) {
    const row = document.createElement("div")
    row.className = "bar"
    const [share, track, name] = ["share", "track", "name"].map(span)
    track.append(span("fill"))
    name.textContent = digit
    row.append(share, track, name)
    bars.append(row)
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".answer")
  if (!root.querySelector(".bar")) build(root)
  root.dataset.kind = data.kind
  root.classList.toggle("small", data.small)
  root.querySelector(".title").textContent = data.title
  root.querySelector(".digit").textContent = data.digit
  root.querySelector(".headline").textContent = data.headline
  root.querySelector(".sentence").textContent = data.sentence
  root.querySelector(".note").textContent = data.note
  const best = data.shares.length ? data.shares.indexOf(Math.max(...data.shares)) : -1
  root.querySelectorAll(".bar").forEach((row, digit) => {
    const share = data.shares[digit] ?? 0
    row.querySelector(".fill").style.height = `${100 * share}%`
    row.querySelector(".share").textContent = data.labels[digit] ?? ""
    row.classList.toggle("best", digit === best)
  })
  root.querySelector(".bars").setAttribute("aria-label", data.description)
}
