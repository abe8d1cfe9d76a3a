#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "parser/expression.hpp"
#include "parser/statement_parts.hpp"

/// The statements of the dialect as plain data: what was written, nothing resolved.
///
/// Every string_view points into the statement's text, or into its statement_arena where quoting had to be undone;
/// both must outlive the tree. Names are as written, case kept, backquotes removed. `docs/sql.md` has the grammar.
namespace pubsubsql::parser {

/// `insert [ignore]` or `replace`. Rows come from `rows.values`, or, when `query` is set, from there (and rows.width is
/// 0).
struct insert_statement {
  row_source rows;
  duplicate_rule on_duplicate = duplicate_rule::refuse;
  std::pmr::vector<assignment> updates = {};  ///< duplicate_rule::update
  const select_statement* query = nullptr;
  bool operator==(const insert_statement& other) const;
};

/// A time that a statement gives, in microseconds; a whole number of milliseconds, at most duration_us_max.
using duration_us = std::uint64_t;
inline constexpr duration_us duration_us_max = duration_us{3650} * 86'400 * 1'000'000;

/// `delay` is for queues only: how long the rows are not to be popped.
struct push_statement {
  queue_end end = queue_end::back;
  row_source rows;
  std::optional<duration_us> delay = {};
  bool operator==(const push_statement&) const = default;
};

/// `publish into T [(columns)] values (...), (...)`: rows for subscribers and bindings, which are not stored.
struct publish_statement {
  row_source rows;  ///< without `returning`
  bool operator==(const publish_statement&) const = default;
};

/// Without a table, as in `select 1 + 1`, there is nothing but items.
struct select_statement {
  projection columns;
  std::string_view table;
  std::optional<condition> where;
  bool distinct = false;
  expression_list group_by = {};
  expression* having = nullptr;
  order_list order_by = {};
  std::optional<row_limit> limit = {};

  bool operator==(const select_statement& other) const;
  /// Whether it has none of the parts behind `where`, and is not distinct.
  [[nodiscard]] bool is_plain() const {
    return !distinct && group_by.empty() && having == nullptr && order_by.empty() && !limit;
  }
};

struct update_statement {
  std::string_view table;
  std::pmr::vector<assignment> set;
  std::optional<condition> where;
  std::optional<projection> returning;
  order_list order_by = {};
  std::optional<row_limit> limit = {};  ///< without offset
  bool operator==(const update_statement&) const = default;
};

struct delete_statement {
  std::string_view table;
  std::optional<condition> where;
  std::optional<projection> returning;
  order_list order_by = {};
  std::optional<row_limit> limit = {};  ///< without offset
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

/// Whether a table keeps its latest changes for subscribers that come back, and how many.
struct history_setting {
  bool on = true;
  std::optional<std::uint64_t> bytes = {};    ///< nothing: as the server is set
  std::optional<std::uint64_t> seconds = {};  ///< of age; nothing: as the server is set
  bool operator==(const history_setting&) const = default;
};

/// `alter table T set history = on`, `= off`, `= 1000000 bytes 60 seconds` or `= default`.
struct alter_history_statement {
  std::string_view table;
  std::optional<history_setting> history = {};  ///< nothing: kept as soon as somebody subscribes with positions
  bool operator==(const alter_history_statement&) const = default;
};

/// What becomes of a subscription whose subscriber does not take its events: the connection ends, only the latest state
/// of each row is kept, or events are left out until there is room for a fresh beginning.
enum class slow_policy : std::uint8_t { disconnect, conflate, drop };

struct subscribe_statement {
  bool skip = false;
  std::string_view table;
  std::optional<condition> where;
  projection columns = {.all = true, .names = {}};
  expression_list group_by = {};
  order_list order_by = {};
  std::optional<row_limit> limit = {};  ///< only together with order_by
  std::optional<slow_policy> on_slow = {};
  bool with_seq = false;                    ///< events say their positions
  std::optional<std::uint64_t> since = {};  ///< the position to go on at; implies with_seq
  std::string_view name = {};               ///< under which the server keeps its position; implies with_seq
  bool operator==(const subscribe_statement&) const = default;

