// A translator takes each text out of the page and puts its own into <font> elements instead. React knows nothing of
// that, and fails when it removes such a text, inserts something before it, or changes it unseen
// (https://github.com/facebook/react/issues/11538). So each text is put back just before React touches it.

const standIns = new WeakMap() // text that was taken out → the <font> in its place

function isText(node) {
  return node?.nodeType === Node.TEXT_NODE
}

function isFont(node) {
  return node?.nodeName === "FONT"
}

function note(records) {
  for (const { addedNodes, removedNodes, previousSibling, nextSibling } of records) {
    const font = [...addedNodes, previousSibling, nextSibling].find(isFont)
    if (font) for (const node of removedNodes) if (isText(node)) standIns.set(node, font)
  }
}

// The outermost <font> that stands for a text, also one that was only put around it.
function standIn(text) {
  let font = isFont(text.parentNode) ? text.parentNode : text.parentNode ? null : standIns.get(text)
  while (isFont(font?.parentNode)) font = font.parentNode
  return font
}

function putBack(node) {
  if (isText(node)) standIn(node)?.replaceWith(node)
}

function guard() {
  const { removeChild, insertBefore } = Node.prototype
  Node.prototype.removeChild = function (child) {
    if (child?.parentNode !== this) putBack(child)
    return removeChild.call(this, child)
  }
  Node.prototype.insertBefore = function (node, next) {
    if (next?.parentNode !== this) putBack(next)
    return insertBefore.call(this, node, next)
  }
  const value = Object.getOwnPropertyDescriptor(Node.prototype, "nodeValue")
  Object.defineProperty(Node.prototype, "nodeValue", {
    ...value,
    set(text) {
      if (!this.parentNode) putBack(this)
      value.set.call(this, text)
    },
  })
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true })
}

export default function () {
  if (!window.digitLabTranslation) {
    window.digitLabTranslation = true
    guard()
  }
}
