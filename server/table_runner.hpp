#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/statement_cache.hpp"
#include "server/binding_directory.hpp"
#include "server/queue_keeper.hpp"
#include "server/reply_encoder.hpp"
#include "server/table_queue.hpp"
#include "server/worker_message.hpp"
#include "storage/database.hpp"
#include "storage/durable/store.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::server {

class session;
class worker;

/// Runs statements on the tables of one worker and lets their replies and events go when they may: at once, or, for
/// `ack = committed`, when a store has committed what they changed and saw. Used by its worker's thread only.
///
/// The optimistic group commit: a statement runs in memory right away and its changes go to the store; its reply, its
/// events and whatever later statements on the table answer are held. The store commits what has come together
/// meanwhile as one transaction. When it refuses a statement, that one and all later ones are undone, it is answered
/// with the store's error, and the later ones are run again.
class table_runner {
 public:
  explicit table_runner(worker& w);
  ~table_runner();

  /// A statement for a table of this worker. `from.slot` is 0 when the client's session, on this worker, has not opened
  /// a slot for the reply yet: then it is answered directly if it can be.
  void run(statement_source from, const parser::statement& s);

  /// A subscription, of a session of any worker, is to be shown its rows again.
  void show_again(const wanted_rows& asked);

  /// The stores' word on writes of this worker.
  void on(std::vector<storage::durable::write_result>& results);

  /// This session takes no more statements, so its pops do not wait for rows any more.
  void stop_waiting(storage::subscriber_id session);

  /// This session is gone, and with it its leases and its subscriptions, those not made yet among them.
  void drop_subscriber(storage::subscriber_id session);

  // For the keeper of the queues

  [[nodiscard]] queue_keeper& queues() { return queues_kept_; }
  [[nodiscard]] const queue_keeper& queues() const { return queues_kept_; }
  /// Whether a statement on the table would be run at once.
  [[nodiscard]] bool is_free(std::string_view table) const;
  /// Runs a statement, which has its text and its slot, in the table's turn.
  void run_again(std::string_view table, statement_source from);
  /// Has a statement that has waited be run with the rights that its user has now. False: he may not run it any more;
  /// then he has been told.
  [[nodiscard]] bool renew_rights(statement_source& from);
  /// Ends leases of a queue, in the table's turn. `of`: whose, if that is why.
  void end_leases(std::string_view queue, storage::lease_end why, storage::subscriber_id of);

  // For transactions of this worker's and of others' sessions. Answers go to the session's worker.

  void run(transaction_request request);
  void cancel(const transaction_cancel& c);
  void take_back(const transaction_undo& u);
  void end(const transaction_end& e);

  // For those who work on a table from outside

  /// Calls `ready` once everything asked of the table before is finished and committed; statements that come later wait
  /// until release().
  void occupy(std::string_view table, std::function<void()> ready);
  void release(std::string_view table);
  /// The same for all tables at once, until resume(). Needs no store.
  void pause(std::function<void()> ready);
  void resume();
  /// Makes rows what MySQL has stored of an acknowledged statement, unless they have been changed since.
  void correct_late(std::shared_ptr<const storage::durable::statement_changes> written, storage::corrected_rows stored);
  /// Gives a table of the server's own, which is in no store, this one row.
  void show(const storage::table_description& own_table, const std::vector<std::string>& values);
  /// Makes the rows of an occupied or paused table those of MySQL, and answers the route with how many were corrected.
  /// `outside`: what the table is there; columns and indexes that are new are made.
  void repair(const reply_route& to, std::string_view table, const storage::table_differences& d,
              const storage::table_description* outside = nullptr);

  /// Tells the other workers what is bound to a table, and which named subscriptions there are to it.
  void note_bindings(std::string_view table);
  void note_subscriptions(std::string_view table);
  /// A queue has been dropped: takes away what bound it to a table until then.
  void unbind_dropped(std::string_view table, std::string_view queue, std::uint64_t until);

  /// Hands over what the turn's statements have changed.
  void end_turn();

  [[nodiscard]] storage::database& tables() { return database_; }
  [[nodiscard]] const storage::database& tables() const { return database_; }

 private:
  using result = storage::durable::write_result;

  /// Statements on rows can be run on top of changes that are not committed, and taken back with them. All others are
  /// rare and wait until nothing is uncommitted.
  [[nodiscard]] static bool is_barrier(const parser::statement_body& body);
  /// The subscriptions that a session may stop counting once the outcome is known.
  [[nodiscard]] static std::vector<std::uint64_t> subscriptions_ended(const parser::statement_body& body,
                                                                      std::uint64_t pubsubid,
                                                                      const storage::outcome& o);

