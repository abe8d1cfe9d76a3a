"""The request/response workload of pubsubsql-bench, for a moment: what it measures is there, not how much."""

import json
import os
import subprocess
import unittest
from pathlib import Path

PROGRAM = os.environ.get("PUBSUBSQLD", "build/release/pubsubsqld")
BENCH = os.environ.get("PUBSUBSQL_BENCH", str(Path(PROGRAM).parent / "pubsubsql-bench"))
TIMEOUT_S = 120 * int(os.environ.get("PUBSUBSQL_TEST_SLOWDOWN", "1"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


class RequestResponse(unittest.TestCase):
    def measure(self, *flags: str) -> dict[str, dict[str, object]]:
        small = ["--rows", "2000", "--seconds", "0.05", "--rounds", "1", "--client-cpu", "-1", "--server-cpu", "-1"]
        result = run("request-response", "--json", "--server", PROGRAM, *small, *flags)
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(len(report["ratios"]) * 2, len(report["rates"]))
        for rate in report["rates"]:
            self.assertGreater(rate["per_second"], 0, rate["name"])
            self.assertLessEqual(rate["p50_us"], rate["p99_9_us"], rate["name"])
            self.assertIn("server_cpu", rate)
        return {rate["name"]: rate for rate in report["rates"]}

    def test_requests_and_replies(self) -> None:
        cases = ["update 1x1", "update 10x20", "select 10x20", "insert 10x20", "publish 10x20", "mix 100x1"]
        expected = {f"{case}, {peer}" for case in cases for peer in ("PubSubSQL", "null server")}
        self.assertEqual(set(self.measure()), expected)

    def test_requests_and_replies_as_wished(self) -> None:
        rates = self.measure("--operation", "mix,select", "--connections", "3", "--depth", "5", "--threads", "2")
        expected = {f"{case} 3x5, {peer}" for case in ("mix", "select") for peer in ("PubSubSQL", "null server")}
        self.assertEqual(set(rates), expected)

    def test_what_is_wrong_is_said(self) -> None:
        for peer, message in (("redis", "has no port"), ("oracle:1", "is no peer"), ("redis:1", "127.0.0.1:1")):
            result = run("request-response", "--server", PROGRAM, "--seconds", "0.01", "--rows", "1",
                         "--operation", "select", "--compare", peer)
            self.assertEqual(result.returncode, 1)
            self.assertIn(message, result.stderr)


if __name__ == "__main__":
    unittest.main()
