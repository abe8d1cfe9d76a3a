#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/tls/context.hpp"

struct ssl_st;

namespace pubsubsql::server::tls {

/// What the first byte of a TLS connection is: that of a handshake record. It begins neither a frame nor text.
inline constexpr char handshake_byte = 0x16;

/// The largest part of a record that can be left inside an engine, and so what receive() may yield beyond what it is
/// given.
inline constexpr std::size_t held_bytes_max = 17U << 10;

/// The server's end of one TLS connection, sans-io: bytes of the network in, bytes of the client out, and the other way
/// round. Keeps no buffer while it holds no incomplete record. Used by one thread.
class engine {
 public:
  enum class state : std::uint8_t {
    open,    ///< goes on
    ended,   ///< the client has said that it sends nothing more
    failed,  ///< cannot go on; failure() says why
  };

  struct received {
    std::size_t bytes = 0;  ///< of the client, decrypted
    state now = state::open;
  };

  explicit engine(const context& c);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Takes bytes of the network, all of them, and writes what they hold to the front of `plain`. What is to be sent
  /// back (handshake, alerts) is appended to `out`. REQUIRES: plain.size() >= wire.size() + held_bytes_max.
  [[nodiscard]] received receive(std::span<const char> wire, std::span<char> plain, std::string& out);

  /// Encrypts all of `plain` and appends that to `out`. Says whether it could. REQUIRES: handshake_is_done().
  [[nodiscard]] bool send(std::string_view plain, std::string& out);

  /// Appends to `out` that nothing more is sent. Nothing is when the handshake is not done, or the engine failed.
  void end(std::string& out);

  [[nodiscard]] bool handshake_is_done() const { return handshake_is_done_; }

  /// Why it failed; valid as long as the engine.
  [[nodiscard]] std::string_view failure() const { return failure_; }

  /// What was agreed upon: "TLSv1.3 TLS_AES_256_GCM_SHA384", and the common name of the client's certificate if it gave
  /// one. REQUIRES: handshake_is_done().
  [[nodiscard]] std::string description() const;

 private:
  struct deleter {
    void operator()(ssl_st* s) const;
  };
  /// What OpenSSL reads from and writes to during a call.
  struct wire_ends {
    std::span<const char> in;
    std::string* out = nullptr;
  };
  struct wire_bio;

  state fail(const char* otherwise);

  std::unique_ptr<ssl_st, deleter> ssl_;
  wire_ends wire_;
  std::string failure_;
  bool handshake_is_done_ = false;
};

}  // namespace pubsubsql::server::tls
