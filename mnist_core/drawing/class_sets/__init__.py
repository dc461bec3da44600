"""Class sets: drawings that people agreed to have kept, in folders of plain files.

    handwriting/
        3f9a…/                one folder for each set; its name is made here, never what somebody typed
            set.json          what the set is called
            0c1d….json        one file for each drawing, written once and never changed
        .deleted/             what was deleted in the last week, to be brought back

Whoever keeps a drawing writes a file of its own under a name that nobody else has, beside and renamed: people who draw
at the same time cannot overwrite each other, and readers never see half a drawing. No file is locked, none is shared.
docs/class-sets.md describes what the files hold.
"""
