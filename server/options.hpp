#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "parser/ast.hpp"
#include "server/tls/settings.hpp"
#include "storage/limits.hpp"

namespace pubsubsql::server {

/// What can be set on the command line, in the environment (PUBSUBSQL_<FLAG>) and in a configuration file; earlier ones
/// win. Every limit of the server is here, with its reason; limits.cpp says how each can be set.
struct options {
  std::string bind = "127.0.0.1";
  std::uint16_t port = 7777;  ///< 0: any free port
  /// For HTTP and WebSocket; 0: none.
  std::uint16_t http_port = 7778;
  /// Whether WebSocket clients may have messages compressed, which costs some 40 KiB and time for each.
  bool http_deflate = false;
  /// Origins, separated by commas, whose pages may use the server over HTTP besides its own; `*`: all.
  std::string http_allow_origin;
  /// Names, separated by commas, by which the server may be called without users besides localhost; `*`: all.
  std::string http_allow_host;
  bool http_port_is_given = false;  ///< then the server does not go on without it. Set by read_options().
  unsigned threads = 0;             ///< workers; 0: one for each core
  /// How long a worker that has had something to do keeps looking for more before it sleeps. Being woken takes a
  /// processor tens of microseconds, which a lone client feels; looking takes all of a core's time. 0: it sleeps at
  /// once.
  std::uint32_t spin_us = 0;
  std::string log_level = "info";
  /// Milliseconds that a statement may take before the log has a line about it; 0: none has.
  std::uint32_t slow_statement_ms = 0;

  /// The file that has the users; empty: there are none, and everybody who can connect may do everything.
  std::string users_file;
  /// Whether, without users, other addresses than this machine's own may be listened on.
  bool insecure_no_auth = false;

  /// Bytes of one statement. At most parser::statement_bytes_limit.
  std::uint32_t statement_bytes_max = 16U << 20;
  /// Names and parts of expressions of a statement (see parser::statement_arena): read and bound, one takes up to some
  /// 700 bytes.
  std::size_t statement_parts_max = 500'000;
  /// Bytes of events that may wait for a subscriber before it is too slow.
  std::size_t backlog_bytes_max = 16U << 20;
  /// Bytes of events that may wait for all subscribers together, so that many slow ones cannot take all memory; 0: no
  /// bound.
  std::size_t backlog_total_bytes_max = 1U << 30;
  /// Bytes of replies that may wait to be read by all clients together, those of HTTP counted apart; 0: no bound.
  std::size_t reply_total_bytes_max = 1U << 30;
  /// What becomes of subscriptions that do not say when their subscriber is too slow.
  parser::slow_policy on_slow = parser::slow_policy::disconnect;
  /// Requests of a connection whose replies are due; further ones are not read until there are fewer.
  std::size_t pipeline_max = 10'000;
  /// Connections at a time. Each costs a file descriptor and about a kilobyte.
  std::size_t connections_max = 10'000;
  /// Connections at a time from one address; 0: as many as there may be, for behind a proxy all come from one.
  std::size_t connections_per_address_max = 0;
  /// Bytes of the process's memory before statements that add to it are refused; 0: no limit. read_options() sets it to
  /// four fifths of the memory there is, unless it is given.
  std::uint64_t memory_bytes_max = 0;
  /// How long a connection without subscriptions may send nothing; 0: for ever.
  std::uint32_t idle_timeout_seconds = 0;
  /// How long a connection may be silent before the system asks whether the client is still there; 0: it never does.
  std::uint32_t tcp_keepalive_seconds = 60;
  /// Subscriptions of one connection. Each costs some 150 bytes as long as it lasts.
  std::size_t subscriptions_max = 100'000;
  /// Subscriptions of all connections.
  std::size_t total_subscriptions_max = 10'000'000;
  /// Statements that a connection may have prepared, and bytes of them.
  std::size_t prepared_statements_max = 1'000;
  std::size_t prepared_bytes_max = 16U << 20;
  /// Tables. Each costs some kilobytes, even when empty.
  std::size_t tables_max = 10'000;
  /// Rows that a transaction may change: each is kept twice until it ends.
  std::uint64_t transaction_rows_max = 1'000'000;
  /// Bytes of changes and events of a transaction, which wait in memory until it ends.
  std::size_t transaction_bytes_max = 256U << 20;
  /// How long a transaction may take: others wait for its tables.
  std::uint32_t transaction_seconds_max = 60;
  /// How long an orderly stop waits for clients to take what is due to them.
  std::uint32_t stop_grace_ms = 5'000;

  /// Directory of the embedded store; empty: none.
  std::string data_directory;
  /// Where MySQL is; empty: no MySQL.
  std::string mysql;
  /// Tables to take over from MySQL, separated by commas; empty: all.
  std::string mysql_tables;
  /// Connections to MySQL. Each has a thread here and there; two keep one busy while the other commits.
  unsigned mysql_connections = 2;
  /// How long MySQL may take for an answer.
  std::uint32_t mysql_timeout_ms = 30'000;
  /// When replies and events of changes leave; nothing: `committed` as soon as there is a store.
  std::optional<parser::ack_mode> ack;
  /// Bytes of changes on their way to the store before statements have to slow down.
  std::size_t store_queue_bytes_max = 64U << 20;

  /// TLS of both ports.
  tls::settings tls;
  /// How long a TLS handshake may take, and with `tls.required` a client to begin one. A few round trips and a few
  /// milliseconds of computing are the rule.
  std::uint32_t handshake_timeout_seconds = 10;

  storage::limits engine;

  /// Only say what is wrong with all this.
  bool check_config = false;
  /// All settings as lines of a configuration file, without passwords. Set by read_options().
  std::string shown;
};

/// Reads the command line, the environment and the configuration file. Prints help, the version or what is wrong, and
/// then returns the exit status in `exit_status` and no options.
[[nodiscard]] std::optional<options> read_options(int argc, const char* const* argv, int& exit_status);

}  // namespace pubsubsql::server
