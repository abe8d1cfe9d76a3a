#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "storage/row.hpp"

namespace pubsubsql::storage {

/// How the names of tables begin that the server makes for itself, here and in databases outside.
inline constexpr std::string_view own_tables = "pubsubsql_";

enum class index_kind : std::uint8_t { none, key, tag };

/// What was declared of a column, here or in a database outside.
struct column_facts {
  /// `extra` of a column of a declared table whose default is an expression, as MySQL has it.
  static constexpr std::string_view computed_default = "DEFAULT_GENERATED";

  /// `extra` of a column that gives each row the next number.
  static constexpr std::string_view counted = "auto_increment";

  std::string type;  ///< in MySQL's words, such as decimal(10,2); empty: text without a type
  bool nullable = true;
  std::optional<std::string> default_text;
  std::string extra;  ///< auto_increment, stored generated ...
  /// The type is only what that database keeps text without a type in: values compare as if it were not known.
  bool untyped = false;

  bool operator==(const column_facts&) const = default;
};

/// An ordered index over one or more columns.
struct index_description {
  std::string name;                   ///< unique within the table
  std::vector<column_index> columns;  ///< `id` may be among them
  parser::index_type type = parser::index_type::plain;

  bool operator==(const index_description&) const = default;
};

/// A binding as a store remembers it.
struct binding_description {
  std::string queue;
  std::string where;  ///< the predicate, as it stands behind `where`; empty: every row is copied

  bool operator==(const binding_description&) const = default;
};

/// A named subscription as a store remembers it.
struct subscription_description {
  std::string name;       ///< no other of the server has it, nor has a table
  std::string owner;      ///< the user who made it; empty: there were no users
  std::string statement;  ///< see definition_text()
  /// The same with what the rights of who has it add; empty: nothing.
  std::string guarded = {};
  /// Up to which everything is acknowledged; nothing: not even the first rows.
  std::optional<std::uint64_t> position = {};

  bool operator==(const subscription_description&) const = default;
};

/// What makes a table a queue: its rows are leased to one connection at a time.
struct queue_settings {
  /// How many columns it has for itself: attempts, available_at, leased_until, leased_by.
  static constexpr column_index own_columns = 4;

  bool durable = false;               ///< whether stores have it
  std::int64_t lease_us = 0;          ///< how long a row is leased
  std::uint64_t attempts_max = 0;     ///< how often; 0: no limit
  std::int64_t delay_us = 0;          ///< of rows pushed without one of their own
  std::string dead_letter;            ///< the table for rows that have had their attempts; empty: they go
  column_index priority = id_column;  ///< the column whose greater values come first; `id`: none
  column_index first_own = 0;         ///< the first of its own columns; the others follow

  bool operator==(const queue_settings&) const = default;
};

/// A table as a store remembers it, without its rows.
struct table_description {
  struct column {
    std::string name;
    index_kind index = index_kind::none;
    std::optional<column_facts> facts = {};
    /// It keeps its place so that those behind it keep theirs, but is not shown, and another may have its name.
    bool dropped = false;

    bool operator==(const column&) const = default;
  };

  std::string name;
  /// All but `id`.
  std::vector<column> columns = {};
  /// The ordered ones, in the order in which they were made.
  std::vector<index_description> indexes = {};
  /// The `key` column that is the primary key, when neither `id` nor an ordered index is: as older data
  /// directories have it.
  std::optional<column_index> primary_column = {};
  std::uint64_t next_id = 0;
  std::uint64_t sequence = 0;
  /// The number of the change that made it; 0: it is not known. One that was dropped before had lower numbers.
  std::uint64_t made_at = 0;
  /// The number behind which those of further changes begin, where that is above `sequence`: what lies between may have
  /// been given to changes that the store has not got.
  std::uint64_t numbers_after = 0;
  std::optional<parser::ack_mode> ack = {};
  /// Whether its latest changes are kept; nothing: nobody has asked for that.
  std::optional<parser::history_setting> history = {};
  /// The rows have ids, as ever, but no column shows them: another column has the name.
  bool hides_id = false;
  /// Made by `create table`: its columns are all that it has, and their rules are kept here.
  bool declared = false;
  /// `id` was declared: it counts by itself, and may be given.
  std::optional<column_facts> id_facts = {};
  /// What is bound to it, in the order in which it was.
  std::vector<binding_description> bindings = {};
  /// The named subscriptions to it, by name.
  std::vector<subscription_description> subscriptions = {};
  /// Why rows cannot be written; empty: they can.
  std::string read_only_reason = {};
  std::optional<queue_settings> queue = {};

  /// Whether stores have it, when there are any.
  [[nodiscard]] bool is_stored() const { return !queue || queue->durable; }
  /// Whether it is there because a subscriber has named it, and nobody has made anything of it.
  [[nodiscard]] bool is_only_a_name() const {
    return columns.empty() && !declared && next_id == 0 && read_only_reason.empty() && !ack && !queue &&
           bindings.empty() && subscriptions.empty();
  }

  bool operator==(const table_description&) const = default;
};

}  // namespace pubsubsql::storage
