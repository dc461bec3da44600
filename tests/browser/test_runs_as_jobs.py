"""Runs as jobs in a real browser: a queue, a run that is killed and goes on, and the table of all runs."""

import re
import shutil
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from mnist_core import runs
from mnist_core.processes.queue import capacity
from mnist_core.training import checkpoints
from tests.support.serving import start_server, stop_server
from tests.support.steps import halted, start_run, wait_for_end, wait_for_epochs, wait_for_points, wait_for_training


@pytest.mark.no_charts
def test_a_queue_of_three_runs(page: Page, tmp_path: Path, monkeypatch) -> None:
    server = start_server(tmp_path)
    try:
        ids = [start_run(page, server.url, images=20_000, epochs=30, seed=seed) for seed in range(capacity() + 2)]
        *_, second_last, last = ids
        expect(page.get_by_text("number 2 of 2")).to_be_visible()

        other = page.context.new_page()
        with halted(tmp_path / "runs" / ids[0]):
            other.goto(f"{server.url}/train?run={second_last}")
            expect(other.get_by_text("number 1 of 2")).to_be_visible()
            other.get_by_role("button", name="Cancel", exact=True).click()
            expect(other.get_by_text("Stopped before training began.")).to_be_visible()
            expect(page.get_by_text("number 1 of 1")).to_be_visible()
            other.goto(f"{server.url}/train?run={ids[0]}")
            expect(other.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        other.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text(re.compile(r"Epoch \d+ of 30"))).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()
        for run_id in (ids[0], last):
            assert wait_for_end(tmp_path / "runs" / run_id).status.state == "stopped"
        assert wait_for_end(tmp_path / "runs" / second_last).report is None
    finally:
        for run in runs.list_active(tmp_path / "runs"):
            runs.request_stop(run.path)
        stop_server(server)


@pytest.mark.fault(id="training-killed")
def test_a_killed_run_says_so_and_goes_on(page: Page, server) -> None:
    run_id = start_run(page, server.url, images=3_000, epochs=4)
    path = server.runs_dir / run_id
    wait_for_epochs(path, 1.2)
    with halted(path):
        wait_for_points(page, 20)
        wait_for_training(page, 1.2)
        pid = runs.read_run(path).status.pid
        assert pid is not None
        psutil.Process(pid).kill()
    expect(page.get_by_text("Interrupted.")).to_be_visible()
    assert checkpoints.has_checkpoint(path)
    assert (path / "model.keras").exists()

    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 4"))).to_be_visible()
    run = wait_for_end(path, 300)  # other tests go before a training process, see `machine.lower_priority`
    assert run.status.state == "finished"
    assert run.report is not None
    assert run.report.epochs_completed == 4
    expect(page.get_by_text("Test accuracy", exact=True).first).to_be_visible()


def test_runs_are_compared_renamed_deleted_and_brought_back(page: Page, server, trained_run: Path) -> None:
    run_id = trained_run.name
    shutil.copytree(trained_run, server.runs_dir / run_id)
    page.goto(f"{server.url}/train?view=compare&compare={run_id}")
    page.get_by_role("button", name="Rename").click()
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("The small one")
    name.press("Enter")
    page.wait_for_timeout(500)
    assert runs.read_run(server.runs_dir / run_id).title == "The small one"

    page.goto(f"{server.url}/train?view=compare&compare={run_id},chollet")
    expect(page.get_by_role("heading", name="Different settings")).to_be_visible()
    expect(page.get_by_text(re.compile("chollet is clearly better"))).to_be_visible()
    expect(page.locator(".live-chart")).to_have_count(4)

    page.goto(f"{server.url}/train?view=compare&compare={run_id}")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("1 run deleted.")).to_be_visible()
    assert not (server.runs_dir / run_id).exists()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("1 run deleted.")).to_have_count(0)
    assert runs.read_run(server.runs_dir / run_id).report is not None


@pytest.mark.no_charts
def test_a_result_leads_on(page: Page, server) -> None:
    page.goto(f"{server.url}/train?run=chollet")
    report = runs.read_run(runs.BUNDLED_RUNS / "chollet").report
    assert report is not None
    expect(page.get_by_text(f"{report.test_accuracy:.2%}", exact=True).first).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="Export").click()
        page.get_by_role("button", name="Python", exact=True).click()
    script = started.value.path().read_text()
    compile(script, "script", "exec")
    assert "keras" in script

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Run again").click()
    page.get_by_role("button", name="Change its settings").click()
    expect(page).to_have_url(re.compile("view=setup"))
    expect(page.get_by_role("textbox", name="Network")).to_have_value("32C3-P2-64C3-P2-D0.5-10")


def test_other_runs_in_the_chart_and_one_number(page: Page, server) -> None:
    page.goto(f"{server.url}/train?run=chollet&ghosts=nehlr,keras-steps,nobody")
    wait_for_points(page, 50)
    legend = page.locator(".live-chart").first.locator(".legendtext")
    expect(legend.filter(has_text="nehlr")).to_be_visible()
    expect(legend.filter(has_text="keras-steps")).to_be_visible()
    page.goto(f"{server.url}/train?view=published")
    expect(page.get_by_text("After nine epochs:")).to_be_visible()
    expect(page.locator(".live-chart")).to_have_count(2)
