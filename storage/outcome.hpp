#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/row.hpp"

/// What the engine says about one executed statement, as plain data: a reply or an error, the events for subscribers,
/// and the changes for a store.
namespace pubsubsql::storage {

class table;

/// Who subscribes: opaque to the engine, which only hands it back. Unique among those alive at any time.
enum class subscriber_id : std::uint64_t {};

/// One subscription of one subscriber.
struct event_target {
  subscriber_id subscriber{};
  std::uint64_t pubsubid = 0;
};

enum class event_action : std::uint8_t { add, insert, update, remove, delete_row };

/// One changed row for everyone whose subscription it concerns. Events come in the order in which each subscriber has
/// to see them.
struct event {
  event_action action{};
  std::span<const column_index> columns;  ///< in the order to be sent
  row_view row;                           ///< values of `columns` as they are to be sent
  std::span<const event_target> targets;  ///< never empty, by rising pubsubid
};

enum class change_kind : std::uint8_t {
  create_table,
  add_column,
  add_key,
  add_tag,
  insert_row,
  update_row,
  delete_row
};

/// One step of a table's history. The changes of a table form one ordered stream, numbered without gaps from 1;
/// applying them in order to an empty store rebuilds the table. Undone statements never appear.
struct change {
  change_kind kind{};
  std::uint64_t sequence = 0;
  column_index column = 0;                 ///< add_column, add_key, add_tag
  row_view before;                         ///< update_row, delete_row
  row_view after;                          ///< insert_row, update_row
  std::span<const column_index> assigned;  ///< update_row: the columns named in `set`, in their order
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
  unsupported,  ///< not a statement for the engine
};

/// Why a statement failed; nothing of it remains. The message is a sentence for the user that says what to do.
struct error {
  error_code code{};
  std::string message;
};

enum class reply_kind : std::uint8_t {
  done,          ///< key, tag
  count,         ///< rows: how many rows were inserted, updated, deleted, pushed or popped
  rows,          ///< columns and data: select, peek, pop with columns, anything with `returning`
  subscribed,    ///< pubsubid; columns and data: the initial rows, unless snapshot is false
  unsubscribed,  ///< rows: how many subscriptions ended
  listing,       ///< listing_columns and listing_rows: describe
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
  std::span<const row_view> data;
  std::span<const std::string_view> listing_columns;
  std::span<const value> listing_rows;  ///< row after row

  std::span<const event> events;
  std::span<const change> changes;
};

}  // namespace pubsubsql::storage
