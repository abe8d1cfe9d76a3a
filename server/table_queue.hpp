#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/kept_events.hpp"
#include "server/worker_message.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/outcome.hpp"

namespace pubsubsql::server {

/// A statement that has been run in memory and whose reply and events wait for a store to commit: its own changes, or
/// those of statements before it that it has seen.
struct held_statement {
  statement_source source;
  std::string reply;
  std::vector<std::uint64_t> subscriptions_ended;
  kept_events events;
  storage::queue_counts queued;                                        ///< to be counted when it is committed
  std::shared_ptr<const storage::durable::statement_changes> changes;  ///< nullptr: it only read
  std::uint64_t ticket = 0;                                            ///< of its changes
  std::int64_t held_since_ns = 0;                                      ///< by the worker's steady clock
  bool drops_table = false;

  /// Of its reply and its events.
  [[nodiscard]] std::size_t bytes() const { return reply.size() + events.bytes(); }
};

/// A statement that has not been run yet, or work of others or a transaction that wants the table for itself.
struct waiting_statement {
  statement_source source;
  bool barrier = false;  ///< runs only when nothing is held
  // Instead of a statement
  std::function<void()> occupy = {};                          ///< told when the table is its own
  std::unique_ptr<transaction_request> for_transaction = {};  ///< run when the table is the transaction's
};

/// The statements of one table that are not finished, in order: first the held, then the waiting. Exists with a store,
/// and for tables that a transaction or somebody outside has wanted for himself.
///
/// Invariants:
///  1. Tickets of held statements rise; the first held statement has changes.
///  2. Undoing the held statements, last first, leads back to what the store has committed.
struct table_queue {
  std::string table;
  std::uint32_t number = 0;
  std::uint32_t epoch = 1;
  std::uint64_t last_ticket = 0;
  std::deque<held_statement> held;
  std::deque<waiting_statement> waiting;
  /// Statements that may be held at a time. What a store does not take as it is makes all behind it run again, so that
  /// where this happens few are let run ahead, and more again as long as it does not.
  std::size_t held_max = SIZE_MAX;
  std::size_t held_bytes = 0;  ///< of held statements: their replies and events
  /// Something outside, or a transaction, has the table for itself; statements wait until it is done.
  bool occupied = false;
  transaction_id owner{};  ///< the transaction that has it; none: no transaction has

  /// Beyond so much of replies and events no more statements are held: they wait as texts.
  static constexpr std::size_t held_bytes_max = std::size_t{16} << 20;

  /// Whether statements that come wait until fewer are held.
  [[nodiscard]] bool is_full() const { return held.size() >= held_max || held_bytes >= held_bytes_max; }
};

}  // namespace pubsubsql::server
