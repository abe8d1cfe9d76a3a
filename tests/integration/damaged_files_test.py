"""A data directory that a disk has damaged: the server starts with every row, or says what is wrong and does not."""

import random
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402

ROWS = 300


class Damage(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.sound = Path(scratch.name) / "sound"
        self.copy = Path(scratch.name) / "copy"

    def make(self, crash: bool) -> None:
        """A directory whose log has been taken into the database, or not."""
        with ServerProcess("--threads", "1", "--log-level", "warning", "--data", str(self.sound)) as server:
            with server.framed() as client:
                client.ask("key t k")
                for i in range(ROWS):
                    client.ask(f"insert into t (k, v) values ({i}, '{'%05d' % i * 40}')")
                self.expected = client.ask("select * from t")["data"]
            if crash:
                server.kill()

    def start_with(self, name: str, bytes_: bytes) -> str:
        """Why the server does not start with this file; nothing when it does, with all rows as they were."""
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.sound, self.copy)
        (self.copy / name).write_bytes(bytes_)
        flags = ("--threads", "1", "--log-level", "warning", "--data", str(self.copy))
        try:
            with ServerProcess(*flags) as server, server.framed() as client:
                self.assertEqual(client.ask("select * from t").get("data"), self.expected)
            return ""
        except AssertionError as refused:
            if "the log has no line" not in str(refused):
                raise
            return str(refused)

    def try_all(self, name: str, seed: int, tries: int) -> int:
        sound = (self.sound / name).read_bytes()
        rng = random.Random(seed)
        refused = 0
        for _ in range(tries):
            damaged = bytearray(sound)
            what = rng.randrange(3)
            at = rng.randrange(len(damaged))
            if what == 0:
                damaged[at] ^= 1 << rng.randrange(8)
            elif what == 1:
                page = at // 4096 * 4096
                damaged[page : page + 4096] = bytes(len(damaged[page : page + 4096]))
            else:
                length = rng.randrange(1, 64)
                damaged[at : at + length] = rng.randbytes(len(damaged[at : at + length]))
            why = self.start_with(name, bytes(damaged))
            if why:
                refused += 1
                self.assertIn(str(self.copy), why)
        return refused

    def test_the_database(self) -> None:
        self.make(crash=False)
        self.assertEqual(self.start_with("pubsubsql.db", (self.sound / "pubsubsql.db").read_bytes()), "")
        self.assertGreater(self.try_all("pubsubsql.db", 1, 40), 10)

    def test_the_database_cut_off(self) -> None:
        self.make(crash=False)
        sound = (self.sound / "pubsubsql.db").read_bytes()
        for size in (0, 100, 4096, len(sound) // 2, len(sound) - 4096):
            self.assertIn(str(self.copy), self.start_with("pubsubsql.db", sound[:size]), size)

    def test_the_log(self) -> None:
        self.make(crash=True)
        name = "pubsubsql.db-wal"
        sound = (self.sound / name).read_bytes()
        self.assertEqual(self.start_with(name, sound), "")
        frame = 24 + 4096
        rng = random.Random(3)
        for _ in range(25):  # before the last transactions
            damaged = bytearray(sound)
            damaged[rng.randrange(len(sound) - 8 * frame)] ^= 1 << rng.randrange(8)
            why = self.start_with(name, bytes(damaged))
            self.assertIn(f"{self.copy}/{name} is damaged at byte", why)


if __name__ == "__main__":
    unittest.main()
