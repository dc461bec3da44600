// A network as text and as rows of fields, in step. Python reads the notation; here tokens are only put together from
// fields, and joined. ui/components/network_editor.py describes how both sides agree on the text.

const TYPING_PAUSE = 250 // milliseconds after the last key until the text is sent
const PATIENCE = 3000 // milliseconds until a text without an answer is sent again; twice as long each time
const HINT =
  "Layers from input to output: 32C3 convolution, P2 pooling, D0.5 dropout, 128 dense, and 10 outputs at the end."
const ICONS = {
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  remove: "M7 7l10 10M17 7L7 17",
}
const HEADINGS = {
  kind: "Layer",
  amount: "Filters / units",
  size: "Size",
  stride: "Stride",
  padding: "Padding",
  activation: "Activation",
  output: "Output",
  parameters: "Parameters",
  work: "Multiply-adds",
}

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties)
  node.append(...children)
  return node
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  const path = document.createElementNS(svg.namespaceURI, "path")
  path.setAttribute("d", ICONS[name])
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  svg.append(path)
  return svg
}

function counts(arithmetic, parameters, work) {
  return element(
    "span",
    { className: "counts" },
    ...Object.entries({ arithmetic, parameters, work }).map(([className, textContent]) =>
      element("span", { className, textContent }),
    ),
  )
}

const isOutput = (row) => row?.kind === "Output"
const canSwap = (rows, one, other) => rows[one] && rows[other] && !isOutput(rows[one]) && !isOutput(rows[other])
const isNumber = (text) => /^\d*\.?\d+$/.test(text)

