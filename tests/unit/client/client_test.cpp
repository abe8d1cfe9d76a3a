#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <pubsubsql/client.hpp>

#include "tests/unit/client/frames.hpp"

using namespace pubsubsql;
using namespace pubsubsql::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// A server in a thread that follows a script: one function for each connection that comes, one after the other.
class scripted_server {
 public:
  using conversation = std::function<void(tcp::socket&)>;

  explicit scripted_server(std::vector<conversation> script) : thread_([this, s = std::move(script)] { serve(s); }) {}
  ~scripted_server() { thread_.join(); }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve(const std::vector<conversation>& script) {
    for (const auto& talk : script) {
      tcp::socket peer(loop_);
      acceptor_.accept(peer);
      talk(peer);
    }
  }

  asio::io_context loop_;
  tcp::acceptor acceptor_{loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::uint16_t port_ = acceptor_.local_endpoint().port();
  std::thread thread_;
};

struct request {
  std::uint32_t id = 0;
  std::string sql;
};

request receive(tcp::socket& peer) {
  std::array<char, parser::frame_header_bytes> header{};
  boost::system::error_code failure;
  asio::read(peer, asio::buffer(header), failure);
  if (failure) return {};
  const auto h = parser::decode_frame_header({header.data(), header.size()});
  request r{h.request_id, std::string(h.payload_bytes, ' ')};
  asio::read(peer, asio::buffer(r.sql), failure);
  return r;
}

void send(tcp::socket& peer, const std::string& bytes) {
  boost::system::error_code ignored;
  asio::write(peer, asio::buffer(bytes), ignored);
}

/// Answers one request.
void answer(tcp::socket& peer, std::string_view payload, const std::string& more = {}) {
  const request r = receive(peer);
  send(peer, frame(r.id, payload) + more);
}

/// Waits until the client has hung up.
void until_closed(tcp::socket& peer) {
  while (receive(peer).id != 0) {
  }
}

errc code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const error& e) {
    return e.code();
  }
  FAIL("no error was thrown");
  return errc::usage;
}

}  // namespace

TEST_CASE("a statement is executed and its rows are read") {
  scripted_server server({[](tcp::socket& peer) {
    answer(peer, one_row);
    until_closed(peer);
  }});
  client db;
  db.connect("127.0.0.1", server.port());
  const reply r = db.execute("select * from t");
  CHECK(r[0]["ticker"] == "IBM");
}

TEST_CASE("nobody listens, or nothing was connected") {
  std::uint16_t unused = 0;
  {
    asio::io_context loop;
    unused = tcp::acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
  }
  client db;
  CHECK(code_of([&] { (void)db.execute("status"); }) == errc::connection_lost);
  CHECK(code_of([&] { db.reconnect(); }) == errc::usage);
  CHECK(code_of([&] { db.connect("127.0.0.1", unused); }) == errc::cannot_connect);
}

TEST_CASE("several statements share one way to the server") {
  scripted_server server({[](tcp::socket& peer) {
    answer(peer, inserted);
    answer(peer, R"({"status":"err","msg":"no"})");
    answer(peer, one_row);
    until_closed(peer);
  }});
  client db;
  db.connect("127.0.0.1", server.port());
  const std::vector<std::string> statements{"a", "b", "c"};
  const auto answers = db.execute_many(statements);
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].value.affected() == 1);
  CHECK(answers[1].failure->code() == errc::refused);
  CHECK(answers[2].value.size() == 1);
}

TEST_CASE("a late reply is dropped and the connection stays usable") {
  scripted_server server({[](tcp::socket& peer) {
    const request late = receive(peer);
    const request second = receive(peer);
    send(peer, frame(late.id, one_row) + frame(second.id, inserted));
    until_closed(peer);
  }});
  client_options options;
  options.reply_timeout = 100ms;
  client db(options);
  db.connect("127.0.0.1", server.port());
  CHECK(code_of([&] { (void)db.execute("slow"); }) == errc::timeout);
  CHECK(db.execute("insert").affected() == 1);
}

TEST_CASE("streamed statements report their failures when drained") {
  scripted_server server({[](tcp::socket& peer) {
    CHECK(receive(peer).sql == "stream insert 1");
    const request bad = receive(peer);
    const request fence = receive(peer);
    send(peer,
         frame(bad.id, R"({"status":"err","msg":"no"})") + frame(fence.id, R"({"status":"ok","action":"status"})"));
    until_closed(peer);
  }});
  client db;
  db.connect("127.0.0.1", server.port());
  (void)db.stream("insert 1");
  const auto bad = db.stream("insert 2");
  const auto refused = db.drain();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].id == bad);
}

TEST_CASE("events go to callbacks, and the others are pulled, in order") {
  scripted_server server({[](tcp::socket& peer) {
    answer(peer, subscribed(1), frame(0, pushed("add", 1, "A")));
    answer(peer, subscribed(2), frame(0, pushed("insert", 2, "B")) + frame(0, pushed("insert", 1, "C")));
    answer(peer, inserted, frame(0, pushed("insert", 2, "D")));
    until_closed(peer);
  }});
  client db;
  db.connect("127.0.0.1", server.port());
  std::string called;
  const auto first = db.subscribe("subscribe * from t", [&](const event& e) { called += e.rows[0]["ticker"].text(); });
  const auto second = db.subscribe("subscribe * from u");
  CHECK(first != second);
  (void)db.execute("insert");
  CHECK(called.empty());
  std::string pulled;
  while (const auto e = db.next_event(pulled.size() < 2 ? 5s : 0s)) {
    CHECK(e->subscription == second);
    pulled += e->rows[0]["ticker"].text();
  }
  CHECK(pulled == "BD");
  CHECK(called == "AC");
  CHECK_FALSE(db.next_event(10ms));
}

