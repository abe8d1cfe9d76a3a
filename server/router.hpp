#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "parser/parser.hpp"
#include "parser/request_reader.hpp"
#include "parser/statement_cache.hpp"
#include "server/access_gate.hpp"
#include "server/client_request.hpp"
#include "server/metrics_gatherer.hpp"
#include "server/subscription_listing.hpp"
#include "server/table_runner.hpp"
#include "server/transactions.hpp"
#include "server/worker_message.hpp"
#include "storage/database.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::server {

class session;
class worker;

/// Brings each statement to the worker that has its table, runs it there, and brings back the reply and the events.
/// One for each worker, with that worker's database; used by its thread only.
class router {
 public:
  /// The worker outlives the router.
  explicit router(worker& w);

  /// A statement of a client of this worker.
  void run(session& from, const parser::request& r, request_origin how);

  /// Statements that clients of this worker have sent and that will be run next, in this order: what they need is
  /// fetched meanwhile. The texts stay where they are until they are run, or until nothing is expected.
  void expect(std::span<const std::string_view> next) { tables_.tables().prefetch(statements_.expect(next)); }

  // Messages of other workers

  void on(run_statement& m);
  void on(statement_done& m);
  void on(deliver_event& m);
  void on(const events_left_out& m);
  void on(const drop_subscriber& m);
  void on(writes_done& m);
  void on(table_work& m);
  void on(const list_tables& m);
  void on(tables_listed& m);
  void on(transaction_request& m) { tables_.run(std::move(m)); }
  void on(transaction_answer& m) { transactions_.on(m); }
  void on(const transaction_cancel& m) { tables_.cancel(m); }
  void on(const transaction_undo& m) { tables_.take_back(m); }
  void on(const transaction_end& m) { tables_.end(m); }
  void on(const transactions_open& m) { transactions_.on(m); }
  void on(auth_done& m) { gate_.on(m); }
  void on(const list_metrics& m) { metrics_.on(m); }
  void on(metrics_listed& m) { metrics_.on(m); }
  void on(const rights_changed& m);
  void on(const ::pubsubsql::server::stop_waiting& m) { tables_.stop_waiting(m.session); }

  [[nodiscard]] access_gate& gate() { return gate_; }
  void on(const wanted_rows& m) { tables_.show_again(m); }
  void on(const first_rows& m);
  void on(const subscription_over& m);
  void on(const subscription_too_costly& m);
  void on(const backlog_is_over& m);
  void on(const list_subscriptions& m) { listing_.on(m); }
  void on(subscriptions_listed& m) { listing_.on(m); }

  [[nodiscard]] metrics_gatherer& metrics() { return metrics_; }
  /// The tables of this worker, without the server's own.
  [[nodiscard]] std::vector<table_numbers> tables_here() const;

  /// A subscription of a session of this worker is to be shown its rows again, by the worker that has its table.
  void show_again(unsigned owner, const wanted_rows& m);

  /// The worker begins to run.
  void start() { tables_.queues().start(); }

  /// As transactions::move_dead(); tells the keeper of the queues when that is done, or why it cannot be.
  [[nodiscard]] bool move_dead(const storage::table& queue, storage::row_position from, std::size_t count);

  /// A session of this worker takes no more statements; `workers` may have pops of it that wait.
  void stop_waiting(storage::subscriber_id session, const std::vector<unsigned>& workers);

  /// A session of this worker ends before its transaction.
  void abandon(transaction_id who) { transactions_.abandon(who); }

  /// A session of this worker is gone; `subscribed_workers` may hold subscriptions of it.
  void session_ended(storage::subscriber_id session, const std::vector<unsigned>& subscribed_workers);

  /// The turn ends: what its statements changed goes to the store.
  void end_turn() { tables_.end_turn(); }
  /// Tables that do not change any more forget what they have kept for too long.
  void forget_old_changes();

  /// REQUIRES: the worker's thread, or that it does not run.
  [[nodiscard]] table_runner& runner() { return tables_; }
  [[nodiscard]] storage::database& database() { return tables_.tables(); }

  /// Whether maintain() has something to do.
  [[nodiscard]] bool wants_maintenance() const { return tables_.tables().wants_maintenance() || wants_trim(); }
  /// Gives back memory, in small steps. Returns whether there is more to do.
  bool maintain();
  /// The process has too much memory: the allocator gives back what rows that have gone left behind.
  void relieve_memory();

 private:
  /// A `show tables` that waits for other workers.
  struct gathering {
    reply_route route;
    std::size_t missing = 0;
    std::vector<table_numbers> tables;
    access::shared_rights user = {};  ///< who asks
    bool queues = false;              ///< `show queues`
  };

  /// What is known of a statement by its form, which names its tables.
  struct known_owner {
    std::uint64_t form = 0;
    bool several = false;  ///< it is about more than one table, by name or by bindings, or has none of its own
    unsigned worker = 0;   ///< of the one
  };

  [[nodiscard]] bool wants_trim() const;
  void trim();
  void refuse_unread(const client_request& a, request_origin how);
  void run_other(const client_request& a, const parser::statement& s);
  void execute(const client_request& a, const parser::execute_statement& s);
  void run_mysql(const client_request& a, const parser::statement_body& body);
  void run_over_several(const client_request& a, const parser::statement& s);
  [[nodiscard]] bool run_in_transaction(const client_request& a, const parser::statement& s);
  void run_on_table(const client_request& a, const parser::statement& s);
  void run_on_worker(const client_request& a, const parser::statement& s, unsigned owner);
  void bear_subscription(const client_request& a, const parser::statement& s, std::uint64_t pubsubid, unsigned owner);
  void run_here(const client_request& a, const parser::statement& s, std::uint64_t pubsubid);
  void send_to(unsigned owner, const client_request& a, std::uint64_t pubsubid);
  [[nodiscard]] bool note_lease(const client_request& a, unsigned owner);
  void show_tables(const client_request& a, bool queues);
  void show_status(const client_request& a);
  static void encode_tables(std::string& out, gathering& g);
  static void encode_queues(std::string& out, const gathering& g);
  [[nodiscard]] known_owner& known_form_of(const parser::statement& s);
  [[nodiscard]] bool is_about_several_tables(const parser::statement& s);
  void forget_bindings();
  [[nodiscard]] bool is_copied(const parser::statement& s);
  void show_bindings(const client_request& a);
  [[nodiscard]] std::optional<unsigned> find_owner(const client_request& a, const parser::statement& s,
                                                   std::string_view table);
  [[nodiscard]] std::optional<unsigned> owner_of(std::string_view table, bool create);
  std::string why_no_new(std::string_view table);
  static void refuse(const client_request& a, std::string_view message);

  worker& worker_;
  table_runner tables_;
  transactions transactions_;
  access_gate gate_;
  subscription_listing listing_;
  metrics_gatherer metrics_;
  std::uint64_t erased_at_trim_ = 0;    // of the database's erased rows, those before the allocator was last trimmed
  storage::text_map<unsigned> owners_;  // what the table directory said
  std::array<known_owner, 256> owner_by_form_;
  std::uint64_t bindings_version_ = 0;          // that owner_by_form_ is of
  std::vector<std::string_view> tables_named_;  // scratch
  absl::flat_hash_map<std::uint64_t, gathering> gatherings_;
  std::uint64_t last_gathering_ = 0;
  parser::statement_cache statements_;
};

}  // namespace pubsubsql::server