  table_queue& queue_of(std::string_view table);
  [[nodiscard]] bool has_waiting(std::string_view table) const;
  void execute(table_queue* q, statement_source from, const parser::statement& s);
  void execute_from_text(table_queue* q, statement_source from);
  void settle(table_queue* q, statement_source from, const storage::outcome& o, std::vector<std::uint64_t> ended,
              bool drops_table);
  void settle_changes(table_queue* q, statement_source from, const storage::outcome& o,
                      std::vector<std::uint64_t> ended, bool drops_table);

  // table_runner_queues.cpp
  [[nodiscard]] static std::span<const storage::change> stored_part(const storage::outcome& o);
  [[nodiscard]] bool keep_waiting(statement_source& from, const storage::outcome& o);
  /// Counts what is not taken back any more.
  void count(std::string_view queue, const storage::queue_counts& done);
  void settle_queued(table_queue* q, statement_source from, const storage::outcome& o, std::vector<std::uint64_t> ended,
                     bool drops_table);
  void execute_ending(table_queue* q, statement_source from, std::string_view queue);
  void redo_corrected(table_queue& q, held_statement h, const storage::corrected_rows& rows);
  void hold(table_queue& q, statement_source from, const storage::outcome& o, std::vector<std::uint64_t> ended);
  held_statement& keep(table_queue& q, statement_source from, const storage::outcome& o, bool in_mysql);
  std::shared_ptr<const storage::durable::statement_changes> send_changes(table_queue& q, const storage::outcome& o,
                                                                          bool awaited, bool in_mysql);
  [[nodiscard]] bool is_acknowledged_at_once(const storage::outcome& o) const;

  void on_committed(table_queue& q, std::uint64_t ticket);
  std::deque<held_statement> take_back(table_queue& q, std::uint64_t ticket);
  void on_not_as_asked(table_queue& q, std::span<const result> results);
  void set_occupied(table_queue& q, bool occupied);
  void advance(table_queue& q);
  void advance_later(table_queue& q);
  void tell_when_paused();

  // table_runner_transactions.cpp
  void run_owned(table_queue& q, const transaction_request& request, bool is_first);
  void run_owned(table_queue& q, const transaction_request& request, transaction_answer& a);
  void make_table(table_queue& q, transaction_answer& a, const reply_address& to);
  void copy_into(table_queue& q, const transaction_request& request, transaction_answer& a);
  void take(const storage::outcome& o, transaction_answer& a);
  void answer(transaction_answer a);

  // table_runner_bindings.cpp
  [[nodiscard]] bool claim_binding(const parser::bind_statement& s, transaction_answer& a, std::uint64_t& number,
                                   const reply_address& to);
  void note_changes(std::string_view table, std::span<const storage::change> changes);
  void unbind_everywhere(std::string_view queue);
  [[nodiscard]] std::vector<wanted_copy> wanted_copies(const storage::outcome& o);
  [[nodiscard]] static std::optional<parser::statement> without_own_columns(const parser::statement& copying,
                                                                            const storage::table& queue);
  void undo(table_queue& q, const storage::durable::statement_changes& changes);

  // table_runner_subscriptions.cpp
  [[nodiscard]] bool claim_name(statement_source& from, const parser::statement& s);
  void release_name(const parser::statement& s);
  void tell_ended(const storage::ended_subscription& e);
  void before_subscriptions_change();
  void end_costly();

  // table_runner_showing.cpp
  void show_again(table_queue* q, statement_source from);
  void answer_showing(const statement_source& from, std::string bytes);

  void count_resume(const parser::statement_body& body, const storage::outcome& o);
  void encode_outcome(std::string& out, const statement_source& from, const storage::outcome& o);
  void open_slot(statement_source& from);
  void answer(const statement_source& from, std::string bytes, std::vector<std::uint64_t> subscriptions_ended);
  kept_events ready_events(const storage::outcome& o);
  void publish(const storage::outcome& o);

  worker& worker_;
  storage::database database_;
  storage::text_map<std::unique_ptr<table_queue>> queues_;
  std::vector<table_queue*> queue_by_number_;
  std::size_t occupied_queues_ = 0;
  std::size_t history_bytes_ = 0;  // as all workers' sum has it
  bool paused_ = false;
  std::function<void()> on_paused_;              // to be told when nothing is held any more
  std::vector<storage::durable::write> writes_;  // of this turn
  parser::statement_cache statements_;           // for those that are run from their text
  column_lists column_lists_;
  queue_keeper queues_kept_;
  binding_view bindings_;
};

}  // namespace pubsubsql::server
