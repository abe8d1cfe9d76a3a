"""Access tokens: made, used, removed, expired."""

import re
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from access_test import WithUsers, user_command  # noqa: E402
from harness.server_process import ServerProcess, refused_start  # noqa: E402
from harness.wire import deadline_s  # noqa: E402


class Tokens(WithUsers):
    def make(self, *flags: str, user: str = "web") -> str:
        made = user_command("token", "add", "--users", self.users, *flags, user)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertRegex(made.stdout, r"^pst_[-_0-9A-Za-z]{43}\n$")
        return made.stdout.strip()

    def ids(self) -> list[str]:
        listed = user_command("token", "list", "--users", self.users).stdout
        return [line.split()[1] for line in listed.splitlines()]

    def reload(self, server: ServerProcess) -> None:
        server.log.clear()
        server.signal(signal.SIGHUP)
        server.wait_for_log("3 users of")

    def test_a_token_is_as_good_as_the_password(self) -> None:
        token = self.make("--label", "it's for ci")
        another = token[:-1] + ("E" if token.endswith("A") else "A")
        with open(self.users, encoding="utf-8") as file:
            self.assertNotIn(token, file.read())
        with self.server() as server:
            for connection in (server.framed(), server.text()):
                with connection:
                    self.refused(connection, f"auth root {token}", 1045)
                    self.refused(connection, f"auth web {another}", 1045)
                    self.done(connection, f"auth web {token}")
                    self.assertEqual(self.done(connection, "select current_user() as u")["data"], [["web"]])
            self.assertNotIn(token, "\n".join(server.log))

    def test_failures_of_others_do_not_hold_it_up(self) -> None:
        token = self.make()
        with self.server() as server, server.framed() as guesser:
            for _ in range(4):
                self.refused(guesser, "auth web guess", 1045)
            guesser.send("auth web guess")  # and waits for seconds
            with server.framed() as connection:
                self.done(connection, f"auth web {token}")

    def test_removed_it_ends_at_once(self) -> None:
        token, other = self.make(), self.make()
        with self.server() as server:
            with server.framed() as with_token, server.framed() as with_other:
                self.done(with_token, f"auth web {token}")
                self.done(with_other, f"auth web {other}")
                removed = user_command("token", "remove", "--users", self.users, "web", self.ids()[0])
                self.assertEqual(removed.returncode, 0, removed.stderr)
                self.reload(server)
                self.expect_end(with_token)
                server.wait_for_log("its token has expired, or was removed")
                self.done(with_other, "status")
            with server.framed() as connection:
                self.refused(connection, f"auth web {token}", 1045)

    def test_it_ends_when_it_expires(self) -> None:
        token = self.make("--expires", "1")
        soon = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + deadline_s(3)))
        with open(self.users, encoding="utf-8") as file:
            text = file.read()
        with open(self.users, "w", encoding="utf-8") as file:
            file.write(re.sub("expires '.*'", f"expires '{soon}'", text))
        with self.server() as server:
            with server.framed() as connection:
                self.done(connection, f"auth web {token}")
                self.expect_end(connection)
            with server.framed() as connection:
                self.refused(connection, f"auth web {token}", 1045)

    def test_statements_about_users_keep_tokens(self) -> None:
        token = self.make()
        with self.server() as server:
            self.done(self.login(server, "root"), "grant select on stocks to guest")
            with server.framed() as connection:
                self.done(connection, f"auth web {token}")
                self.done(self.login(server, "root"), "drop user web")
                self.expect_end(connection)
        self.assertEqual(self.ids(), [])

    def test_mistakes(self) -> None:
        self.assertIn("no user", user_command("token", "add", "--users", self.users, "nobody").stderr)
        self.assertIn("no token", user_command("token", "remove", "--users", self.users, "web", "0123456789ab").stderr)
        self.make()
        with open(self.users, encoding="utf-8") as file:
            text = file.read()
        with open(self.users, "w", encoding="utf-8") as file:
            file.write(re.sub("hash '.", "hash 'x", text))
        self.assertRegex(refused_start("--users", self.users), r"users:\d+: expected the SHA-256 of a token")
        with self.assertRaises(AssertionError):
            self.make("--expires", "0")


if __name__ == "__main__":
    unittest.main()