  /// Whether its events say their positions.
  [[nodiscard]] bool tells_positions() const { return with_seq || since.has_value() || !name.empty(); }
};

/// Without an id: every subscription this connection has on the table.
struct unsubscribe_statement {
  std::string_view table;
  std::optional<std::uint64_t> pubsubid;
  bool operator==(const unsubscribe_statement&) const = default;
};

/// A column of `create table` or `alter table ... add column`.
struct column_definition {
  std::string_view name;
  std::string_view type;  ///< as written, such as decimal(10,2) unsigned; empty: text without a type
  bool not_null = false;
  bool auto_increment = false;
  std::optional<literal> default_value = {};

  bool operator==(const column_definition&) const = default;
};

enum class index_type : std::uint8_t { plain, unique, primary };

/// An index over one or more columns, unnamed where `name` is empty.
struct index_definition {
  index_type type = index_type::plain;
  std::string_view name;
  name_list columns;

  bool operator==(const index_definition&) const = default;
};

/// Indexes that were written beside a column are among `indexes`, in the order in which all are written.
struct create_table_statement {
  bool if_not_exists = false;
  std::string_view table;
  std::pmr::vector<column_definition> columns;
  std::pmr::vector<index_definition> indexes;
  bool operator==(const create_table_statement&) const = default;
};

/// `drop table` or `drop queue`.
struct drop_table_statement {
  bool if_exists = false;
  std::string_view table;
  bool is_queue = false;
  bool operator==(const drop_table_statement&) const = default;
};

/// `create queue [if not exists] Q (columns) ...`: a table whose rows are given to one connection at a time.
struct create_queue_statement {
  create_table_statement definition;
  bool durable = false;
  std::optional<duration_us> lease = {};           ///< how long a row is given for
  std::optional<std::uint64_t> attempts_max = {};  ///< 0: no limit
  std::string_view dead_letter = {};               ///< the table for rows that have had their attempts; empty: none
  std::optional<duration_us> delay = {};           ///< of rows that are pushed without one of their own
  std::string_view priority = {};                  ///< the column; empty: none
  bool operator==(const create_queue_statement&) const = default;
};

/// `pop N ... from Q`: leases up to so many rows to the connection. Without columns: id, those declared, and attempts.
struct lease_statement {
  std::uint64_t count = 0;
  std::optional<projection> columns;
  std::string_view table;
  std::optional<condition> where;
  std::optional<duration_us> wait = {};   ///< for the first row
  std::optional<duration_us> lease = {};  ///< nothing: as the queue has it
  bool operator==(const lease_statement&) const = default;
};

using row_id_list = std::pmr::vector<std::uint64_t>;

/// `ack Q id, ...`: these rows, leased to the connection, are done with.
struct ack_statement {
  std::string_view table;
  row_id_list ids;
  bool operator==(const ack_statement&) const = default;
};

/// `ack S on T N`: the named subscription S to T has got everything up to the position N. Clients write `ack S N`,
/// which reads as an ack_statement until it is known what S is.
struct acknowledge_statement {
  std::string_view name;
  std::string_view table;
  std::uint64_t position = 0;
  bool operator==(const acknowledge_statement&) const = default;
};

/// `drop subscription S [on T]`.
struct drop_subscription_statement {
  std::string_view name;
  std::string_view table = {};  ///< empty: not known yet
  bool operator==(const drop_subscription_statement&) const = default;
};

/// `nack Q id, ... [delay ...]`: these rows go back to the queue.
struct nack_statement {
  std::string_view table;
  row_id_list ids;
  std::optional<duration_us> delay = {};
  bool operator==(const nack_statement&) const = default;
};

/// `renew Q id, ... [lease ...]`: their leases begin anew.
struct renew_statement {
  std::string_view table;
  row_id_list ids;
  std::optional<duration_us> lease = {};  ///< nothing: as the queue has it
  bool operator==(const renew_statement&) const = default;
};

/// `truncate [table] T`.
struct truncate_statement {
  std::string_view table;
  bool operator==(const truncate_statement&) const = default;
};

/// `alter table T add [column] ...`, with the index written beside it, if any.
struct add_column_statement {
  std::string_view table;
  column_definition column;
  std::optional<index_definition> index = {};
  bool operator==(const add_column_statement&) const = default;
};

/// `alter table T drop [column] c`.
struct drop_column_statement {
  std::string_view table;
  std::string_view column;
  bool operator==(const drop_column_statement&) const = default;
};

/// `create [unique] index i on T (c, ...)` or `alter table T add [unique | primary] index|key [i] (c, ...)`.
struct create_index_statement {
  std::string_view table;
  index_definition index;
  bool operator==(const create_index_statement&) const = default;
};

/// `drop index i on T` or `alter table T drop index|key i`; `drop primary key` drops the index `PRIMARY`.
struct drop_index_statement {
  std::string_view table;
  std::string_view index;
  bool operator==(const drop_index_statement&) const = default;
};

/// `bind Q to T [where predicate]`: rows that come into T and meet the predicate are copied into Q.
struct bind_statement {
  std::string_view queue;
  std::string_view table;
  std::optional<condition> where;
  bool operator==(const bind_statement&) const = default;
};

/// `unbind Q from T [where predicate]`: without a predicate every binding of Q to T.
struct unbind_statement {
  std::string_view queue;
  std::string_view table;
  std::optional<condition> where;
  bool operator==(const unbind_statement&) const = default;
};

/// `begin` or `start transaction`.
struct begin_statement {
  bool operator==(const begin_statement&) const = default;
};

struct commit_statement {
  bool operator==(const commit_statement&) const = default;
};

struct rollback_statement {
  bool operator==(const rollback_statement&) const = default;
};

/// How a statement would find its rows, or its changes.
struct explain_statement {
  std::variant<select_statement, update_statement, delete_statement, subscribe_statement> of;
  bool operator==(const explain_statement&) const = default;
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

/// What `show` shows of the server itself.
enum class server_listing : std::uint8_t { subscriptions, limits, users, bindings, queues };

struct show_statement {
  server_listing what = server_listing::subscriptions;
  bool operator==(const show_statement&) const = default;
};

/// `show grants [for U]`; `user` is empty for one's own.
struct show_grants_statement {
  std::string_view user;
  bool operator==(const show_grants_statement&) const = default;
};

/// `auth USER PASSWORD`.
struct auth_statement {
  std::string_view user;
  std::string_view password;
  bool operator==(const auth_statement&) const = default;
};

/// `create user U identified by 'password'`, or `alter user`; behind `identified by password` it is a hash.
struct create_user_statement {
  bool replaces = false;  ///< `alter`
  std::string_view user;
  std::string_view secret;
  bool is_hash = false;
  bool operator==(const create_user_statement&) const = default;
};

struct drop_user_statement {
  std::string_view user;
  bool operator==(const drop_user_statement&) const = default;
};

/// What a user may be allowed to do: the first five with the rows of a table; `create` with its schema, which is to
/// make, change and drop it; `admin` with the server, which is about no table.
enum class right : std::uint8_t { select, insert, update, delete_rows, subscribe, create, admin };

/// All rights, in the order of their numbers, as they are written.
inline constexpr std::array<std::string_view, 7> right_names = {"select",    "insert", "update", "delete",
                                                                "subscribe", "create", "admin"};

class right_set {
 public:
  constexpr right_set() = default;
  constexpr right_set(std::initializer_list<right> list) {
    for (const right r : list) add(r);
  }
  constexpr void add(right r) { bits_ |= bit(r); }
  constexpr void add(right_set other) { bits_ |= other.bits_; }
  constexpr void remove(right_set other) { bits_ &= static_cast<std::uint8_t>(~other.bits_); }
  [[nodiscard]] constexpr bool has(right r) const { return (bits_ & bit(r)) != 0; }
  [[nodiscard]] constexpr bool has_all(right_set other) const { return (bits_ & other.bits_) == other.bits_; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  bool operator==(const right_set&) const = default;

 private:
  static constexpr std::uint8_t bit(right r) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(r)); }
  std::uint8_t bits_ = 0;
};

/// What `all` means: every right on a table.
inline constexpr right_set all_table_rights = {right::select,      right::insert,    right::update,
                                               right::delete_rows, right::subscribe, right::create};

/// `grant RIGHT, ... on T to U [where predicate]` or `grant admin to U`. With `where`, the rights hold for the rows
/// that meet it.
struct grant_statement {
  right_set rights;        ///< admin alone, or others
  std::string_view table;  ///< empty: all tables, written `*`, or of no table, for admin
  std::string_view user;
  std::optional<condition> where = {};
  bool operator==(const grant_statement&) const = default;
};

/// `revoke RIGHT, ... on T from U` or `revoke admin from U`.
struct revoke_statement {
  right_set rights;
  std::string_view table;  ///< as in grant_statement
  std::string_view user;
  bool operator==(const revoke_statement&) const = default;
};

/// A value for a `?`: data, which is never read as anything else.
struct bound_value {
  enum class kind : std::uint8_t {
    text,
    number,  ///< as written; true is 1, false is 0
    null,
    missing,  ///< none was given
  };
  kind is = kind::text;
  std::string_view text = {};

