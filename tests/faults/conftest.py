"""One run trains at a time.

docs/faults.md lists all faults; what pages show is in tests/pages/test_faults_on_pages.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mnist_core import jobs, limits

pytest.register_assert_rewrite("broken_runs")


@pytest.fixture(scope="module", autouse=True)
def room_for_one() -> Iterator[None]:
    """Let one run train at a time, whatever this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(jobs.ROOM_VARIABLE, "1")
        patch.delenv(limits.PUBLIC_VARIABLE, raising=False)
        yield
