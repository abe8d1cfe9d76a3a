#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <boost/asio/steady_timer.hpp>

#include "parser/ast.hpp"
#include "server/client_request.hpp"
#include "server/table_locks.hpp"
#include "server/worker_message.hpp"
#include "storage/durable/store.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::server {

class table_runner;
class worker;

/// The transactions of one worker's sessions. Used by its worker's thread only.
///
/// A statement of a transaction is run by its table's worker, which keeps the table for the transaction from then on
/// and sends back what the statement changed, with its events. All of that is collected here. Commit gives it to the
/// store as one; when that has committed, the events leave from here, and only then the tables are given back. Rolling
/// back sends each table's changes to its worker, which undoes them and gives the table back.
///
/// Rows of tables that others are bound to are copied by further parts of the statement that has brought them. It is
/// answered when all are made, and taken back as a whole when one fails.
///
/// A transaction does one thing at a time: while a statement of it is under way its session takes no other.
class transactions {
 public:
  /// Both outlive this.
  transactions(worker& w, table_runner& own_tables);
  ~transactions();
  transactions(const transactions&) = delete;
  transactions& operator=(const transactions&) = delete;

  // What clients ask; each is answered

  void begin(const client_request& a);
  void commit(const client_request& a);
  void roll_back(const client_request& a);
  /// A table and the worker that has it.
  struct placed_table {
    std::string name;
    unsigned worker = 0;
  };
  /// A statement and all its tables, the first of which is its own, or any if it has none. Without a transaction it
  /// becomes one by itself.
  void run(const client_request& a, const parser::statement& s, std::vector<placed_table> tables);

  /// Moves dead rows of a queue of this worker, at most `count` from the one at `from` on, to its dead letter table,
  /// which is at that worker: a transaction of the server's own. False: it could not begin. REQUIRES: the row at `from`
  /// is dead.
  [[nodiscard]] bool move_dead(const storage::table& queue, storage::row_position from, std::size_t count,
                               unsigned dead_letter_worker);

  /// Tells the client that its transaction was ended meanwhile, instead of what it asked. False: it was not.
  [[nodiscard]] bool tell_ended(const client_request& a);

  /// The session goes: a transaction that it has begun is rolled back, unless it is being committed.
  void abandon(transaction_id who);

  // Messages

  void on(transaction_answer& a);
  void on(const transactions_open& m);
  /// What the store says about a transaction, by the queue of its origin.
  void on(storage::durable::write_result& r);
  [[nodiscard]] static bool is_of_transaction(const storage::durable::write_origin& o) {
    return o.queue >= first_queue;
  }

 private:
  /// Queue numbers of results for transactions; tables' queues have smaller ones. Each transaction has its own: stores
  /// take a commit in a queue to speak for all before it.
  static constexpr std::uint32_t first_queue = 1U << 31U;

  enum class stage : std::uint8_t {
    idle,        ///< the client is to say what comes next
    entering,    ///< waits until transactions may begin
    asking,      ///< a table's worker has been asked
    committing,  ///< the store has been asked
    ended        ///< rolled back; the client is told when it asks for something
  };

  /// A part of a statement that is still to be run.
  struct planned_request {
    transaction_request request;
    unsigned worker = 0;
    unsigned rank = 0;  ///< of a copy's queue
    // Of the statement's subqueries, those that it needs the results of
    std::size_t first_inner = 0;
    std::size_t inner_count = 0;
  };

  /// A statement that has changed something.
  struct step {
    std::size_t table = 0;
    bool is_stored = true;
    std::shared_ptr<const storage::durable::statement_changes> changes;
    kept_events events;
    storage::queue_counts queued;
    std::vector<storage::copied_rows> copied;
    // `changes` is nullptr when rows were published only.
  };

  struct transaction {
    transaction(transaction_id i, storage::subscriber_id s, worker& w);

    transaction_id id;
    storage::subscriber_id session;
    stage at = stage::idle;
    bool is_abandoned = false;
    std::string why_ended;     ///< not empty: to be rolled back, or rolled back
    reply_route route;         ///< of what is under way
    bool is_implicit = false;  ///< of one statement, which commits it
    std::string dead_of;       ///< the queue whose dead rows it moves; empty: it is a client's
    std::vector<placed_table> tables;
    std::size_t asked = 0;             ///< the table that has been asked
    std::string reply;                 ///< when it is committed
    std::deque<planned_request> plan;  ///< of the statement under way; the first has been asked, or waits to enter
    std::vector<storage::sql::inner_result> inner_results;       ///< of its subqueries so far
    std::optional<parser::unsubscribe_statement> unsubscribing;  ///< without names
    std::optional<transaction_answer> main;  ///< of the statement under way, when only its copies are still to be made
    std::vector<step> steps;
    // Before the statement under way
    std::size_t steps_before = 0;
    std::uint64_t rows_before = 0;
    std::uint64_t bytes_before = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    bool is_awaited = false;
    std::int64_t committing_since_ns = 0;  ///< by the worker's steady clock
    boost::asio::steady_timer age;
  };

  [[nodiscard]] transaction* find(transaction_id who);
  [[nodiscard]] transaction* of(const client_request& a);
  transaction& add(const client_request& a);
  void await(transaction& t, const client_request& a);
  /// What a statement is run with.
  struct statement_facts {
    std::string_view sql;
    access::shared_rights user = {};
    std::int64_t now_us = 0;
  };
  void make_plan(transaction& t, const statement_facts& of, const parser::statement& s,
                 std::span<const placed_table> tables) const;
  [[nodiscard]] bool enter(transaction_id who);
  void ask_next(transaction& t);
  void send_first(transaction& t);
  void go_on(transaction& t, transaction_answer& a);
  void finish_statement(transaction& t, transaction_answer& a);
  void expire(transaction_id who);
  void take(transaction& t, transaction_answer& a);
  void forget_subscription(transaction& t);
  [[nodiscard]] std::string limit_exceeded(const transaction& t) const;
  void finish(transaction& t);
  void submit(transaction& t);
  void finish_commit(transaction& t);
  [[nodiscard]] static std::string gone_reply(const transaction& t);
  void fail(transaction& t, std::string reply);
  void take_back(transaction& t);
  void release(transaction& t, bool undo);
  void answer(const transaction& t, std::string bytes, std::vector<std::uint64_t> subscriptions_ended = {});
  std::unique_ptr<transaction> forget(transaction& t);
  void tell_moved(const transaction& t, std::string_view reply);

  // transactions_copies.cpp
  void add_reachable(std::vector<placed_table>& tables) const;
  void sort_by_rank(std::vector<placed_table>& tables) const;
  void plan_copies(transaction& t, std::vector<wanted_copy>& copies);
  void undo_statement(transaction& t);

  worker& worker_;
  table_runner& tables_;
  absl::flat_hash_map<transaction_id, std::unique_ptr<transaction>> open_;
};

}  // namespace pubsubsql::server
