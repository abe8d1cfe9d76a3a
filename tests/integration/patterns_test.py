"""Plays the scripts of docs/patterns.md, each on a server of its own, as tests/script/ plays files."""

import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "script")]

from harness.server_process import ServerProcess  # noqa: E402
from run_script import Player  # noqa: E402

PAGE = TESTS.parent / "docs" / "patterns.md"


def scripts() -> dict[str, list[tuple[int, str]]]:
    """The page's scripts by their headings, each as its lines with their numbers."""
    found: dict[str, list[tuple[int, str]]] = {}
    heading, script = "", None
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            heading = line[len("## "):]
        elif line == "```script":
            script = found.setdefault(heading, [])
        elif line == "```":
            script = None
        elif script is not None and line and not line.startswith("#"):
            script.append((number, line))
    return found


def play(script: list[tuple[int, str]], text_mode: bool, threads: int) -> None:
    with ServerProcess("--threads", str(threads), "--log-level", "warning") as server:
        player = Player(server, text_mode)
        try:
            for number, line in script:
                try:
                    player.play(line)
                except Exception as problem:
                    raise AssertionError(f"{PAGE}:{number}: {line}\n{type(problem).__name__}: {problem}") from problem
        finally:
            for client in player.clients.values():
                client.close()


class Patterns(unittest.TestCase):
    def test_every_script_does_what_it_says(self) -> None:
        found = scripts()
        self.assertEqual(len(found), 6)
        for heading, script in found.items():
            for text_mode, threads in ((True, 1), (False, 3)):
                with self.subTest(heading, text_mode=text_mode, threads=threads):
                    play(script, text_mode, threads)


if __name__ == "__main__":
    unittest.main()
