"""The ids of runs, which are the names of their directories: safe in a path, and in the order of age."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_MOMENT = "%Y%m%d-%H%M%S%f"
# Ids keep their order when the clock is set back by up to this; beyond it, the older ids were wrong.
_CLOCK_SET_BACK = timedelta(days=1)


def is_run_id(text: str) -> bool:
    """Whether `text` can name a run: lower-case letters, digits and hyphens only, so that it is safe in a path."""
    return _RUN_ID.fullmatch(text) is not None


def dated_id(preset: str, others: Iterable[str]) -> str:
    """Return an id for a new run: the present to the millisecond, and its preset as far as that is safe in a path.

    It sorts behind the ids of `others`, also if the clock was set back since they were given.
    """
    label = re.sub(r"[^a-z0-9]+", "-", preset.lower()).strip("-")[:40] or "custom"
    return f"{_next_moment(others).strftime(_MOMENT)[:-3]}-{label}"


def moment(run_id: str) -> datetime | None:
    """Return when a run was asked for, UTC, as its id tells; None if it does not."""
    try:
        return datetime.strptime(run_id[:18], _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _next_moment(ids: Iterable[str]) -> datetime:
    """Return the present, or the first moment after all ids if these are of the future: they tell who is older."""
    now = datetime.now(UTC)
    to_come = (moment(run_id) for run_id in ids if run_id >= now.strftime(_MOMENT)[:-3])
    ahead = [later for later in to_come if later and later < now + _CLOCK_SET_BACK]
    return max(ahead) + timedelta(milliseconds=1) if ahead else now
