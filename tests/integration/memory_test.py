"""What a million rows cost, and that the memory comes back."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import frame  # noqa: E402

SANITIZED = os.environ.get("PUBSUBSQL_SANITIZE", "") != ""
ROWS = 1_000_000
BYTES_PER_ROW_MAX = 110


@unittest.skipIf(SANITIZED, "sanitizers have memory of their own")
class Memory(unittest.TestCase):
    def test_rows(self) -> None:
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as client:
            client.ask("key t k")
            client.ask("tag t g")
            before = server.resident_bytes()
            for first in range(0, ROWS, 5_000):
                client.socket.sendall(b"".join(
                    frame(i + 100, f"stream insert into t (k, g, a, b) "
                                   f"values (key{i:09d}, tag{i % 100}, {i % 100_000}, {i * 7 % 100_000})")
                    for i in range(first, first + 5_000)))
            self.assertEqual(client.ask(f"select id from t where k = key{ROWS - 1:09d}")["data"], [[str(ROWS - 1)]])
            grown = server.resident_bytes() - before
            print(f"{grown / ROWS:.1f} bytes a row")
            self.assertLess(grown / ROWS, BYTES_PER_ROW_MAX)

            self.assertEqual(client.ask("delete from t where g = tag0")["rows"], ROWS // 100)
            self.assertEqual(client.ask("delete from t")["rows"], ROWS - ROWS // 100)
            client.ask("status")
            left = server.resident_bytes() - before
            print(f"{left / grown:.1%} left after all rows were deleted")
            self.assertLess(left, grown * 0.2)


if __name__ == "__main__":
    unittest.main()
