"""A wall clock of one process that jumps (Debian's libfaketime). Clocks that do not jump stay as they are."""

import glob
import os
import pathlib


class WallClock:
    """`file` holds by how much the process's wall clock differs from ours."""

    def __init__(self, file: pathlib.Path):
        self.file = file
        self.ahead_h = 0
        self.jump(0)

    def environment(self) -> dict[str, str]:
        """For the process, from its start on."""
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        assert libraries, "libfaketime is missing; tools/install-packages test installs it"
        return {
            "LD_PRELOAD": libraries[0],
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def jump(self, hours: int) -> None:
        """From now on the clock is this much ahead of where it would have been."""
        self.ahead_h += hours
        written = self.file.with_suffix(".new")
        written.write_text(f"{self.ahead_h:+}h\n", encoding="ascii")
        os.replace(written, self.file)
