"""The demo at full speed: every subscriber sees exactly the events that the data asks for, twice over."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.wire import deadline_s  # noqa: E402


class Demo(unittest.TestCase):
    def test_subscribers_see_the_right_events(self) -> None:
        demo = os.environ.get("PUBSUBSQL_DEMO", str(Path(PROGRAM).parent / "pubsubsql-demo"))
        for threads in ("1", "3"):
            with ServerProcess("--threads", threads, "--log-level", "warning") as server:
                for _ in range(2):
                    result = subprocess.run(
                        [demo, "--port", str(server.port), "--rate", "0", "--check", "--file",
                         str(ROOT / "tools/demo/data/stocks.csv")],
                        capture_output=True, text=True, timeout=deadline_s(60), check=False)
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                    self.assertEqual(result.stdout.count("each as it had to be"), 3)


if __name__ == "__main__":
    unittest.main()
