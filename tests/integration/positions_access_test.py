"""Positions on a server with users: who comes back goes on, unless what the user may see is another since."""

import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from access_test import WithUsers  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402


class Users(WithUsers):
    def each_server(self) -> Any:
        for flags in (("--threads", "1"), ("--threads", "4"), ("--threads", "4", "--data", "data")):
            self.setUp()  # with the grants as they were
            flags = tuple(f"{self.folder}/data" if flag == "data" else flag for flag in flags)
            with self.server(*flags, "--log-level", "warning") as server:
                yield server

    def subscribe(self, server: ServerProcess, how: str, user: str = "web") -> tuple[Any, dict[str, Any]]:
        connection = self.login(server, user)
        return connection, self.done(connection, f"subscribe * from orders {how}")

    def position(self, server: ServerProcess) -> int:
        """That somebody is told who begins anew, and goes at once."""
        connection, reply = self.subscribe(server, "with seq")
        connection.close()
        return reply["seq"]

    def check_goes_on(self, server: ServerProcess, since: int) -> None:
        connection, reply = self.subscribe(server, f"since {since}")
        self.assertNotIn("resync", reply)
        self.assertEqual(reply["seq"], since)
        connection.close()

    def check_begins_anew(self, server: ServerProcess, since: int) -> int:
        connection, reply = self.subscribe(server, f"since {since}")
        self.assertTrue(reply.get("resync"), reply)
        connection.close()
        return reply["seq"]

    def test_the_rows_that_the_user_may_see(self) -> None:
        for server in self.each_server():
            root = self.login(server, "root")
            self.done(root, "insert into orders (owner, n) values (web, 1), (root, 2), (web, 3)")
            here, _ = self.subscribe(server, "with seq")
            since = here.read_event()["seq"]
            self.done(root, "update orders set owner = web where n = 2")
            self.done(root, "update orders set owner = root, n = 10 where n = 1")
            self.done(root, "update orders set n = 20 where n = 10")
            self.done(root, "insert into orders (owner, n) values (root, 4), (web, 5)")
            self.done(root, "update orders set n = 6 where owner = web")
            self.done(root, "delete from orders where n in (3, 6, 20)")
            self.done(root, "insert into orders (owner, n) values (web, 7)")

            def told(connection: Any) -> list[tuple[str, list[str]]]:
                rows: list[tuple[str, list[str]]] = []
                while not rows or rows[-1][1][-1] != "7":
                    event = connection.read_event()
                    rows += [(event["action"], row) for row in event["data"]]
                return rows

            expected = told(here)
            self.assertEqual([action for action, _ in expected],
                             ["add", "remove", "insert", "update", "update", "update", "delete", "delete", "delete",
                              "insert"])
            self.assertEqual(expected[1], ("remove", ["0", "web", "1"]))
            back, reply = self.subscribe(server, f"since {since}")
            self.assertNotIn("resync", reply)
            self.assertEqual(told(back), expected)

    def test_other_rights(self) -> None:
        for server in self.each_server():
            root = self.login(server, "root")
            self.done(root, "insert into orders (owner, n) values (web, 1)")
            first = self.position(server)
            self.check_goes_on(server, first)
            self.done(root, "grant subscribe on orders to web where n > 5")
            second = self.check_begins_anew(server, first)
            self.check_goes_on(server, second)
            self.check_begins_anew(server, first)
            self.done(root, "insert into orders (owner, n) values (root, 6)")
            self.check_goes_on(server, second)
            # What came while the right was missing is not told afterwards.
            self.done(root, "revoke subscribe on orders from web")
            self.done(root, "insert into orders (owner, n) values (root, 7)")
            self.done(root, "grant subscribe on orders to web where owner = current_user()")
            self.done(root, "grant subscribe on orders to web where n > 5")
            third = self.check_begins_anew(server, second)
            self.check_goes_on(server, third)
            # Those of others concern nobody else.
            self.done(root, "grant select on orders to guest")
            self.check_goes_on(server, third)

    def test_a_subscription_that_ends_with_the_right(self) -> None:
        for server in self.each_server():
            root = self.login(server, "root")
            self.done(root, "insert into orders (owner, n) values (web, 1)")
            here, _ = self.subscribe(server, "with seq")
            since = here.read_event()["seq"]
            self.done(root, "grant subscribe on orders to web where n > 5")
            self.done(root, "insert into orders (owner, n) values (web, 2)")
            self.expect_end(here)
            self.check_begins_anew(server, since)

    def test_a_restart(self) -> None:
        flags = ("--data", f"{self.folder}/data", "--log-level", "warning")
        with self.server(*flags) as server:
            self.done(self.login(server, "root"), "insert into orders (owner, n) values (web, 1)")
            first = self.position(server)
            self.check_goes_on(server, first)
        with self.server(*flags) as server:
            second = self.check_begins_anew(server, first)
            self.check_goes_on(server, second)
            self.done(self.login(server, "root"), "insert into orders (owner, n) values (web, 2)")
            self.check_goes_on(server, second)


if __name__ == "__main__":
    unittest.main()
