"""The pipeline of jobs, small: every job is done exactly once although workers are killed."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.wire import deadline_s  # noqa: E402


class Jobs(unittest.TestCase):
    def test_every_job_is_done_exactly_once(self) -> None:
        demo = os.environ.get("PUBSUBSQL_JOBS", str(Path(PROGRAM).parent / "pubsubsql-jobs"))
        for threads in ("1", "3"):
            with ServerProcess("--threads", threads, "--log-level", "warning") as server:
                result = subprocess.run(
                    [demo, "--port", str(server.port), "--jobs", "400", "--workers", "3", "--kills", "3"],
                    capture_output=True, text=True, timeout=deadline_s(120), check=False)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                self.assertIn("every job was done exactly once", result.stdout)


if __name__ == "__main__":
    unittest.main()
