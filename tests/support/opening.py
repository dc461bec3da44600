"""Opening a page as Streamlit's own test runner does, and reading what it says."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from mnist_core.common.server import PROJECT


def open_page(name: str, **query: str) -> AppTest:
    """Run the app as a visitor who follows a link to a page."""
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60).run()
    for key, value in query.items():
        app.query_params[key] = value
    if name != "home":
        app.switch_page(f"pages/{name}.py")
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    """Everything that a page says in words, as it is read: without the escapes of Markdown."""
    headings = (app.title, app.header, app.subheader)
    kinds = (*headings, app.markdown, app.caption, app.info, app.warning, app.error, app.success, app.metric)
    said = [f"{getattr(element, 'label', '')} {element.value}" for kind in kinds for element in kind]
    return "\n".join(said).replace("\\", "")
