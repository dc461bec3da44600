"""What axe-core finds wrong with a page for people with disabilities, but for what Streamlit alone can mend."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

CONTRAST = ("color-contrast",)
_LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_FURTHER = ("heading-order", "label-content-name-mismatch", "target-size")  # good practice, or not on by itself

# Rules, and elements of Streamlit's own that break them: nothing in this project makes them.
EXCEPTIONS = (
    ("scrollable-region-focusable", "[data-testid=stTable]"),
)  # on a phone; browsers let the keyboard scroll it

_FIND = """async ([options, exceptions]) => {
    const { violations } = await axe.run(document, { ...options, elementRef: true, resultTypes: ["violations"] })
    const isExcepted = (rule, element) => exceptions.some(([id, where]) => id === rule && element.closest(where))
    return violations.flatMap(({ id, nodes }) => nodes
        .filter(({ element }) => !isExcepted(id, element))
        .map(({ element, any }) => `${id}: ${element.outerHTML.slice(0, 160)} ${any[0]?.message ?? ""}`))
}"""


def violations(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """Return what breaks WCAG 2.2 AA in a page as it is now, or some of its rules, each with its element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    every = {"runOnly": {"type": "tag", "values": _LEVELS}, "rules": {rule: {"enabled": True} for rule in _FURTHER}}
    some = {"runOnly": {"type": "rule", "values": rules}}
    found: list[str] = page.evaluate(_FIND, [some if rules else every, EXCEPTIONS])
    return found