class NetworkEditor {
  constructor(root) {
    this.root = root
    this.field = element("input", {
      id: "notation",
      type: "text",
      spellcheck: false,
      autocomplete: "off",
      autocapitalize: "off",
      oninput: () => this.typed(),
      onblur: () => this.flush(),
      onkeydown: (event) => {
        if (event.key === "Enter") this.flush()
      },
      onscroll: () => this.alignMirror(),
    })
    this.field.setAttribute("aria-describedby", "message")
    this.mirror = element("div", { className: "mirror", ariaHidden: "true" }, element("div"))
    this.message = element("p", { id: "message", className: "message", role: "status" })
    this.list = element("ol", { ariaLabel: "Layers" })
    this.total = element("div", { className: "row total" })
    this.adders = element("div", { className: "adders", role: "toolbar", ariaLabel: "Add a layer" })
    this.skip = element("button", { type: "button", className: "skip" })
    const header = element("div", { className: "row header", ariaHidden: "true" })
    for (const [className, textContent] of Object.entries(HEADINGS)) {
      header.append(element("span", { className, textContent }))
    }
    root.replaceChildren(
      this.skip,
      element("label", { className: "title", htmlFor: "notation", textContent: "Network" }),
      element("div", { className: "notation" }, this.mirror, this.field),
      this.message,
      element("div", { className: "table" }, header, this.list, this.total),
      this.adders,
    )
    // The browser's own undo knows what was typed, but not what the rows did meanwhile, and breaks both.
    root.addEventListener("keydown", (event) => {
      const key = event.key.toLowerCase()
      if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(key)) return
      event.preventDefault()
      if (key === "y" || event.shiftKey) this.redo()
      else this.undo()
    })
    root.addEventListener("beforeinput", (event) => {
      if (!event.inputType.startsWith("history")) return
      event.preventDefault()
      if (event.inputType === "historyRedo") this.redo()
      else this.undo()
    })
  }

  // Take what Python sends: whenever its answer has changed, and the same one again when the theme changes.
  receive(answer, send) {
    this.send = send
    const replaced = answer.version !== this.answer?.version
    this.answer = answer
    if (replaced) {
      this.stop()
      this.postponed = []
      this.past = [] // texts that were sent before
      this.future = [] // and those that were undone
      this.typing = undefined
      this.field.maxLength = answer.maxLength
      this.field.value = this.sent = answer.text
    }
    this.showSkip(answer.skipTo)
    this.settle()
  }

  // The way past all fields, for the keyboard: like all such links, it is seen only while it has the focus.
  showSkip(target) {
    this.skip.hidden = !target
    if (!target) return
    const [name, key] = target
    this.skip.textContent = `Skip to ${name}`
    this.skip.onclick = () => document.querySelector(`.st-key-${key} button`)?.focus()
  }

  typed() {
    this.sendSoon()
    this.settle()
  }

  sendSoon() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.flush(), TYPING_PAUSE)
  }

  flush() {
    clearTimeout(this.timer)
    if (this.field.value === this.sent) return
    this.past.push(this.sent)
    this.future = []
    this.sent = this.field.value
    this.sendUntilAnswered()
  }

  undo() {
    this.flush()
    if (this.postponed.pop()) return
    this.step(this.past, this.future)
  }

  redo() {
    this.flush()
    this.step(this.future, this.past)
  }

  step(from, to) {
    if (!from.length) return
    to.push(this.sent)
    this.field.value = this.sent = from.pop()
    this.typing = undefined
    this.sendUntilAnswered()
    this.settle()
  }

  // Where changes follow each other quickly, Streamlit may end on an older one, or end the run that was to tell the
  // newest. It hears of that once more then.
  sendUntilAnswered(attempt = 1) {
    clearTimeout(this.overdue)
    this.send({ text: this.sent, version: this.answer.version, attempt })
    this.overdue = setTimeout(
      () => {
        if (this.answer.text !== this.sent) this.sendUntilAnswered(attempt + 1)
      },
      PATIENCE * 2 ** (attempt - 1),
    )
  }

  stop() {
    clearTimeout(this.timer)
    clearTimeout(this.overdue)
  }

  // Show the answer if it is about the text in the field. Otherwise the next one is awaited.
  settle() {
    const current = this.field.value === this.answer.text
    this.root.classList.toggle("waiting", !current)
    if (!current) {
      this.showMistake("", "", "")
      return
    }
    this.rows = this.answer.rows
    this.rowsText = this.answer.text
    this.showMistake(...(this.answer.marked ?? ["", "", ""]))
    this.showMessage()
    const focused = this.root.getRootNode().activeElement
    this.showRows()
    if (focused && !focused.isConnected) this.field.focus({ preventScroll: true })
    this.showTotal()
    this.showAdders()
    if (this.postponed.length) this.makeChanges()
  }

  // Let `edit` change the rows: now if they are what the text says, or else as soon as they are. `place` is the row
  // that is meant, if one is; `edit` is told where it is by then, and returns where the focus goes.
  change(place, edit, { soon = false } = {}) {
    this.postponed.push({ place, kind: this.rows[place]?.kind, edit, soon })
    if (this.postponed.length === 1 && this.field.value === this.rowsText) this.makeChanges()
    else this.flush()
  }

  makeChanges() {
    const rows = structuredClone(this.rows)
    // Without what was meant for a layer that the text just typed has replaced.
    const changes = this.postponed.filter(({ place, kind }) => rows[place]?.kind === kind)
    this.postponed = []
    if (!changes.length) return
    const meant = changes.map(({ place }) => rows[place]) // each change may move the rows of those after it
    let focus
    changes.forEach(({ place, edit }, number) => {
      const now = place === undefined ? undefined : rows.indexOf(meant[number])
      if (now !== -1) focus = edit(rows, now)
    })
    this.rows = rows
    this.field.value = this.rowsText = rows.map((row) => row.token).join("-")
    this.showRows()
    if (focus) this.focus(focus)
    if (changes.every(({ soon }) => soon)) this.sendSoon()
    else this.flush()
    this.settle()
  }

  setField(place, column, value, options) {
    this.change(
      place,
      (rows, now) => {
        const row = rows[now]
        const changed = row.fields.find((field) => field.column === column)
        if (!changed) return // it has become another kind of layer
        changed.value = value
        row.token = row.fields
          .filter((field) => field.value !== field.omit)
          .map((field) => field.prefix + field.value)
          .join("")
      },
      options,
    )
  }

  setKind(place, name) {
    this.change(place, (rows, now) => {
      Object.assign(rows[now], structuredClone(this.answer.kinds.find((kind) => kind.kind === name)))
      return { place: now, name: "kind" }
    })
  }

  move(place, name) {
    this.change(place, (rows, now) => {
      const target = now + (name === "up" ? -1 : 1)
      if (!canSwap(rows, now, target)) return undefined // nothing there to change places with
      rows.splice(target, 0, ...rows.splice(now, 1))
      return { place: target, name }
    })
  }

  remove(place) {
    this.change(place, (rows, now) => {
      rows.splice(now, 1)
      return { place: now < rows.length && !isOutput(rows[now]) ? now : now - 1, name: "remove" }
    })
  }

  add(name) {
    const kind = this.answer.kinds.find((each) => each.kind === name)
    this.change(undefined, (rows) => {
      const place = Math.max(0, rows.length - kind.fromEnd)
      rows.splice(place, 0, kind)
      return { place, name: "kind" }
    })
  }

  focus({ place, name }) {
    const target = this.list.children[place]?.querySelector(`[name=${name}]`) ?? this.adders.querySelector("button")
    target.focus({ preventScroll: true })
  }

  showMistake(before, marked, after) {
    this.mirror.firstChild.replaceChildren(before, element("mark", { textContent: marked }), after)
    this.field.ariaInvalid = String(Boolean(this.answer.message))
    this.alignMirror()
  }

  alignMirror() {
    this.mirror.firstChild.style.transform = `translateX(${-this.field.scrollLeft}px)`
  }

  showMessage() {
    const text = this.answer.message ?? HINT
    if (this.message.textContent !== text) this.message.textContent = text
    this.message.classList.toggle("mistake", Boolean(this.answer.message))
  }

  showRows() {
    this.rows.forEach((row, place) => {
      const old = this.list.children[place]
      if (old?.dataset.kind === String(row.kind)) return
      const node = this.makeRow(row)
      if (old) old.replaceWith(node)
      else this.list.append(node)
    })
    while (this.list.children.length > this.rows.length) this.list.lastChild.remove()
    for (const [place, row] of this.rows.entries()) this.fillRow(this.list.children[place], row, place)
  }

  // A row's elements depend on its kind alone; what they say is filled in later: that disturbs no typing in them.
  makeRow(row) {
    const node = element("li", { className: "row" })
    const place = () => [...this.list.children].indexOf(node)
    node.dataset.kind = row.kind
    const kind = isOutput(row)
      ? element("span", { textContent: row.kind })
      : element(
          "select",
          { name: "kind", onchange: (event) => this.setKind(place(), event.target.value) },
          ...(row.kind ? [] : [element("option", { textContent: "?", value: "", disabled: true })]),
          ...this.answer.kinds
            .filter((each) => !isOutput(each))
            .map((each) => element("option", { textContent: each.kind })),
        )
    node.append(element("span", { className: "kind" }, kind))
    for (const field of row.fields) node.append(this.makeField(field, place))
    node.append(element("span", { className: "output" }), counts("", "", ""))
    const actions = element("span", { className: "actions" })
    if (!isOutput(row)) {
      actions.role = "toolbar"
      const buttons = [
        element("button", { type: "button", name: "up", onclick: () => this.move(place(), "up") }, icon("up")),
        element("button", { type: "button", name: "down", onclick: () => this.move(place(), "down") }, icon("down")),
        element("button", { type: "button", name: "remove", onclick: () => this.remove(place()) }, icon("remove")),
      ]
      oneTabStop(actions, () => actions.append(...buttons))
    }
    node.append(actions)
    return node
  }

  makeField(field, place) {
    const { column, label } = field
    const name = element("span", { className: "name", textContent: label })
    if ("text" in field) {
      return element("span", { className: `field ${column}` }, name, element("span", { className: "fixed" }))
    }
    const choices = this.answer.choices[column]
    const input = choices
      ? element("select", {}, ...choices.map(([value, textContent]) => element("option", { value, textContent })))
      : element("input", { type: "number", min: field.min, max: field.max, step: field.step })
    input.name = column
    if (choices) input.onchange = () => this.setField(place(), column, input.value)
    else {
      input.oninput = () => {
        this.typing = input
        if (input.value.length > field.digits) input.value = input.value.slice(0, field.digits)
        if (isNumber(input.value)) this.setField(place(), column, input.value, { soon: true })
      }
      input.onchange = () => this.flush()
      input.onblur = () => {
        this.typing = undefined
        queueMicrotask(() => this.showRows()) // what was left empty gets its number back
      }
    }
    return element("label", { className: `field ${column}` }, name, input)
  }

  fillRow(node, row, place) {
    const layer = `Layer ${place + 1}`
    node.style.setProperty("--color", row.color)
    node.classList.toggle("mistake", Boolean(row.error))
    node.title = row.error ?? ""
    for (const [name, text] of Object.entries({
      output: row.output,
      arithmetic: row.arithmetic,
      parameters: row.parameters,
      work: row.multiplyAdds,
    })) {
      const cell = node.querySelector(`.${name}`)
      cell.textContent = text
      cell.classList.toggle("zero", text === "0" || text === "?")
    }
    for (const field of row.fields) {
      const box = node.querySelector(`.${field.column}`)
      const input = box.querySelector("input, select")
      if (input === null) box.querySelector(".fixed").textContent = field.text
      else {
        input.ariaLabel = `${layer} ${field.label}`
        if (input.value !== field.value && input !== this.typing) input.value = field.value
      }
    }
    const kind = node.querySelector("[name=kind]")
    if (kind === null) return
    kind.value = row.kind ?? ""
    kind.ariaLabel = `${layer} kind`
    kind.ariaInvalid = String(Boolean(row.error))
    node.querySelector(".actions").ariaLabel = layer
    this.fillButton(node, "up", `Move layer ${place + 1} up`, canSwap(this.rows, place, place - 1))
    this.fillButton(node, "down", `Move layer ${place + 1} down`, canSwap(this.rows, place, place + 1))
    this.fillButton(node, "remove", `Remove layer ${place + 1}`, true)
  }

  fillButton(node, name, label, enabled) {
    const button = node.querySelector(`[name=${name}]`)
    button.title = button.ariaLabel = label
    button.ariaDisabled = String(!enabled) // not `disabled`, which would lose the focus
  }

  showTotal() {
    const { parameters, multiplyAdds } = this.answer
    this.total.replaceChildren(
      element("span", { className: "kind", textContent: "Total" }),
      counts("", parameters, multiplyAdds),
    )
  }

  showAdders() {
    const names = this.answer.kinds.map((kind) => kind.kind)
    if (this.adders.dataset.names === String(names)) return // the same buttons keep the focus
    this.adders.dataset.names = names
    const buttons = names.map((name) =>
      element(
        "button",
        { type: "button", ariaLabel: `Add ${name.toLowerCase()}`, onclick: () => this.add(name) },
        name,
      ),
    )
    oneTabStop(this.adders, () => this.adders.replaceChildren("Add", ...buttons))
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".network-editor")
  root.editor ??= new NetworkEditor(root)
  root.editor.receive(data, (edit) => setStateValue("edit", edit))
  return () => {
    if (!root.isConnected) root.editor.stop()
  }
}
