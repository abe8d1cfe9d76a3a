#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace pubsubsql {

inline constexpr std::uint16_t default_port = 7777;

/// Making a lost connection anew without being asked. Subscriptions are made again on it; statements never are,
/// because one without a reply may have happened already.
struct reconnect_policy {
  bool automatic = false;
  std::chrono::milliseconds first_delay{100};  ///< before the first attempt; doubles with each one that fails
  std::chrono::milliseconds delay_max{5000};
};

/// Whether a connection is encrypted, and whether the server has to prove who it is.
enum class tls_mode : std::uint8_t {
  off,
  verify,    ///< the server's certificate must be from a trusted CA, valid now, and for the server's name
  insecure,  ///< any certificate will do: nobody can listen, but anybody could be the server
};

/// TLS of a connection. All files are PEM, and are read anew for each connection.
struct tls_options {
  tls_mode mode = tls_mode::off;
  std::string ca_file;           ///< CAs to trust; empty: those that the system trusts
  std::string server_name;       ///< the name or address that the certificate must have; empty: the host connected to
  std::string certificate_file;  ///< the client's certificate, for a server that asks for one; empty: none
  std::string key_file;          ///< its private key, without a passphrase
};

/// How a subscription begins, and how it goes on when the connection was lost and made anew.
struct subscribe_options {
  /// Goes on where it was: what happened meanwhile comes as the events it was, without gap or repeat, behind an event
  /// `resumed`; with `on slow conflate` what is known may be told again. Only when the server has it no longer there is
  /// a `resync`, and the rows come anew. For that the server keeps what happens to the table for a while. Servers that
  /// know no positions are asked as without.
  bool resume = true;
  /// Begins behind this position, the `seq` of an event that was seen before, without initial rows; implies `resume`.
  /// When that cannot be, the first event is a `resync`.
  std::optional<std::uint64_t> since = {};
};

/// How a client behaves, apart from where it connects to.
struct client_options {
  std::chrono::milliseconds connect_timeout{5000};  ///< the TLS handshake included; zero: as long as the system tries
  /// Per statement; zero: wait for ever. What waits on the server, as `pop ... wait` does, needs more than it waits.
  std::chrono::milliseconds reply_timeout{30000};
  reconnect_policy reconnect;
  bool resume = true;  ///< of subscriptions that are made without subscribe_options
  tls_options tls;

  /// Who to authenticate as on every connection, before anything else; empty: nobody, for servers without users. A
  /// refusal is errc::refused, and is not tried again. Without TLS the password travels in clear.
  std::string user;
  std::string password;

  /// Events received and not yet taken. When there are more bytes than this the client stops reading from its socket
  /// until some are taken; the server then holds back for a while and at last disconnects the slow client.
  std::size_t event_bytes_max = 64U << 20;
  /// One reply with all its batches.
  std::size_t reply_bytes_max = 1U << 30;
  /// One frame from the server: at most 100 rows. Protects against a peer that is no PubSubSQL server.
  std::size_t frame_bytes_max = 256U << 20;
  /// Statements sent or waiting to be sent, without a reply yet.
  std::size_t pending_max = 100'000;
  /// Bytes waiting to be sent. A full buffer makes stream() wait and execute() fail with errc::limit.
  std::size_t output_bytes_max = 160U << 20;
};

}  // namespace pubsubsql
