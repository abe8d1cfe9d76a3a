#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parser/ast.hpp"
#include "storage/row.hpp"

/// What the engine says about one executed statement, as plain data: a reply or an error, the events for subscribers,
/// and the changes for a store.
namespace pubsubsql::storage {

class table;
struct column_facts;
struct history_change;
struct binding_description;
struct subscription_description;
struct table_description;

/// Who subscribes: opaque to the engine, which only hands it back. Unique among those alive at any time.
enum class subscriber_id : std::uint64_t {};

/// One subscription of one subscriber.
struct event_target {
  subscriber_id subscriber{};
  std::uint64_t pubsubid = 0;
};

enum class event_action : std::uint8_t { add, insert, update, remove, delete_row, publish };

/// One changed row for everyone whose subscription it concerns. Events come in the order in which each subscriber has
/// to see them.
struct event {
  event_action action{};
  bool is_keyed = false;                  ///< some of the subscribers need to know which row it is: row.position()
  std::span<const column_index> columns;  ///< in the order to be sent
  /// The values of `columns` as they are to be sent. Its position tells the rows of one subscription apart, also where
  /// they are computed, and is not given to another row later.
  row_view row;
  /// The names of `columns`, when the row is none of the table's but computed; it has no id to show then. Empty: the
  /// table's.
  std::span<const std::string_view> titles = {};
  std::span<const event_target> targets;  ///< never empty, by rising pubsubid; but see outcome::replayed
  /// The position that a subscriber has reached who has got it: that of its change. Of an event that is one of several
  /// of its change the one before, as the others may be missing still.
  std::uint64_t sequence = 0;
};

enum class change_kind : std::uint8_t {
  create_table,
  add_column,
  add_key,
  add_tag,
  set_ack,
  insert_row,
  update_row,
  delete_row,
  drop_table,
  drop_column,
  add_index,
  drop_index,
  set_history,
  add_binding,
  drop_binding,
  add_subscription,
  drop_subscription,
  acknowledge
};

[[nodiscard]] constexpr bool is_about_rows(change_kind kind) {
  return kind == change_kind::insert_row || kind == change_kind::update_row || kind == change_kind::delete_row;
}

/// Whether it changes what columns and indexes there are, or the table itself.
[[nodiscard]] constexpr bool is_about_schema(change_kind kind) {
  return !is_about_rows(kind) && kind != change_kind::set_ack && kind != change_kind::set_history &&
         kind < change_kind::add_binding;
}

/// One step of a table's history. The changes of a table form one ordered stream, numbered without gaps from its first
/// one on, which is behind the time at which the table was made, in microseconds since 1970: so tables that have had
/// one name do not share numbers. A restart may leave a gap behind what is stored. All are below 2^53. Applying them in
/// order to an empty store rebuilds the table. Undone statements never appear. An `acknowledge` has no number of its
/// own but that of the change before it: it may be applied twice.
struct change {
  change_kind kind{};
  parser::index_type index{};  ///< add_index, drop_index; add_key: whether it is the primary key
  /// insert_row, update_row: which of the rows that the statement gives, or finds, has led to it, from 1; 0: none.
  std::uint32_t input_row = 0;
  std::uint64_t sequence = 0;
  /// add_column, drop_column, add_key, add_tag; add_index, drop_index: the place among the table's ordered indexes;
  /// add_binding, drop_binding: the place among its bindings
  column_index column = 0;
  /// create_table, drop_table: the table's; add_index, drop_index: the index's; of those about a column: the column's;
  /// add_binding, drop_binding, add_subscription, drop_subscription, acknowledge: what pack() makes of it
  std::string_view name = {};
  row_view before = {};  ///< update_row, delete_row
  row_view after = {};   ///< insert_row, update_row
  /// insert_row, update_row: the columns that the statement named, in its order; add_index, drop_index: the index's.
  std::span<const column_index> assigned = {};
  // set_ack; nothing: as the server is set
  std::optional<parser::ack_mode> ack_before = {};
  std::optional<parser::ack_mode> ack = {};
  /// create_table: what `create table` declared, columns and indexes included; nullptr: a table that grows on first
  /// use. drop_table: what the table was, without its rows.
  const table_description* declared = nullptr;
  const column_facts* facts = nullptr;      ///< add_column, drop_column: its type; nullptr: text without one
  const history_change* history = nullptr;  ///< set_history
};

/// How a table's latest changes were kept, and are from then on; nothing: as soon as somebody asks for positions.
struct history_change {
  std::optional<parser::history_setting> before = {};
  std::optional<parser::history_setting> after = {};
};

/// A binding as one text, in the changes of its table.
[[nodiscard]] std::string pack(const binding_description& b);
/// Reads such a text back. Nothing: it is none.
[[nodiscard]] std::optional<binding_description> unpack_binding(std::string_view packed);
/// The same of a named subscription.
[[nodiscard]] std::string pack(const subscription_description& s);
[[nodiscard]] std::optional<subscription_description> unpack_subscription(std::string_view packed);

/// Rows that a statement has brought into a table and that are to be copied into a queue, by the bindings of the table.
struct row_copies {
  std::string_view queue;
  std::vector<row_view> rows;  ///< in the order in which they came
};

/// What becomes of rows of queues.
struct queue_counts {
  std::uint64_t pushed = 0;
  std::uint64_t popped = 0;  ///< leases
  std::uint64_t acked = 0;
  std::uint64_t returned = 0;  ///< leases that ended without `ack`
  std::uint64_t dead = 0;      ///< rows that had their attempts