  bool operator==(const bound_value&) const = default;
};

/// `prepare p from 'statement'`.
struct prepare_statement {
  std::string_view name;
  std::string_view sql;        ///< it can be read
  std::size_t parameters = 0;  ///< how many `?` it has
  bool operator==(const prepare_statement&) const = default;
};

/// `execute p [using v, ...]`. (`execute immediate` gives the statement that it executes.)
struct execute_statement {
  std::string_view name;
  std::pmr::vector<bound_value> values = {};
  std::string_view list = {};  ///< the values as they are written; no part of what it says, so not compared

  bool operator==(const execute_statement& other) const { return name == other.name && values == other.values; }
};

/// `deallocate prepare p`.
struct deallocate_statement {
  std::string_view name;
  bool operator==(const deallocate_statement&) const = default;
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
                 peek_statement, key_statement, tag_statement, alter_ack_statement, alter_history_statement,
                 subscribe_statement, unsubscribe_statement, status_statement, close_statement, stop_statement,
                 show_tables_statement, describe_statement, mysql_connect_statement, mysql_disconnect_statement,
                 mysql_status_statement, mysql_tables_statement, mysql_subscribe_statement, mysql_unsubscribe_statement,
                 mysql_check_statement, mysql_repair_statement, create_table_statement, drop_table_statement,
                 truncate_statement, add_column_statement, drop_column_statement, create_index_statement,
                 drop_index_statement, begin_statement, commit_statement, rollback_statement, explain_statement,
                 show_statement, show_grants_statement, auth_statement, create_user_statement, drop_user_statement,
                 grant_statement, revoke_statement, prepare_statement, execute_statement, deallocate_statement,
                 publish_statement, bind_statement, unbind_statement, create_queue_statement, lease_statement,
                 ack_statement, nack_statement, renew_statement, acknowledge_statement, drop_subscription_statement>;

/// Whether the statement is of one of these kinds.
template <typename... Kinds>
[[nodiscard]] bool is_any(const statement_body& body) {
  return (std::holds_alternative<Kinds>(body) || ...);
}

/// One statement. `stream` asks for no reply unless the statement fails.
struct statement {
  bool stream = false;
  statement_body body;
  /// The same number, never used for anything else in this process, for statements that differ in their values only:
  /// what was found out about one's names holds for the others. 0: not known to have a form that repeats. No part of
  /// what the statement says, so not compared.
  std::uint64_t form = 0;
  /// Where in the text the values of its `?` begin; 0: it has none. Not compared.
  std::size_t values_from = 0;

  bool operator==(const statement& other) const { return stream == other.stream && body == other.body; }
};

}  // namespace pubsubsql::parser
