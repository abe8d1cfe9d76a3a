#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "parser/parser.hpp"
#include "server/kept_events.hpp"
#include "server/reply_encoder.hpp"
#include "server/server_sample.hpp"
#include "server/table_locks.hpp"
#include "storage/access/user_rights.hpp"
#include "storage/durable/store.hpp"
#include "storage/outcome.hpp"
#include "storage/queue_index.hpp"
#include "storage/sql/bound_expression.hpp"

/// What workers say to each other. Messages from one worker to another arrive in the order sent.
namespace pubsubsql::server {

/// Where a reply goes: a session, its slot, and how to write it.
struct reply_route {
  storage::subscriber_id session{};
  std::uint64_t slot = 0;
  reply_address address;
};

/// Whether the rows of a subscription are asked for anew, and whether they are too many.
enum class showing : std::uint8_t { nothing, rows, too_much };

/// Who asks what: a statement on its way to the table, and for as long as it may have to be run again.
struct statement_source {
  reply_route route;
  std::uint64_t pubsubid = 0;              ///< for the subscription it makes; 0: it makes none
  bool stream = false;                     ///< success is not replied
  showing shows_again = showing::nothing;  ///< instead of a statement: the rows of that subscription
  bool tells_positions = false;            ///< that subscription
  std::uint64_t position = 0;              ///< what those rows lead to
  std::string_view text;                   ///< as the client sent it, valid while it is run for the first time
  std::string sql;                         ///< a copy of the text; made when it has to outlive that
  access::shared_rights user = {};         ///< whose rights it is run with, whenever that is
  /// Of an `unbind` that follows a drop: bindings with larger numbers have been made since.
  std::optional<std::uint64_t> bindings_until = {};
  /// Instead of a statement: leases of a queue end, those of the route's session if that is why. Nobody is answered.
  std::optional<storage::lease_end> ends_leases = {};
  static constexpr std::int64_t waits_no_more = -1;
  std::int64_t wait_until_us = 0;  ///< of a pop that may wait for rows; 0: it has not waited yet
  bool leases = false;             ///< it leases rows to its session
  std::uint64_t looked_until = 0;  ///< of a pop that has waited: which of the queue's rows it has looked at
};

/// Run this on your table.
struct run_statement {
  reply_route route;
  std::uint64_t pubsubid = 0;
  std::string sql;
  access::shared_rights user = {};
};

/// What the stores say about your writes.
struct writes_done {
  std::vector<storage::durable::write_result> results;
};

/// The reply to run_statement, ready to be sent; empty when there is none to send.
struct statement_done {
  reply_route route;
  std::uint64_t count = 1;  ///< so many slots from the route's on; more than one only when there is nothing to send
  std::string bytes;
  std::vector<std::uint64_t> subscriptions_ended = {};  ///< by it, or counted for it and not made
};

/// Send this to those of your sessions.
struct deliver_event {
  std::shared_ptr<const encoded_event> event;
  std::vector<storage::event_target> targets;
};

/// Those of your sessions did not get these events.
struct events_left_out {
  std::vector<lost_events> lost;
};

/// A subscription of your tables has left events out: what would it begin with now? Answered by first_rows, behind the
/// events before.
struct wanted_rows {
  storage::subscriber_id session{};
  std::uint64_t pubsubid = 0;
  parser::wire_mode mode{};
  bool tells_positions = false;
};

/// The reply to wanted_rows, ready to be sent.
struct first_rows {
  storage::subscriber_id session{};
  std::uint64_t pubsubid = 0;
  std::optional<std::string> bytes = {};  ///< nothing: they are more than a statement may show
  std::uint64_t position = 0;             ///< what they lead to
};

/// A subscription of your session has ended, because it was dropped, or another subscriber has it now.
struct subscription_over {
  storage::subscriber_id session{};
  std::uint64_t pubsubid = 0;
  bool dropped = false;
};

/// A subscription of your session has ended, because it cost too much: the session has to, as well.
struct subscription_too_costly {
  storage::costly_subscription what;
};

/// More events wait for connections than may; you may have some that end.
struct backlog_is_over {};

/// This session is gone.
struct drop_subscriber {
  storage::subscriber_id session{};
};

/// This session takes no more statements: answer its pops that wait for rows.
struct stop_waiting {
  storage::subscriber_id session{};
};

/// Tell me about subscriptions: those of your tables, and those of your sessions.
struct list_subscriptions {
  unsigned asker = 0;           ///< a worker
  std::uint64_t gathering = 0;  ///< its number for the question
};

/// What a worker that has a table knows of a subscription.
struct subscription_facts {
  storage::subscriber_id session{};
  std::uint64_t pubsubid = 0;
  std::string table;
  std::string statement;
  std::uint64_t events = 0;  ///< made for it
};

/// What it knows of a named one, whoever has it.
struct named_facts {
  std::string name;
  std::string table;
  std::string statement;
  std::optional<std::uint64_t> position = {};
  std::optional<std::uint64_t> behind = {};
  std::uint64_t pubsubid = 0;  ///< 0: nobody has it
};

/// What its worker knows of a connection.
struct connection_facts {
  std::string address;
  std::uint64_t backlog_bytes = 0;
  std::uint64_t age_ms = 0;  ///< of the oldest that waits
};

/// What it knows of a subscription that does not end the connection.
struct borne_facts {
  parser::slow_policy policy{};
  std::uint64_t dropped = 0;
  std::uint64_t conflated = 0;
};

/// What one worker knows of subscriptions and their connections.
struct subscription_list {
  std::vector<subscription_facts> subscriptions;
  std::vector<named_facts> named;
  absl::flat_hash_map<storage::subscriber_id, connection_facts> connections;
  absl::flat_hash_map<std::uint64_t, borne_facts> borne;  ///< by pubsubid
  std::size_t bytes = 0;                                  ///< of its texts
  bool is_cut = false;                                    ///< there is more than a statement may show
};

/// The reply to list_subscriptions.
struct subscriptions_listed {
  std::uint64_t gathering = 0;
  subscription_list list;
};

/// Tell me about your tables.
struct list_tables {
  unsigned asker = 0;           ///< a worker
  std::uint64_t gathering = 0;  ///< its number for the question
};

/// The reply to list_tables.
struct tables_listed {
  std::uint64_t gathering = 0;
  std::vector<table_numbers> tables;
};

/// Tell me what you have counted.
struct list_metrics {
  unsigned asker = 0;           ///< a worker
  std::uint64_t gathering = 0;  ///< its number for the question
  bool with_tables = false;
};

/// The reply to list_metrics.
struct metrics_listed {
  std::uint64_t gathering = 0;
  unsigned worker = 0;
  std::unique_ptr<worker_sample> sample;
};

/// Run this on your table for a transaction; the table becomes its own first, when it has not got it. Answered by a
/// transaction_answer, always.
struct transaction_request {
  transaction_id who{};
  reply_route route;        ///< of the statement; the slot is unused. The session's worker has the transaction.
  std::string table;        ///< as the statement names it
  std::string sql;          ///< empty: only the table is wanted
  bool wants_rows = false;  ///< its rows are asked for as data: it is a subquery
  /// What its subqueries gave; nullptr: they are run with it.
  std::shared_ptr<const std::vector<storage::sql::inner_result>> inner = {};
  std::int64_t now_us = 0;          ///< what now() is
  access::shared_rights user = {};  ///< whose rights it is run with
  bool by_server = false;           ///< no client has asked for it
  bool makes_table = false;         ///< there is to be such a table, but no statement says what it is
  /// It copies rows of this table, which the one above is bound to; when that has gone meanwhile there is nothing to
  /// do. Empty: it is a statement of a client.
  std::string copies_from = {};
};

/// What a transaction has to do behind a statement: rows of its table go into a queue.
struct wanted_copy {
  std::string from;
  std::string queue;
  std::string sql;  ///< inserts them there
};

/// What a transaction_request came to.
struct transaction_answer {
  enum class fate : std::uint8_t {
    done,       ///< it was run, or the table is the transaction's
    failed,     ///< the statement; `reply` says why
    deadlock,   ///< the table cannot be had
    cancelled,  ///< the table had not been had when transaction_cancel came
  };
  transaction_id who{};
  storage::subscriber_id session{};
  fate what = fate::done;
  std::string reply = {};  ///< ready to be sent; empty when there is none to send
  std::shared_ptr<const storage::durable::statement_changes> changes = {};  ///< nullptr: it changed nothing
  kept_events events = {};
  std::optional<storage::sql::inner_result> rows = {};  ///< of a subquery
  bool is_awaited = false;  ///< whether a store has to have committed it before it is acknowledged
  bool is_stored = true;    ///< whether stores have the table
  std::vector<wanted_copy> copies = {};
  // To be counted when the transaction is committed
  storage::queue_counts queued = {};
  std::vector<storage::copied_rows> copied = {};
  std::vector<std::uint64_t> subscriptions_ended = {};
};

/// Do not wait for this table any more, if you still do.
struct transaction_cancel {
  transaction_id who{};
  std::string table;
};

/// A statement of the transaction has failed behind this: take back what it did to the table, last first. The table
/// stays the transaction's.
struct transaction_undo {
  std::string table;
  std::vector<std::shared_ptr<const storage::durable::statement_changes>> undo;
};

/// The transaction has ended: take back what it did to the table, last first, and let others have it.
struct transaction_end {
  transaction_id who{};
  std::string table;
  std::vector<std::shared_ptr<const storage::durable::statement_changes>> undo;  ///< empty: it stays
  storage::queue_counts queued = {};                                             ///< what stays, to be counted
};

/// Transactions may begin again; this one waits for that.
struct transactions_open {
  transaction_id who{};
  storage::subscriber_id session{};
};

/// Whether a password was right.
struct auth_done {
  reply_route to;
  std::string user;
  access::shared_rights accepted = {};  ///< the user, as it was when the password was verified; nullptr: refused
};

/// Users or rights are others than before.
struct rights_changed {};

class table_runner;

/// Do this on your thread.
struct table_work {
  std::function<void(table_runner&)> work;
};

using worker_message =
    std::variant<run_statement, statement_done, deliver_event, events_left_out, drop_subscriber, list_tables,
                 tables_listed, writes_done, table_work, transaction_request, transaction_answer, transaction_cancel,
                 transaction_undo, transaction_end, transactions_open, wanted_rows, first_rows, backlog_is_over,
                 list_subscriptions, subscriptions_listed, auth_done, rights_changed, list_metrics, metrics_listed,
                 stop_waiting, subscription_over, subscription_too_costly>;

}  // namespace pubsubsql::server
