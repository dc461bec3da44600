"""One run trains at a time.

docs/faults.md lists all faults; what pages show is in tests/pages/test_faults_on_pages.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mnist_core.common.server import CAPACITY_VARIABLE, PUBLIC_VARIABLE

pytest.register_assert_rewrite("broken_runs")


@pytest.fixture(scope="module", autouse=True)
def room_for_one() -> Iterator[None]:
    """Let one run train at a time, whatever this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CAPACITY_VARIABLE, "1")
        patch.delenv(PUBLIC_VARIABLE, raising=False)
        yield
