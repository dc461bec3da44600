"""A server that strangers can reach: two visitors, each in a browser profile of their own."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mnist_core import runs
from tests.support.serving import start_server, stop_server
from tests.support.steps import halted, start_run, wait_for_end

pytestmark = pytest.mark.no_charts


@pytest.mark.public(id="may-change-own-runs")
def test_only_who_started_a_run_may_stop_it_also_after_a_restart(page: Page, browser: Browser, tmp_path: Path) -> None:
    server = start_server(tmp_path, DIGIT_LAB_PUBLIC="1")
    try:
        page.goto(f"{server.url}/train?preset=chollet&epochs=90")
        expect(page.get_by_text("90 epochs: at most 80 are allowed here.")).to_be_visible()
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()

        run_id = start_run(page, server.url, images=20_000, epochs=20)
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()

        stranger = browser.new_context().new_page()
        with halted(server.runs_dir / run_id):
            stranger.goto(f"{server.url}/train?run={run_id}")
            expect(stranger.get_by_text(re.compile(r"Epoch \d+ of 20"))).to_be_visible()
            expect(stranger.get_by_role("button", name="Stop", exact=True)).to_have_count(0)

            page.reload()
            expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()
        run = wait_for_end(server.runs_dir / run_id)
        assert run.status.state == "stopped"
        assert run.owner

        stranger.goto(f"{server.url}/train?view=compare&compare={run_id}")
        expect(stranger.get_by_role("button", name="Open", exact=True)).to_be_visible()
        expect(stranger.get_by_role("button", name="Delete", exact=True)).to_have_count(0)
        assert stranger.get_by_test_id("stException").count() == 0
        stranger.context.close()
    finally:
        for run in runs.list_active(server.runs_dir):
            runs.request_stop(run.path)
        stop_server(server)