  queue_counts& operator+=(const queue_counts& other) {
    pushed += other.pushed;
    popped += other.popped;
    acked += other.acked;
    returned += other.returned;
    dead += other.dead;
    return *this;
  }
  bool operator==(const queue_counts&) const = default;
};

/// Rows that a binding has copied.
struct copied_rows {
  std::shared_ptr<std::atomic<std::uint64_t>> counter;  ///< of the binding: where to count them
  std::uint64_t rows = 0;
};

enum class error_code : std::uint8_t {
  unknown_table,
  unknown_column,
  unknown_row,           ///< subscribe to an id that does not exist
  unknown_subscription,  ///< unsubscribe by an id this subscriber does not have on the table
  read_only_column,      ///< `id` cannot be written
  repeated_column,       ///< the same column twice in one column list
  duplicate_key,         ///< a value of a unique key that another row has
  already_indexed,
  rows_exist,  ///< a key or tag on a new column of a table that has rows
  limit_exceeded,
  reserved_name,    ///< of a table, such as the server's own have
  read_only_table,  ///< a table of a database outside that could not be written there
  unsupported,      ///< not a statement for the engine
  no_queue,         ///< the table is none, or is one where it should not be
  not_leased,       ///< a row is not leased to this subscriber
  refused_by_rules  ///< of MySQL: has a number there
};

/// Why a statement failed; nothing of it remains. The message is a sentence for the user that says what to do.
struct error {
  error_code code{};
  std::string message;
  int mysql_code = 0;              ///< MySQL's number for it; 0: it has none
  std::string_view sqlstate = {};  ///< MySQL's; a literal
  std::string_view limit = {};     ///< the flag of the limit that was met, a literal; empty: none was
};

enum class reply_kind : std::uint8_t {
  done,          ///< key, tag
  count,         ///< rows: how many rows were inserted, updated, deleted, pushed or popped
  rows,          ///< columns and data: select, peek, pop with columns, anything with `returning`
  subscribed,    ///< pubsubid; columns and data: the initial rows, unless snapshot is false
  unsubscribed,  ///< rows: how many subscriptions ended
  listing,       ///< listing_columns and listing_rows: describe
};

/// A subscription that a statement of another subscriber has ended, and why: it was dropped, or that one has it now.
struct ended_subscription {
  event_target target;
  bool dropped = false;
};

/// A subscription that is told nothing any more, since its filter took so much for a changed row that all filters of
/// the table took more than limits::filter_steps_max.
struct costly_subscription {
  event_target target;
  std::string table;
  std::uint64_t steps = 0;  ///< for that row
};

/// The outcome of one statement. All views are valid until the database's next call.
struct outcome {
  std::optional<error> failure;  ///< when set, nothing else is

  reply_kind kind{};
  std::string_view action;       ///< the reply's "action" member: a literal
  const table* about = nullptr;  ///< the table whose columns are meant
  std::uint64_t rows = 0;
  std::uint64_t pubsubid = 0;
  bool snapshot = false;
  std::span<const column_index> columns;
  /// subscribed: the names of `columns`, when the rows are none of the table's but computed. Empty: the table's.
  std::span<const std::string_view> titles;
  std::span<const row_view> data;
  std::span<const std::string_view> listing_columns;
  std::span<const value> listing_rows;   ///< row after row
  std::span<const std::uint64_t> ended;  ///< unsubscribed: their pubsubids
  /// A pop of a queue has found no row: for so long it wants to wait for one. 0: not at all.
  std::int64_t wait_us = 0;
  /// Then: how far it has looked at the rows that became ready, for when it is run again; 0: that is not known.
  std::uint64_t looked_until = 0;

  // subscribed
  bool tells_positions = false;  ///< the subscription asked for them
  bool resumes = false;          ///< it goes on at a position
  bool resyncs = false;          ///< it asked to go on where that is not possible: it begins anew
  std::string_view name;         ///< empty: it has none
  std::uint64_t position = 0;    ///< what the rows lead to, or where it goes on
  /// What it has missed, in place of rows: events without targets, for it alone. Valid as everything here.
  std::span<const event> replayed;

  std::optional<ended_subscription> ended_for_other;

  std::span<const event> events;
  std::span<const change> changes;
  std::span<const row_copies> copies;            ///< to be made in the same atomic step
  std::span<const column_index> copied_columns;  ///< of `about`, without `id`: the columns of all copies

  // To be counted once it is known that the statement is not taken back

  queue_counts queued;                  ///< what it has done to rows of `about`, which is a queue
  std::span<const copied_rows> copied;  ///< by the bindings of `about`
};

}  // namespace pubsubsql::storage
