#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "parser/statement_cache.hpp"
#include "storage/access/user_rights.hpp"
#include "storage/limits.hpp"
#include "storage/outcome.hpp"
#include "storage/queue_index.hpp"
#include "storage/sql/bound_expression.hpp"
#include "storage/table_description.hpp"
#include "storage/table_differences.hpp"

namespace pubsubsql::storage {

class executor;

/// The rows that a statement inserted or updated as a store has them, in the order of its changes. Each holds all
/// columns but `id`, from column 1 on; missing ones at the end are NULL.
using corrected_rows = std::vector<std::vector<std::optional<std::string>>>;

/// Facts about a table for `show tables`.
struct table_summary {
  std::string_view name;  ///< valid as long as the database
  std::uint64_t rows = 0;
  std::uint64_t row_bytes = 0;  ///< memory that the rows are in, without indexes
  std::size_t columns = 0;      ///< those that are shown
  std::uint64_t subscriptions = 0;
};

/// Facts about a subscription for `show subscriptions`.
struct subscription_summary {
  subscriber_id subscriber{};
  std::uint64_t pubsubid = 0;
  std::string_view table;    ///< valid as long as the database
  std::string statement;     ///< that would make it, without what becomes of it when its subscriber is slow
  std::uint64_t events = 0;  ///< of its rows' changes since it was made, those of statements taken back among them
};

/// Facts about a named subscription for `show subscriptions`. Views are valid until something changes.
struct named_summary {
  std::string_view name;
  std::string_view table;
  std::string_view statement;
  std::optional<std::uint64_t> position = {};  ///< nothing: nothing is acknowledged
  /// How many changes of the table come behind; nothing: it cannot go on there.
  std::optional<std::uint64_t> behind = {};
  std::uint64_t pubsubid = 0;  ///< of who has it; 0: nobody has
};

/// The in-memory engine: tables, their rows and indexes, and who subscribes to what.
///
/// Synchronous and deterministic: no sockets, threads, clocks or randomness; what is needed of those comes in as
/// arguments, so a recorded run replays to the same state. Not thread-safe: a database belongs to one worker, which
/// holds the tables placed there.
///
/// Invariants:
///  1. A statement is atomic: on any error no row, column, index, table, subscription or event of it remains.
///  2. The events of a table go to each subscriber in the order of the table's changes, none skipped, none twice.
///  3. The rows that a subscription starts with and the events after them leave no gap and no overlap.
///  4. Row ids and change sequence numbers are never reused.
class database {
 public:
  explicit database(const limits& l = {});
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Who runs a statement, and the id that a subscription made by it is to have (unused otherwise).
  struct caller {
    subscriber_id subscriber{};
    std::uint64_t pubsubid = 0;
    /// When a store has written the rows of this very statement otherwise than asked (rounding, defaults, generated
    /// values): the rows it wrote in the statement's order; nullptr otherwise.
    const corrected_rows* corrections = nullptr;
    /// For each of them, which row of the statement it is of: change::input_row.
    std::span<const std::uint32_t> corrected_inputs = {};
    /// What the subqueries of the statement gave, in the order of parser::subqueries_of(), when they were run
    /// elsewhere; nullptr: the database runs them itself, over tables of its own.
    const std::vector<sql::inner_result>* inner_results = nullptr;
    /// The time that now() is, in microseconds since 1970-01-01 00:00 UTC.
    std::int64_t now_us = 0;
    /// Whose rights decide which rows the statement sees and may write, and who current_user() is; nullptr: everybody's
    /// rights hold for all rows, and current_user() is NULL. Whether the statement is allowed at all is not asked here.
    const access::user_rights* user = nullptr;
    /// What becomes of a subscription that does not say when its subscriber is slow.
    parser::slow_policy on_slow = parser::slow_policy::disconnect;
    /// The number that a binding made by it is to have: larger than those of all that were made before.
    std::uint64_t binding = 0;
    /// Of `unbind`: bindings with larger numbers stay, since they were made later; nothing: all go.
    std::optional<std::uint64_t> bindings_until = {};
    /// Not 0: the process takes more memory than this many bytes, so what adds to it is refused.
    std::uint64_t memory_exceeded = 0;
    /// The statement is the server's own: it may name the columns that a queue has for itself, and leaves them as they
    /// are.
    bool by_server = false;
    /// Of a pop that has waited: outcome::looked_until of the last time, if nothing but the queue's rows has changed.
    std::uint64_t looked_until = 0;
  };

  /// Runs one statement. The outcome's views are valid until the next non-const call.
  /// Statements that are not the engine's (status, close, stop, show tables, mysql ...) fail with `unsupported`.
  [[nodiscard]] const outcome& execute(const parser::statement& s, const caller& who);

  /// Makes a table of that name that grows on first use, unless there is one of the name. The outcome, of kind done,
  /// has the change. `now_us`: the time, as in caller.
  [[nodiscard]] const outcome& make_table(std::string_view name, std::int64_t now_us);

  /// Runs a select that is a subquery of a statement elsewhere. Returns what is wrong with it, if anything.
  [[nodiscard]] std::optional<error> select_inner(const parser::statement& s, const caller& who,
                                                  sql::inner_result& out);

