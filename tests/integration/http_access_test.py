"""Who may use HTTP: users, tokens, origins, hosts."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.http import Answer, EventStream, HttpConnection, basic, bearer  # noqa: E402
from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.websocket import WebSocket  # noqa: E402
from harness.wire import deadline_s  # noqa: E402

CLI = os.environ.get("PUBSUBSQL_CLI") or os.path.join(os.path.dirname(PROGRAM), "pubsubsql")

GRANTS = """
grant all on * to 'root'
grant select, insert, subscribe on orders to 'web' where owner = current_user()
"""


def user_command(*arguments: str, password: str = "") -> str:
    ran = subprocess.run(
        [CLI, "user", *arguments], input=password, capture_output=True, text=True, timeout=deadline_s(60)
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


class Case(unittest.TestCase):
    def connect(self, server: ServerProcess, headers: dict[str, str] | None = None) -> HttpConnection:
        connection = HttpConnection(server.http_port, headers)
        self.addCleanup(connection.close)
        return connection

    def refused(self, answer: Answer, status: int, text: str = "") -> None:
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.json()["status"], "err")
        self.assertIn(text, answer.json()["msg"])

    def data(self, answer: Answer) -> list:
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["data"]


class Users(Case):
    """A folder with a file of the users root (admin) and web, whose passwords are their names and `-secret`."""

    template: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.template = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.template)
        file = os.path.join(cls.template, "users")
        user_command("add", "--file", file, "--admin", "root", password="root-secret\n")
        user_command("add", "--file", file, "web", password="web-secret\n")
        with open(file, "a", encoding="utf-8") as text:
            text.write(GRANTS)

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.users = os.path.join(self.folder, "users")
        shutil.copy(os.path.join(self.template, "users"), self.users)

    def token(self, *flags: str) -> str:
        return user_command("token", "add", "--users", self.users, *flags, "web")

    def server(self, *flags: str) -> ServerProcess:
        server = ServerProcess("--users", self.users, "--threads", "2", *flags, http=True)
        self.addCleanup(server.__exit__, None)
        return server

    def reload(self, server: ServerProcess) -> None:
        server.log.clear()
        server.signal(signal.SIGHUP)
        server.wait_for_log("2 users of")

    def test_nothing_without(self) -> None:
        http = self.connect(self.server())
        for answer in (http.sql("select 1"), http.get("/tables/orders"), http.get("/events?sql=subscribe+*+from+orders")):
            self.refused(answer, 401, "Authorization")
            self.assertIn("Basic realm=", answer.headers["WWW-Authenticate"])
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertEqual(http.get("/").status, 200)
        self.refused(http.get("/nothing"), 404)

    def test_a_body_is_not_waited_for(self) -> None:
        server = self.server()
        answer = self.connect(server).sql("x" * 5_000_000)
        self.refused(answer, 401)

    def test_with_a_password(self) -> None:
        server = self.server()
        http = self.connect(server, basic("web", "web-secret"))
        for _ in range(3):
            self.assertEqual(self.data(http.sql("select current_user() as u")), [["web"]])
        other = http.request("POST", "/sql", "select current_user() as u",
                             {**basic("root", "root-secret"), "Content-Type": "text/plain"})
        self.assertEqual(self.data(other), [["root"]])
        self.refused(http.request("GET", "/tables/orders", None, {"Authorization": ""}), 401)
        self.refused(http.request("GET", "/tables/orders", None, basic("web", "wrong")), 401, "Access denied")
        self.refused(http.request("GET", "/tables/orders", None, basic("nobody", "web-secret")), 401, "Access denied")
        server.wait_for_log("refused to authenticate 127.0.0.1:.* as user 'nobody'")
        self.assertNotIn("secret", "\n".join(server.log))

    def test_with_a_token(self) -> None:
        token = self.token()
        http = self.connect(self.server())
        for headers in (bearer(token), {"Authorization": "bearer  " + token}, basic("web", token)):
            answer = http.request("POST", "/sql", "select current_user() as u", {**headers, "Content-Type": "text/plain"})
            self.assertEqual(self.data(answer), [["web"]])
        for headers in (basic("root", token), bearer(token[:-2] + ("B" if token[-2] == "A" else "A") + token[-1]), bearer("web-secret"), bearer(""),
                        {"Authorization": "Basic !"}, {"Authorization": "Basic " + "A" * 10_000},
                        {"Authorization": "Digest x"}):
            self.refused(http.request("GET", "/tables/orders", None, headers), 401)

    def test_rights_and_rows(self) -> None:
        server = self.server()
        root, web = self.connect(server, basic("root", "root-secret")), self.connect(server, bearer(self.token()))
        self.reload(server)
        self.assertEqual(root.sql("insert into orders (owner, n) values (web, 1), (root, 2)").status, 200)
        self.assertEqual(self.data(web.sql("select n from orders")), [["1"]])
        self.assertEqual(self.data(web.get("/tables/orders?columns=n&where=owner+=+root")), [])
        for statement, code in (("insert into orders (owner) values (root)", 1369), ("delete from orders", 1142),
                                ("select * from other", 1142), ("stop", 1227)):
            answer = web.sql(statement)
            self.refused(answer, 400)
            self.assertEqual(answer.json()["code"], code)
        with EventStream(server.http_port, "/events?sql=" + quote("subscribe n from orders"),
                         headers=bearer(self.token())) as refused:
            self.assertEqual(refused.status, 401)
        stream = EventStream(server.http_port, "/events?sql=" + quote("subscribe n from orders"),
                             headers=basic("web", "web-secret"))
        self.addCleanup(stream.close)
        self.assertEqual([stream.next().name, stream.next().data["data"]], ["subscribe", [["0", "1"]]])

    def test_what_is_taken_away_ends_at_once(self) -> None:
        token = self.token()
        server = self.server()
        http = self.connect(server, bearer(token))
        self.assertEqual(self.connect(server, basic("root", "root-secret")).sql("create table orders (owner text)").status, 200)
        self.assertEqual(self.data(http.sql("select 1 as a")), [["1"]])
        stream = EventStream(server.http_port, "/events?sql=" + quote("subscribe * from orders"), headers=bearer(token))
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200, stream.body)
        socket = WebSocket(server.http_port, headers=bearer(token))
        self.addCleanup(socket.close)
        self.assertEqual(socket.ask("select current_user() as u")["data"], [["web"]])
        ident = user_command("token", "list", "--users", self.users).split()[1]
        user_command("token", "remove", "--users", self.users, "web", ident)
        self.reload(server)
        self.refused(http.sql("select 1 as a"), 401)
        self.assertEqual([event.name for event in stream.events()], ["subscribe"])
        with self.assertRaises(Exception):
            socket.ask("status")

    def test_a_password_that_was_verified_is_forgotten_with_the_user(self) -> None:
        server = self.server()
        web, root = self.connect(server, basic("web", "web-secret")), self.connect(server, basic("root", "root-secret"))
        self.assertEqual(web.sql("select 1 as a").status, 200)
        self.assertEqual(root.sql("alter user web identified by other").status, 200)
        self.refused(web.sql("select 1 as a"), 401)

    def test_a_password_that_was_verified_stays_so_when_rights_change(self) -> None:
        server = self.server("--log-level", "debug")
        web, root = self.connect(server, basic("web", "web-secret")), self.connect(server, basic("root", "root-secret"))
        self.assertEqual(root.sql("create table news (text)").status, 200)
        self.refused(web.sql("select * from news"), 400, "denied")
        self.assertEqual(root.sql("grant select on news to web").status, 200)
        self.assertEqual(web.sql("select * from news").status, 200)
        self.assertEqual(root.sql("revoke select on news from web").status, 200)
        self.refused(web.sql("select * from news"), 400, "denied")
        self.assertEqual(len([line for line in server.log if "is of user 'web'" in line]), 1)

    def test_websocket_without_says_it_itself(self) -> None:
        server = self.server()
        with WebSocket(server.http_port) as socket:
            self.assertIn("auth USER PASSWORD", socket.ask("status")["msg"])
            self.assertEqual(socket.ask("auth web web-secret")["status"], "ok")

    def test_guessing_is_slowed(self) -> None:
        server = self.server()
        http = self.connect(server)
        waits = []
        for _ in range(4):
            answer = http.request("GET", "/tables/orders", None, basic("web", "guess"))
            waits.append(int(re.search(r"waits (\d+) ms", answer.json()["msg"])[1]))
        self.assertEqual(sorted(waits), waits)
        self.assertEqual(waits[0], 250)
        self.assertGreater(waits[3], 500)
        token = self.token()
        self.reload(server)
        self.assertEqual(self.connect(server, bearer(token)).sql("select 1 as a").status, 200)


class Origins(Case):
    def server(self, *flags: str) -> ServerProcess:
        server = ServerProcess("--threads", "1", *flags, http=True)
        self.addCleanup(server.__exit__, None)
        return server

    def post(self, http: HttpConnection, **headers: str) -> Answer:
        return http.sql("insert into t (a) values (1)", "text/plain", **headers)

    def test_pages_of_others_are_refused(self) -> None:
        server = self.server()
        http = self.connect(server)
        own = f"127.0.0.1:{server.http_port}"
        self.assertEqual(self.post(http, Origin=f"http://{own}", Host=own).status, 200)
        self.assertEqual(self.post(http).status, 200)
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{server.http_port}.evil.example",
                       "http://127.0.0.1:3000"):
            answer = self.post(http, Origin=origin)
            self.refused(answer, 403, "--http-allow-origin")
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
            self.refused(http.get("/tables/t", Origin=origin), 403)
            self.refused(http.get("/events?sql=subscribe+*+from+t", Origin=origin), 403)
            self.refused(http.get("/ws", Origin=origin), 403)
            preflight = http.request("OPTIONS", "/sql", None, {"Origin": origin, "Access-Control-Request-Method": "POST"})
            self.refused(preflight, 403)
        self.assertEqual(http.sql("select count(*) as n from t").json()["data"], [["2"]])

    def test_what_pages_fetch_without_saying_so(self) -> None:
        http = self.connect(self.server())
        for site in ("cross-site", "same-site"):
            self.refused(http.get("/events?sql=subscribe+*+from+made", **{"Sec-Fetch-Site": site}), 403)
            self.refused(http.get("/tables/t", **{"Sec-Fetch-Site": site}), 403)
            self.assertEqual(http.get("/", **{"Sec-Fetch-Site": site}).status, 200)
        self.assertEqual(http.sql("show tables", **{"Sec-Fetch-Site": "same-origin"}).json()["rows"], 0)

    def test_pages_that_are_allowed(self) -> None:
        server = self.server("--http-allow-origin", "https://app.example, http://localhost:3000")
        http = self.connect(server)
        for origin in ("https://app.example", "http://localhost:3000"):
            answer = self.post(http, Origin=origin)
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], origin)
            self.assertIn("Origin", answer.headers["Vary"])
        preflight = http.request("OPTIONS", "/sql", None, {
            "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type"})
        self.assertEqual(preflight.status, 204)
        self.assertEqual(preflight.headers["Access-Control-Allow-Origin"], "https://app.example")
        self.assertIn("POST", preflight.headers["Access-Control-Allow-Methods"])
        self.assertIn("Authorization", preflight.headers["Access-Control-Allow-Headers"])
        self.refused(self.post(http, Origin="https://app.example.evil.example"), 403)
        with EventStream(server.http_port, "/events?sql=" + quote("subscribe * from t"),
                         headers={"Origin": "https://app.example"}) as stream:
            self.assertEqual(stream.headers["Access-Control-Allow-Origin"], "https://app.example")

    def test_all_pages(self) -> None:
        http = self.connect(self.server("--http-allow-origin", "*"))
        self.assertEqual(self.post(http, Origin="null").headers["Access-Control-Allow-Origin"], "null")

    def test_names_that_a_stranger_points_here(self) -> None:
        server = self.server("--http-allow-host", "db.test, other.test")
        http = self.connect(server)
        for host in ("evil.example", f"evil.example:{server.http_port}", "localhost.evil.example"):
            self.refused(http.get("/tables/t", Host=host), 403, "--http-allow-host")
            self.refused(self.post(http, Host=host, Origin=f"http://{host}"), 403, "--http-allow-host")
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "db.test", "Other.Test:80"):
            self.assertEqual(self.post(http, Host=host).status, 200, host)


if __name__ == "__main__":
    unittest.main()
