#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/request_reader.hpp"
#include "server/tls/engine.hpp"
#include "tests/unit/server/tls_client.hpp"

using pubsubsql::parser::request;
using pubsubsql::parser::request_reader;
using pubsubsql::server::tls::context;
using pubsubsql::server::tls::engine;
using pubsubsql::server::tls::handshake_byte;
using pubsubsql::server::tls::held_bytes_max;
using pubsubsql::test::self_signed_certificate;
using pubsubsql::test::tls_client;

namespace {

/// More than a handshake and the answer to a few records come to.
constexpr std::size_t out_bytes_max = 64U << 10;

const context& shared_context() {
  static const context* const made = [] {
    auto* const c = new context;  // NOLINT: for as long as the program
    if (c->load_text(self_signed_certificate())) std::abort();
    return c;
  }();
  return *made;
}

/// An engine that is given bytes in pieces of some size.
struct server_end {
  explicit server_end(std::size_t piece_bytes) : tls(shared_context()), piece(piece_bytes) {}

  void receive(std::string_view wire) {
    for (std::size_t at = 0; at < wire.size() && now == engine::state::open; at += piece) {
      const engine::received got = tls.receive(wire.substr(at, piece), buffer, out);
      now = got.now;
      plain.append(buffer.data(), got.bytes);
      if (out.size() > out_bytes_max) std::abort();
    }
    if ((now == engine::state::failed) == tls.failure().empty()) std::abort();
  }

  engine tls;
  std::size_t piece;
  std::vector<char> buffer = std::vector<char>(4096 + held_bytes_max);
  engine::state now = engine::state::open;
  std::string out;
  std::string plain;
};

/// Whatever comes first.
void send_bytes(std::string_view bytes, server_end& server) {
  server.receive(bytes);
  if (!server.plain.empty()) std::abort();
}

/// A client whose bytes of the handshake are changed here and there.
void change_handshake(std::string_view changes, server_end& server) {
  tls_client client;
  std::size_t at = 0;
  for (int flights = 0; flights < 3 && server.now == engine::state::open; ++flights) {
    client.shake_hands(std::exchange(server.out, {}));
    std::string wire = client.take_wire();
    for (std::size_t i = 0; i + 2 < changes.size() && !wire.empty(); i += 3) {
      at += static_cast<std::uint8_t>(changes[i]);
      wire[at % wire.size()] = static_cast<char>(wire[at % wire.size()] ^ changes[i + 1]);
    }
    server.receive(wire);
  }
}

/// A connection that is established, on which bytes are sent; and then some that are no TLS.
void send_plain(std::string_view plain, server_end& server) {
  tls_client client;
  for (int flights = 0; flights < 3; ++flights) {
    client.shake_hands(std::exchange(server.out, {}));
    server.receive(client.take_wire());
  }
  if (!server.tls.handshake_is_done()) std::abort();
  client.write(plain);
  server.receive(client.take_wire());
  if (server.plain != plain || server.now != engine::state::open) std::abort();
  if (!server.tls.send(plain, server.out)) std::abort();
  client.feed(std::exchange(server.out, {}));
  if (client.read() != plain) std::abort();
  server.receive(plain);
  if (server.plain != plain) std::abort();
}

/// What begins TLS begins neither a frame nor text, whatever follows.
void check_detection(std::string bytes) {
  bytes.insert(bytes.begin(), handshake_byte);
  request_reader reader(pubsubsql::parser::statement_bytes_limit);
  request r;
  reader.feed(bytes);
  if (reader.next(r) != request_reader::outcome::bad_start) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  server_end server(1 + data[1]);
  switch (data[0] % 3U) {
    case 0:
      send_bytes(bytes, server);
      break;
    case 1:
      change_handshake(bytes, server);
      break;
    default:
      send_plain(bytes, server);
  }
  check_detection(std::string(bytes));
  return 0;
}
