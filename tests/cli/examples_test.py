"""Runs the client library's examples against a real server. EXAMPLES is their folder, PUBSUBSQLD the server."""

import os
import socket
import subprocess
import time
import unittest

os.environ.setdefault("PUBSUBSQL_CLI", "")

from cli_test import DEADLINE_SECONDS, Server  # noqa: E402: it reads the variable above


class ExamplesTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(lambda: self.server.stop())

    def run_example(self, name, *arguments):
        program = os.path.join(os.environ["EXAMPLES"], name)
        done = subprocess.run([program, "127.0.0.1", str(self.server.port), *arguments], capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_quick_start(self):
        self.assertEqual(self.run_example("quick_start"), "Earth: 1 moons, 6371 km\nMars: 2 moons, 3389.5 km\n"
                                                          "Vesta: 0 moons, 262.7 km\n3 rows deleted\n")

    def test_pull_loop(self):
        self.assertEqual(self.run_example("pull_loop"), "insert: put out the fire\nadd: sweep\n")

    def test_streaming_load(self):
        said = self.run_example("streaming_load", "20000")
        self.assertRegex(said, r"20000 rows in \S+ s, 0 refused\n20000 rows deleted\n")

    def test_coroutine(self):
        self.assertEqual(self.run_example("coroutine"),
                         "insert: 1 row\nupdate: 1 row\ndelete: 1 row\n"
                         "event insert, id 0\nevent update, id 0\nevent delete, id 0\n")

    def wait_for_subscription(self):
        """Until the program has connected and subscribed; only then can it lose its connection."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with socket.create_connection(("127.0.0.1", self.server.port)) as asking:
                asking.sendall(b"status\n")
                if b'"subscriptions":1' in asking.recv(4096):
                    return
        self.fail("the subscriber did not subscribe in time")

    def test_subscriber(self):
        program = os.path.join(os.environ["EXAMPLES"], "subscriber")
        process = subprocess.Popen([program, "127.0.0.1", str(self.server.port), "60"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_for_subscription()
        self.server.stop()
        self.server = Server(self.server.port)
        self.assertEqual(process.stdout.readline(), "connected anew, the rows come again\n")


if __name__ == "__main__":
    unittest.main()
