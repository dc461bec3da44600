"""What Hypothesis draws in several test modules."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# For tests that also take a fixture, which no example changes, and for slow machines.
no_limits = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Anything that a JSON file can hold, and numbers and texts that break careless readers.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
) | st.sampled_from([10**400, -(10**400), 2**63, -1, 0, float("inf"), float("-inf"), float("nan"), "\ud800", "1"])
