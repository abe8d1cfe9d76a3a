#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

/// The statements of the dialect as plain data: what was written, nothing resolved.
///
/// Every string_view points into the statement's text, or into its statement_arena where quoting had to be undone;
/// both must outlive the tree. Names are as written, case kept, backquotes removed. `docs/sql.md` has the grammar.
namespace pubsubsql::parser {

/// Memory of one statement's tree: vectors and unescaped strings. Common statements fit the inline part, so parsing
/// them allocates nothing. Not movable (the tree points into it); reset() makes it ready for the next statement.
class statement_arena {
 public:
  statement_arena() = default;
  statement_arena(const statement_arena&) = delete;
  statement_arena& operator=(const statement_arena&) = delete;

  [[nodiscard]] std::pmr::memory_resource* resource() { return &resource_; }

  /// Frees everything at once. REQUIRES: no tree made with this arena is used any more.
  void reset() { resource_.release(); }

 private:
  alignas(std::max_align_t) std::byte inline_[2048];
  std::pmr::monotonic_buffer_resource resource_{inline_, sizeof inline_};
};

using name_list = std::pmr::vector<std::string_view>;

/// A value as the server understands it: quoting undone, or NULL (the bare word `null` in any case).
struct literal {
  std::string_view text;
  bool is_null = false;

  bool operator==(const literal&) const = default;
};

using literal_list = std::pmr::vector<literal>;

/// `where column = value`.
struct condition {
  std::string_view column;
  literal value;

  bool operator==(const condition&) const = default;
};

/// `*` (all is set, names is empty) or a list of columns in the order written.
struct projection {
  bool all = false;
  name_list names;

  bool operator==(const projection&) const = default;
};

/// `column = value` of an update's `set`.
struct assignment {
  std::string_view column;
  literal value;

  bool operator==(const assignment&) const = default;
};

/// Which end of a table used as a double-ended queue.
enum class queue_end : std::uint8_t { back, front };

/// When the reply to a change of a table, and its events, leave: at once, or when a store has committed the change.
enum class ack_mode : std::uint8_t { memory, committed };

/// What `insert` and `push` have in common: `into T (columns) values (...), (...) [returning ...]`.
/// `values` holds the rows one after the other; its size is a non-zero multiple of columns.size().
struct row_source {
  std::string_view table;
  name_list columns;
  literal_list values;
  std::optional<projection> returning;

  bool operator==(const row_source&) const = default;
};

struct insert_statement {
  row_source rows;
  bool operator==(const insert_statement&) const = default;
};

struct push_statement {
  queue_end end = queue_end::back;
  row_source rows;
  bool operator==(const push_statement&) const = default;
};

struct select_statement {
  projection columns;
  std::string_view table;
  std::optional<condition> where;
  bool operator==(const select_statement&) const = default;
};

struct update_statement {
  std::string_view table;
  std::pmr::vector<assignment> set;
  std::optional<condition> where;
  std::optional<projection> returning;
  bool operator==(const update_statement&) const = default;
};

struct delete_statement {
  std::string_view table;
  std::optional<condition> where;
  std::optional<projection> returning;
  bool operator==(const delete_statement&) const = default;
};

/// `pop` without columns answers only the count.
struct pop_statement {
  queue_end end = queue_end::back;
  std::optional<projection> columns;
  std::string_view table;
  bool operator==(const pop_statement&) const = default;
};

struct peek_statement {
  queue_end end = queue_end::back;
  projection columns;
  std::string_view table;
  bool operator==(const peek_statement&) const = default;
};

/// `key T c`: a unique index.
struct key_statement {
  std::string_view table;
  std::string_view column;
  bool operator==(const key_statement&) const = default;
};

/// `tag T c`: a non-unique index.
struct tag_statement {
  std::string_view table;
  std::string_view column;
  bool operator==(const tag_statement&) const = default;
};

/// `alter table T set ack = memory` or `= committed`.
struct alter_ack_statement {
  std::string_view table;
  ack_mode ack = ack_mode::memory;
  bool operator==(const alter_ack_statement&) const = default;
};

struct subscribe_statement {
  bool skip = false;
  std::string_view table;
  std::optional<condition> where;
  bool operator==(const subscribe_statement&) const = default;
};

/// Without an id: every subscription this connection has on the table.
struct unsubscribe_statement {
  std::string_view table;
  std::optional<std::uint64_t> pubsubid;
  bool operator==(const unsubscribe_statement&) const = default;
};

struct status_statement {
  bool operator==(const status_statement&) const = default;
};

struct close_statement {
  bool operator==(const close_statement&) const = default;
};

struct stop_statement {
  bool operator==(const stop_statement&) const = default;
};

struct show_tables_statement {
  bool operator==(const show_tables_statement&) const = default;
};

struct describe_statement {
  std::string_view table;
  bool operator==(const describe_statement&) const = default;
};

struct mysql_connect_statement {
  std::string_view address;
  bool operator==(const mysql_connect_statement&) const = default;
};

struct mysql_disconnect_statement {
  bool operator==(const mysql_disconnect_statement&) const = default;
};

struct mysql_status_statement {
  bool operator==(const mysql_status_statement&) const = default;
};

struct mysql_tables_statement {
  bool operator==(const mysql_tables_statement&) const = default;
};

struct mysql_subscribe_statement {
  std::string_view table;
  std::optional<condition> where;
  bool operator==(const mysql_subscribe_statement&) const = default;
};

struct mysql_unsubscribe_statement {
  std::string_view table;
  bool operator==(const mysql_unsubscribe_statement&) const = default;
};

struct mysql_check_statement {
  std::string_view table;
  bool operator==(const mysql_check_statement&) const = default;
};

/// `mysql repair T [from mysql]`.
struct mysql_repair_statement {
  std::string_view table;
  bool from_mysql = false;
  bool operator==(const mysql_repair_statement&) const = default;
};

using statement_body =
    std::variant<insert_statement, select_statement, update_statement, delete_statement, push_statement, pop_statement,
                 peek_statement, key_statement, tag_statement, alter_ack_statement, subscribe_statement,
                 unsubscribe_statement, status_statement, close_statement, stop_statement, show_tables_statement,
                 describe_statement, mysql_connect_statement, mysql_disconnect_statement, mysql_status_statement,
                 mysql_tables_statement, mysql_subscribe_statement, mysql_unsubscribe_statement, mysql_check_statement,
                 mysql_repair_statement>;

/// One statement. `stream` asks for no reply unless the statement fails.
struct statement {
  bool stream = false;
  statement_body body;
  /// The same number, never used for anything else in this process, for statements that differ in their values only:
  /// what was found out about one's names holds for the others. 0: not known to have a form that repeats. No part of
  /// what the statement says, so not compared.
  std::uint64_t form = 0;

  bool operator==(const statement& other) const { return stream == other.stream && body == other.body; }
};

}  // namespace pubsubsql::parser
