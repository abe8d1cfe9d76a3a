#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/database.hpp"
#include "storage/durable/change_group.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/table.hpp"

/// Stores outlive the process. They run on threads of their own, get what the workers' statements changed through
/// bounded queues, and say when it is committed.
namespace pubsubsql::storage::durable {

class table_handover;

/// Whom the fate of a write concerns: a worker, one of its table queues, and a number that rises in it. Opaque here.
struct write_origin {
  unsigned worker = 0;
  std::uint32_t queue = 0;
  std::uint64_t ticket = 0;
};

/// One statement's changes, or those of a transaction, on the way to the stores.
struct write {
  std::shared_ptr<const statement_changes> changes;  ///< nullptr: `group` has them
  /// Of a transaction: all of them are committed together, or refused together with one result. While it is awaited,
  /// nothing else of its tables may be under way: what was before has been answered, nothing follows. So it never
  /// becomes void, and its refusal makes nothing void.
  std::shared_ptr<const change_group> group = {};
  write_origin origin;
  /// Grows each time a worker takes statements of the table back. After a store did not take a write as it was, it
  /// drops what follows on that table in the same epoch: the worker will send those statements' changes again.
  std::uint32_t epoch = 0;
  /// Whether somebody waits for the result. When nobody does, a refusal can only be reported.
  bool awaited = true;
  /// MySQL has these rows already: the write corrects what the engine had guessed.
  bool in_mysql = false;
  std::chrono::steady_clock::time_point queued_at{};
  /// Set between the stores: it did not reach MySQL and has to be journalled.
  bool journal = false;
  /// Set between MySQL's lanes: tables that the one with the group takes over from others first; a group of none is
  /// where another gives them.
  std::vector<std::shared_ptr<table_handover>> handovers = {};

  /// One statement's changes, or those of the group.
  [[nodiscard]] std::span<const std::shared_ptr<const statement_changes>> statements() const {
    if (group != nullptr) return *group;
    return {&changes, 1};
  }
  [[nodiscard]] std::size_t memory_bytes() const {
    std::size_t bytes = 0;
    for (const auto& s : statements()) bytes += s->memory_bytes();
    return bytes;
  }
};

/// Starting without MySQL, it is not known whether MySQL got a little further than the data directory before the server
/// ended. Changes from then on are numbered beyond anything that can have been under way, so that none of them is taken
/// for one of those.
inline constexpr std::uint64_t sequence_leap = std::uint64_t{1} << 32U;

/// Why a store refused a change, in its own words.
struct store_error {
  int code = 0;          ///< the store's
  std::string sqlstate;  ///< MySQL's; empty for SQLite
  std::string message;
};

/// What became of an awaited write.
struct write_result {
  enum class fate : std::uint8_t {
    committed,  ///< it, and all awaited writes of its queue before it of which nothing else was said
    refused,    ///< nothing of it is in the store
    corrected,  ///< committed in MySQL with the rows of `rows`; the worker redoes it with them. Never of a group
  };
  write_origin origin;
  fate what = fate::committed;
  store_error error = {};    ///< refused
  corrected_rows rows = {};  ///< corrected
};

/// Takes results, all for one worker. Called on a store's thread; must not block.
using result_handler = std::function<void(unsigned worker, std::vector<write_result>& results)>;

/// Takes rows that MySQL has stored otherwise than they had been acknowledged, or than they are in a transaction, whose
/// result may come before or after. Called on a store's thread; must not block.
using correction_handler =
    std::function<void(std::shared_ptr<const statement_changes> written, const corrected_rows& stored)>;

/// One stage on the way of writes: SQLite, or MySQL with SQLite behind it.
class store {
 public:
  virtual ~store() = default;

  /// Takes the writes in; leaves the vector empty. Writes of a table must come from one thread, in order. Thread-safe.
  virtual void submit(std::vector<write>& writes) = 0;

  /// Bytes of changes taken in and not yet committed. Thread-safe.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;

  /// Commits what has been taken in, as far as that is possible, and ends the threads. Nothing may be submitted after.
  virtual void stop() = 0;
};

/// Receives tables while a store loads them.
class table_loader {
 public:
  virtual ~table_loader() = default;
  /// A table; the rows that follow are its. Returns what is wrong with it, if anything.
  [[nodiscard]] virtual std::optional<std::string> on_table(const table_description& d) = 0;
  /// `values[i]` is column i; values[0] is ignored. Returns what is wrong with the row, if anything.
  [[nodiscard]] virtual std::optional<std::string> on_row(row_position position, std::span<const value> values) = 0;
  /// What on_change() brings is all that there was behind this position. Behind all rows.
  virtual void on_changes_after(std::uint64_t position) { static_cast<void>(position); }
  /// A change of before, which the table keeps for subscribers that come back. Behind all rows, in order.
  virtual void on_change(const past_change& c) { static_cast<void>(c); }
  /// One that is lost: those before it do not count.
  virtual void on_lost_change(std::uint64_t sequence) { static_cast<void>(sequence); }
};

}  // namespace pubsubsql::storage::durable