  /// A statement that will probably be run soon: another one of its form, and its own values as they are written,
  /// without those that are NULL in the other one.
  using expected_statement = parser::statement_cache::expected_statement;
  /// Has the memory fetched that these statements will need first: their rows by key. Only those whose forms have been
  /// run here before are looked at. Changes nothing that can be seen.
  void prefetch(std::span<const expected_statement> next);

  /// Takes back a statement that succeeded: its rows, columns, indexes and, when it made its table, that table. Its
  /// events must not have been sent. `changes` are those of its outcome, or copies of them; what came after it on the
  /// table must have been taken back before.
  void undo(std::string_view table, std::span<const change> changes);

  /// Makes a table's rows those of outside, the corrections being changes and events like any. Also for tables that
  /// statements cannot write. The outcome, of kind count, has how many rows were corrected; it is a failure, and
  /// nothing changed, when rows of outside share a key.
  /// `outside`: what the table is there; columns and indexes that it has not got here are made, behind its own.
  [[nodiscard]] const outcome& repair(std::string_view table, const table_differences& d,
                                      const table_description* outside = nullptr);
  /// Why repair() would fail; changes nothing.
  [[nodiscard]] std::optional<error> check_repair(std::string_view table, const table_differences& d,
                                                  const table_description* outside = nullptr);

  /// Keeps the rows of a table where they are, so that others than the database's thread can read them as long as it is
  /// not changed.
  void pin(std::string_view table, bool pinned);
  void pin_all(bool pinned);

  /// The changes of tables that are made from now on are numbered beyond `number`: tables that are gone have used it.
  void begin_numbers_after(std::uint64_t number);

  /// Ends one subscription of a subscriber, if there is such a one.
  void drop_subscription(subscriber_id subscriber, std::uint64_t pubsubid);

  /// Whether statements have met subscriptions that cost too much since the last end_costly().
  [[nodiscard]] bool has_costly() const;
  /// Ends them, and tells which they were: whoever has them has missed something. To be called before others subscribe.
  [[nodiscard]] std::vector<costly_subscription> end_costly();

  /// The table of a subscription; nothing: there is no such subscription. Valid as long as the table.
  [[nodiscard]] std::optional<std::string_view> table_of(subscriber_id subscriber, std::uint64_t pubsubid) const;

  /// What the subscription would begin with now, as the outcome of its `subscribe`. Fails when it shows too much.
  /// `tells_positions`: whether it did when it was made. REQUIRES: there is such a subscription.
  [[nodiscard]] const outcome& show_again(subscriber_id subscriber, std::uint64_t pubsubid, std::int64_t now_us,
                                          bool tells_positions = false);

  /// Forgets changes that are older than tables keep them. Tables that change do so by themselves.
  void forget_old_changes(std::int64_t now_us);
  /// Memory of the changes that are kept for subscribers that come back.
  [[nodiscard]] std::size_t history_bytes() const;

  /// Tells `list` of each subscription, table after table, until it returns false.
  void for_each_subscription(const std::function<bool(const subscription_summary&)>& list) const;

  /// The same of each named subscription, whether anybody has it or not.
  void for_each_named(const std::function<bool(const named_summary&)>& list) const;

  /// Adds a table that a store remembers, empty; table::load() brings its rows. REQUIRES: there is no such table.
  table& restore(const table_description& d);
  /// Takes such a table away again. REQUIRES: nobody has seen it.
  void forget(std::string_view table);

  /// Ends leases of a queue, as many as a statement may well do, so that it may have to be called again: those whose
  /// time is over (lease_end::time), those of a subscriber that is gone (connection), or all (restart). Their rows go
  /// back to the queue, or, when they have had their attempts and there is no dead letter table, away. The outcome, of
  /// kind count, has how many there were. Fails when the table is no queue.
  [[nodiscard]] const outcome& end_leases(std::string_view queue, lease_end why, subscriber_id of, std::int64_t now_us);

  /// Adds to the counts of a queue what a statement has done to it. REQUIRES: the statement is not taken back later.
  void count(std::string_view queue, const queue_counts& done);

  /// Ends every subscription of a subscriber, because it is gone. Unknown subscribers are ignored.
  void drop_subscriber(subscriber_id subscriber);

  /// Reclaims memory that updates and deletes left behind, a small step at a time (tens of microseconds). Call it when
  /// there is nothing better to do; returns whether there is more. Frees what the last outcome's views pointed to.
  bool maintain();

  /// Whether maintain(), or end_costly(), has something to do.
  [[nodiscard]] bool wants_maintenance() const;

  /// Rows inserted and erased since the database was made: a measure of the memory it uses and has freed.
  [[nodiscard]] std::uint64_t inserted_rows() const;
  [[nodiscard]] std::uint64_t erased_rows() const;

  [[nodiscard]] std::vector<table_summary> tables() const;

  /// The table of that name, or nullptr. Tables are never moved.
  [[nodiscard]] const table* find(std::string_view name) const;

 private:
  std::unique_ptr<executor> executor_;
};

}  // namespace pubsubsql::storage
