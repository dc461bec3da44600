"""The server dies with a run going: the run goes on, and the next server shows it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mnist_core import runs
from tests.support.serving import start_server, stop_server
from tests.support.steps import halted, start_run, trained_epochs, wait_for_points, wait_for_training


@pytest.mark.fault(id="server-killed")
def test_a_run_outlives_its_server(page: Page, tmp_path: Path) -> None:
    first = start_server(tmp_path)
    try:
        run_id = start_run(page, first.url, images=20_000, epochs=50)
        wait_for_points(page, 10)
    finally:
        first.process.kill()
        first.process.wait()

    second = start_server(tmp_path)
    try:
        with halted(tmp_path / "runs" / run_id):
            page.goto(f"{second.url}/train?run={run_id}")
            expect(page.get_by_text(re.compile(r"Epoch \d+ of 50"))).to_be_visible()
            before = trained_epochs(wait_for_points(page, 10))
        wait_for_training(page, before)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("Stopped by hand.")).to_be_visible()
        assert runs.read_run(tmp_path / "runs" / run_id).report is not None
    finally:
        stop_server(second)