TEST_CASE("a full event queue stops reading instead of growing") {
  scripted_server server({[](tcp::socket& peer) {
    std::string events;
    for (int i = 0; i < 50; ++i) events += frame(0, pushed("insert", 1, std::string(1000, 'x')));
    answer(peer, subscribed(1), events);
    answer(peer, inserted);
    until_closed(peer);
  }});
  client_options options;
  options.event_bytes_max = 10'000;
  client db(options);
  db.connect("127.0.0.1", server.port());
  (void)db.subscribe("subscribe * from t");
  int count = 0;
  while (count == 0 && db.next_event(5s)) ++count;
  CHECK(code_of([&] {
          for (;;) (void)db.execute("insert");
        }) == errc::limit);
  while (count < 50 && db.next_event(5s)) ++count;
  CHECK(count == 50);
}

TEST_CASE("a lost connection is made anew with its subscriptions") {
  scripted_server server({[](tcp::socket& peer) { answer(peer, subscribed(1), frame(0, pushed("add", 1, "A"))); },
                          [](tcp::socket& peer) {
                            const request again = receive(peer);
                            CHECK(again.sql == "subscribe * from t");
                            send(peer, frame(again.id, subscribed(9)) + frame(0, pushed("add", 9, "B")));
                            until_closed(peer);
                          }});
  client_options options;
  options.reconnect.automatic = true;
  options.reconnect.first_delay = 1ms;
  options.resume = false;
  client db(options);
  db.connect("127.0.0.1", server.port());
  std::vector<std::string> seen;
  const auto handle = db.subscribe("subscribe * from t", [&](const event& e) {
    seen.push_back(std::string(name_of(e.action)) + (e.rows.empty() ? "" : e.rows[0]["ticker"].as<std::string>()));
  });
  CHECK(handle != subscription::none);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (seen.size() < 3 && std::chrono::steady_clock::now() < deadline) (void)db.run(20ms);
  CHECK(seen == std::vector<std::string>{"addA", "resync", "addB"});
}

TEST_CASE("without a policy a lost connection is an error until reconnect() is called") {
  scripted_server server({[](tcp::socket& peer) { answer(peer, inserted); },
                          [](tcp::socket& peer) {
                            answer(peer, inserted);
                            until_closed(peer);
                          }});
  client db;
  db.connect("127.0.0.1", server.port());
  (void)db.execute("insert");
  CHECK(code_of([&] { (void)db.next_event(5s); }) == errc::connection_lost);
  CHECK_FALSE(db.connected());
  db.reconnect();
  CHECK(db.execute("insert").affected() == 1);
}

TEST_CASE("an ended subscription is silent at once") {
  scripted_server server({[](tcp::socket& peer) {
    answer(peer, subscribed(1), frame(0, pushed("add", 1, "A")));
    const request r = receive(peer);
    CHECK(r.sql == "unsubscribe from t where pubsubid = 1");
    send(peer, frame(0, pushed("insert", 1, "B")) +
                   frame(r.id, R"({"status":"ok","action":"unsubscribe","subscriptions":1})"));
    until_closed(peer);
  }});
  client db;
  db.connect("127.0.0.1", server.port());
  int calls = 0;
  const auto handle = db.subscribe("subscribe * from t", [&](const event&) { ++calls; });
  db.unsubscribe(handle);
  CHECK(db.poll() == 0);
  CHECK(calls == 0);
  CHECK(code_of([&] { db.unsubscribe(handle); }) == errc::usage);
}

TEST_CASE("a user is authenticated first on every connection, before subscriptions are made again") {
  std::vector<std::string> seen;
  const auto talk = [&](bool subscribes_first) {
    return [&seen, subscribes_first](tcp::socket& peer) {
      for (int i = 0; i < 2; ++i) {
        const request r = receive(peer);
        seen.push_back(r.sql);
        send(peer, frame(r.id, i == 0 ? R"({"status":"ok","action":"auth"})"
                                      : R"({"status":"ok","action":"subscribe","pubsubid":"1"})"));
      }
      if (!subscribes_first) until_closed(peer);
    };
  };
  {
    scripted_server server({talk(true), talk(false)});
    client_options options;
    options.user = "web";
    options.password = "it's";
    options.resume = false;
    client db(options);
    db.connect("127.0.0.1", server.port());
    db.subscribe("subscribe * from t");
    CHECK(code_of([&] { db.execute("status"); }) == errc::connection_lost);
    db.reconnect();
    CHECK(db.next_event(5000ms)->action == event_action::resync);
  }
  const std::vector<std::string> expected = {"auth 'web' 'it''s'", "subscribe * from t", "auth 'web' 'it''s'",
                                             "subscribe * from t"};
  CHECK(seen == expected);
}

TEST_CASE("a refused user is not connected, and not tried again") {
  scripted_server server({[](tcp::socket& peer) {
    answer(peer, R"({"status":"err","msg":"Access denied","code":1045,"sqlstate":"28000"})");
    until_closed(peer);
  }});
  client_options options;
  options.user = "web";
  options.password = "wrong";
  options.reconnect.automatic = true;
  client db(options);
  CHECK(code_of([&] { db.connect("127.0.0.1", server.port()); }) == errc::refused);
  CHECK_FALSE(db.connected());
}
