"""The settings of the next run: held by the session, shown in the address, taken from a link.

The session is the truth, not the widgets: they are set from it before each is shown, and tell it when they change.
Only what was typed into the network last is asked for once more, since that may not have been told, see `setup_view`.
A link is adopted when its settings come from outside; what this session itself has put into the address is not, since
an answer of the browser may be older than the last change.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from mnist_core.networks.notation import MAX_CHARACTERS, ArchitectureError, parse_architecture
from mnist_core.training import links
from mnist_core.training.config import TrainingConfig
from mnist_core.training.presets import DEFAULT_PRESET, PRESETS
from ui.components import address_bar
from ui.session.state import Keys, Params


def _new_version() -> str:
    return secrets.token_hex(8)  # no other session has it either: a browser may outlive its session


@dataclass(frozen=True)
class Draft:
    """Settings that can be used, and the network as it is being written, which may be faulty meanwhile."""

    config: TrainingConfig
    notation: str
    notes: tuple[str, ...] = ()
    adopted: frozenset[str] = field(default_factory=frozenset)  # links that were taken over, or made here
    version: str = field(default_factory=_new_version)  # another one once the network was set other than by writing it

    @property
    def original(self) -> TrainingConfig:
        """The settings of its preset."""
        return PRESETS[self.config.preset].config

    @property
    def is_complete(self) -> bool:
        """Whether the network as written can be trained."""
        return _canonical(self.notation) is not None

    @property
    def changed(self) -> list[str]:
        """The names of settings that differ from the preset's."""
        return [
            setting.name
            for setting in fields(TrainingConfig)
            if getattr(self.config, setting.name) != getattr(self.original, setting.name)
        ]


def current() -> Draft:
    """Return the draft of this session, or a new one, with what the address holds if that came from outside."""
    draft: Draft = st.session_state.get(Keys.DRAFT) or _keep(_from(PRESETS[DEFAULT_PRESET].config))
    query = {name: text for name, text in st.query_params.to_dict().items() if name not in list(Params)}
    link = urlencode(sorted((name, text) for name, text in query.items() if name in links.setting_names()))
    if link and link not in draft.adopted:
        linked = links.from_query(query)
        draft = _keep(Draft(linked.config, linked.notation, linked.notes, draft.adopted | {link}))
    return draft


def load(config: TrainingConfig) -> None:
    """Take over the settings of a run or a file."""
    known = config if config.preset in PRESETS else replace(config, preset=DEFAULT_PRESET)
    _keep(_from(known))


def load_preset(name: str) -> None:
    """Take over all settings of a preset."""
    _keep(_from(PRESETS[name].config))


def write_network(notation: str) -> None:
    """Take note of the network as it is written now."""
    draft = current()
    network = _canonical(notation)
    config = draft.config if network is None else replace(draft.config, notation=network)
    _keep(replace(draft, config=config, notation=notation, notes=()))


def change(**values: Any) -> None:
    """Take note of changed settings. What is out of bounds or does not go with them follows, with a note."""
    draft = current()
    fitting = {name: links.within_bounds(name, value) for name, value in values.items()}
    notes = [
        f"{name.replace('_', ' ').capitalize()}: {values[name]:,g} is out of bounds, so it is {fitting[name]:,g}."
        for name in values
        if fitting[name] != values[name]
    ]
    config, note = links.combine(draft.config, fitting)
    _keep(replace(draft, config=config, notes=(*notes, note) if note else tuple(notes)))


def reset(names: Iterable[str]) -> None:
    """Give settings the values of the preset again."""
    draft = current()
    values = {name: getattr(draft.original, name) for name in names}
    if "notation" in values:  # in one step: a run may be ended between two
        network = values.pop("notation")
        config = replace(draft.config, notation=network)
        _keep(replace(draft, config=config, notation=network, notes=(), version=_new_version()))
    if values:
        change(**values)


def show_in_address(draft: Draft) -> None:
    """Put the settings into the address of the page, without a step in the browser's history."""
    query = links.to_query(draft.config)
    link = urlencode(sorted(query.items()))
    if link not in draft.adopted:
        _keep(replace(draft, adopted=draft.adopted | {link}))
    address_bar.show(query, links.setting_names())


def _from(config: TrainingConfig) -> Draft:
    old: Draft | None = st.session_state.get(Keys.DRAFT)
    return Draft(config, config.notation, (), old.adopted if old else frozenset())


def _keep(draft: Draft) -> Draft:
    st.session_state[Keys.DRAFT] = draft
    return draft


def _canonical(notation: str) -> str | None:
    try:
        canonical = str(parse_architecture(notation))
    except ArchitectureError:
        return None
    return canonical if len(canonical) <= MAX_CHARACTERS else None
