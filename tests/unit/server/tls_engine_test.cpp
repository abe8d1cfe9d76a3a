#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "server/tls/engine.hpp"
#include "tests/unit/server/tls_client.hpp"

namespace {

using pubsubsql::server::tls::context;
using pubsubsql::server::tls::engine;
using pubsubsql::server::tls::handshake_byte;
using pubsubsql::server::tls::held_bytes_max;
using pubsubsql::test::self_signed_certificate;
using pubsubsql::test::tls_client;

/// An engine, and what has come out of it on both sides.
struct server_end {
  server_end() {
    REQUIRE(!loaded.load_text(self_signed_certificate()));
    tls.emplace(loaded);
  }

  engine::state receive(std::string_view wire) {
    const engine::received got = tls->receive(wire, buffer, out);
    plain.append(buffer.data(), got.bytes);
    return got.now;
  }

  std::string take_out() { return std::exchange(out, {}); }

  context loaded;
  std::optional<engine> tls;
  std::array<char, (64U << 10) + held_bytes_max> buffer{};
  std::string out;
  std::string plain;
};

/// Passes bytes to and fro until the handshake is done or stuck; the client's in pieces of that size.
bool shake_hands(tls_client& client, server_end& server, std::size_t piece) {
  for (int flights = 0; flights < 10; ++flights) {
    const bool done = client.shake_hands(server.take_out());
    const std::string wire = client.take_wire();
    for (std::size_t at = 0; at < wire.size(); at += piece) {
      if (server.receive(std::string_view(wire).substr(at, piece)) != engine::state::open) return false;
    }
    if (done && server.tls->handshake_is_done()) return true;
  }
  return false;
}

/// Connected, by TLS of that version.
struct pair {
  explicit pair(int version = TLS1_3_VERSION, std::size_t piece = 1U << 16) : client(version) {
    REQUIRE(shake_hands(client, server, piece));
  }

  tls_client client;
  server_end server;
};

TEST_CASE("tls engine: the handshake in any pieces") {
  for (const std::size_t piece : {1U, 2U, 5U, 100U, 65'536U}) {
    const pair p(TLS1_3_VERSION, piece);
    CHECK(p.server.tls->description() == "TLSv1.3 TLS_AES_256_GCM_SHA384");
    CHECK(p.server.plain.empty());
  }
}

TEST_CASE("tls engine: the first byte tells") {
  tls_client client;
  client.shake_hands({});
  CHECK(client.take_wire().front() == handshake_byte);
}

TEST_CASE("tls engine: TLS 1.2 with forward secrecy, nothing older") {
  const pair p(TLS1_2_VERSION);
  CHECK(p.server.tls->description().starts_with("TLSv1.2 ECDHE-"));
  for (const int version : {TLS1_1_VERSION, TLS1_VERSION}) {
    tls_client old(version);
    server_end server;
    old.shake_hands({});
    CHECK(server.receive(old.take_wire()) == engine::state::failed);
    CHECK(server.tls->failure() == "the TLS handshake failed: unsupported protocol");
    CHECK(!server.out.empty());  // the alert
  }
}

TEST_CASE("tls engine: what is sent arrives, in any pieces") {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + ' ';
  for (const std::size_t piece : {1U, 7U, 1'000U, 16'384U, 40'000U}) {
    pair p;
    p.client.write(text);
    const std::string wire = p.client.take_wire();
    for (std::size_t at = 0; at < wire.size(); at += piece) {
      CHECK(p.server.receive(std::string_view(wire).substr(at, piece)) == engine::state::open);
    }
    CHECK(p.server.plain == text);
    CHECK(p.server.tls->send(text, p.server.out));
    p.client.feed(p.server.take_out());
    CHECK(p.client.read() == text);
  }
}

TEST_CASE("tls engine: nothing readable stays behind") {
  pair p;
  p.client.write(std::string(16'384, 'a'));
  const std::string first = p.client.take_wire();
  p.client.write(std::string(40'000, 'b'));
  const std::string second = p.client.take_wire();
  CHECK(p.server.receive(std::string_view(first).substr(0, first.size() - 1)) == engine::state::open);
  CHECK(p.server.plain.empty());
  CHECK(p.server.receive(first.substr(first.size() - 1) + second) == engine::state::open);
  CHECK(p.server.plain.size() == 56'384);
}

TEST_CASE("tls engine: small pieces share a record") {
  pair p;
  p.server.take_out();  // a ticket
  CHECK(p.server.tls->send("one", p.server.out));
  const std::size_t small = p.server.take_out().size();
  CHECK(p.server.tls->send(std::string(16'384, 'x'), p.server.out));
  CHECK(p.server.take_out().size() - 16'384 == small - 3);
}

TEST_CASE("tls engine: the end is said and seen") {
  pair p;
  p.client.write("last");
  p.client.end();
  CHECK(p.server.receive(p.client.take_wire()) == engine::state::ended);
  CHECK(p.server.plain == "last");
  CHECK(p.server.tls->send("answer", p.server.out));
  p.server.tls->end(p.server.out);
  p.client.feed(p.server.take_out());
  CHECK(p.client.read() == "answer");
  CHECK(p.client.has_seen_end());
}

TEST_CASE("tls engine: keys may change") {
  pair p;
  for (int i = 0; i < 10; ++i) {
    p.client.change_keys();
    p.client.write("x");
    CHECK(p.server.receive(p.client.take_wire()) == engine::state::open);
    CHECK(p.server.tls->send("y", p.server.out));
    p.client.feed(p.server.take_out());
    CHECK(p.client.read() == "y");
  }
  CHECK(p.server.plain == "xxxxxxxxxx");
}

TEST_CASE("tls engine: a changed byte ends it") {
  pair p;
  p.client.write("insert into t (a) values (1)\n");
  std::string wire = p.client.take_wire();
  wire[wire.size() / 2] = static_cast<char>(wire[wire.size() / 2] ^ 1);
  CHECK(p.server.receive(wire) == engine::state::failed);
  CHECK(p.server.plain.empty());
  CHECK(p.server.tls->failure().starts_with("TLS failed: "));
}

TEST_CASE("tls engine: garbage is no handshake") {
  using namespace std::string_view_literals;
  const std::string long_enough = "\x16" + std::string(50, 'x');
  for (const std::string_view wire : {"\x16\x03\x01\x00\x05hello"sv, std::string_view(long_enough)}) {
    server_end server;
    CHECK(server.receive(wire) == engine::state::failed);
    CHECK(server.tls->failure().starts_with("the TLS handshake failed: "));
  }
}

TEST_CASE("tls context: what is said of a certificate is fit for a log") {
  const server_end server;
  CHECK(server.loaded.description().starts_with("in\\0Amemory, serial 07, valid until "));
  CHECK(server.loaded.warning().value_or("").starts_with("expires in 0 days"));
}

}  // namespace
