"""Bad input of every kind that a stranger can send, and what must come of it.

Each `CaseKind` draws cases and answers them as the app does: what is refused or corrected is told in a sentence,
nothing else is raised, and no file is written but where files of its kind belong. `tests/test_bad_input.py` tries a
few cases of each kind, `benchmarks/bad_input.py` many.
"""

from tests.support.bad_cases import class_sets, drawings, names, run_files, settings

KINDS = (*settings.KINDS, *drawings.KINDS, *class_sets.KINDS, *run_files.KINDS, *names.KINDS)
