"""The run directory, which is the only truth about a run.

    config.json      what was asked
    status.json      how it stands; replaced atomically
    metrics.jsonl    what happened, one numbered event a line; only ever appended to, a torn last line is ignored
    model.keras      the network, written beside and renamed
    predictions.npz  its probabilities for the 10,000 test images
    epochs/          those after each epoch, see `epoch_predictions`
    report.json      what was measured; there once all else is complete
    checkpoint.npz   what training needs to go on from its last whole epoch; there until it ends
    stop             present when somebody asked the run to stop
    title.txt        what somebody called it, if anybody did
    owner.txt        whose it is, as a hash, on a public server
    log.txt          what the training process printed

Readers never fail on a torn or foreign file: they raise `RunError` with a sentence for the page, or skip the line.

What stands here makes, finds and reads whole runs. Each file has a module: status.json `status`, report.json and
predictions.npz `results`, metrics.jsonl `event_log`, epochs/ `epoch_predictions`, checkpoint.npz one of `training`.
"""

from mnist_core.runs.listing import find_run, list_active, list_runs, unreadable_runs
from mnist_core.runs.run import (
    BUNDLED_RUNS,
    MAX_TITLE,
    Run,
    create_run,
    may_change,
    read_run,
    rename,
    request_stop,
    stop_requested,
    withdraw_stop,
)

__all__ = [
    "BUNDLED_RUNS",
    "MAX_TITLE",
    "Run",
    "create_run",
    "find_run",
    "list_active",
    "list_runs",
    "may_change",
    "read_run",
    "rename",
    "request_stop",
    "stop_requested",
    "unreadable_runs",
    "withdraw_stop",
]
