#include <array>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <pubsubsql/async_client.hpp>

#include "tests/unit/client/frames.hpp"

using namespace pubsubsql;
using namespace pubsubsql::test;
namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

/// Accepts one connection and answers each request with the next of the payloads, then hangs up.
asio::awaitable<void> serve(tcp::acceptor& acceptor, std::vector<std::string> payloads) {
  tcp::socket peer = co_await acceptor.async_accept(use_awaitable);
  for (const std::string& payload : payloads) {
    std::array<char, parser::frame_header_bytes> header{};
    co_await asio::async_read(peer, asio::buffer(header), use_awaitable);
    const auto h = parser::decode_frame_header({header.data(), header.size()});
    std::string sql(h.payload_bytes, ' ');
    co_await asio::async_read(peer, asio::buffer(sql), use_awaitable);
    const std::string bytes = frame(h.request_id, payload) +
                              (sql.starts_with("subscribe") ? frame(0, pushed("add", 1, "IBM")) : std::string());
    co_await asio::async_write(peer, asio::buffer(bytes), use_awaitable);
  }
}

struct fixture {
  asio::io_context loop;
  tcp::acceptor acceptor{loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  async_client db{loop.get_executor()};

  std::uint16_t port() { return acceptor.local_endpoint().port(); }
  void serve_with(std::vector<std::string> payloads) {
    asio::co_spawn(loop, serve(acceptor, std::move(payloads)), asio::detached);
  }
};

asio::awaitable<void> talk(fixture& f, std::string& seen) {
  co_await f.db.async_connect("127.0.0.1", f.port(), use_awaitable);
  const auto handle = co_await f.db.async_subscribe("subscribe * from t", use_awaitable);
  const auto first = co_await f.db.async_next_event(use_awaitable);
  seen = first.subscription == handle ? name_of(first.action) : "wrong handle";
  try {
    const auto r = co_await f.db.async_execute("selec", use_awaitable);
    seen += " no error";
  } catch (const error& e) {
    seen += std::string(" ") + e.what();
  }
  const auto left = co_await f.db.async_drain(use_awaitable);
  seen += " " + std::to_string(left.size());
  try {
    const auto none = co_await f.db.async_next_event(use_awaitable);
  } catch (const error& e) {
    seen += e.code() == errc::connection_lost ? " lost" : " ?";
  }
}

}  // namespace

TEST_CASE("coroutines get values and exceptions") {
  fixture f;
  f.serve_with({subscribed(1), R"({"status":"err","msg":"refused"})", R"({"status":"ok","action":"status"})"});
  std::string seen;
  asio::co_spawn(f.loop, talk(f, seen), asio::detached);
  f.loop.run();
  CHECK(seen == "add refused 0 lost");
}

TEST_CASE("callbacks are called in the order of the statements, never inside the call") {
  fixture f;
  f.serve_with({std::string(inserted), std::string(one_row)});
  std::string seen;
  f.db.async_connect("127.0.0.1", f.port(), [&](const std::exception_ptr& failure) {
    REQUIRE_FALSE(failure);
    f.db.async_execute("a", [&](const std::exception_ptr&, const reply& r) { seen += r.action() + " "; });
    f.db.async_execute("b", [&](const std::exception_ptr&, const reply& r) { seen += r.action() + " "; });
    seen += "started ";
  });
  f.loop.run();
  CHECK(seen == "started insert select ");
}

TEST_CASE("what is pending when the client goes away fails") {
  asio::io_context loop;
  bool failed = false;
  {
    async_client db(loop.get_executor());
    db.async_connect("127.0.0.1", 1, [&](const std::exception_ptr& failure) { failed = failure != nullptr; });
  }
  loop.run();
  CHECK(failed);
}

TEST_CASE("a statement without a connection fails with why") {
  asio::io_context loop;
  async_client db(loop.get_executor());
  std::exception_ptr why;
  db.async_execute("status", [&](std::exception_ptr failure, const reply&) { why = std::move(failure); });
  CHECK_FALSE(why);
  loop.run();
  REQUIRE(why);
  CHECK_THROWS_WITH(std::rethrow_exception(why), "not connected yet; call connect() first");
}

TEST_CASE("another Boost than the library's is refused") {
  asio::io_context loop;
  CHECK_THROWS_AS(detail::async_core(loop.get_executor(), {}, BOOST_VERSION + 1), error);
}
