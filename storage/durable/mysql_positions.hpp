#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "storage/durable/mysql_connection.hpp"
#include "storage/table.hpp"
#include "storage/table_description.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::durable {

/// How far MySQL has got with each table: the number of the last change that it holds, written in the transaction of
/// the change itself. So after a broken connection or a restart it is known which changes arrived, and none is made
/// twice.
///
/// Kept in the table `pubsubsql_tables` of the database, with what else has to outlive the server: ids given so far,
/// and how the table is acknowledged. What is bound to tables is in `pubsubsql_bindings`, named subscriptions are in
/// `pubsubsql_subscriptions`; each is made when there is one. Without a data directory, `pubsubsql_histories` has the
/// latest changes of tables as they were when the server stopped.
class mysql_positions {
 public:
  struct position {
    std::uint64_t next_id = 0;
    std::uint64_t sequence = 0;
    std::optional<parser::ack_mode> ack;
    /// Of which data directory this is the same table; empty: of none.
    std::string origin;
  };

  /// `origin`: what tells our data directory from others; empty: there is none.
  mysql_positions(mysql_connection& c, std::string_view origin) : connection_(c), origin_(origin) {}

  /// Whether sequence numbers of ours and of the position's are of one history.
  [[nodiscard]] bool is_ours(const position& p) const { return origin_.empty() || p.origin == origin_; }

  /// Makes our tables if they are not there.
  void make_tables();
  /// Throws mysql_error where MySQL takes no changes at all, such as while it is read-only.
  void require_writable();
  /// Nothing: the table has never been mirrored.
  [[nodiscard]] std::optional<position> read(std::string_view table) const;
  /// Whether MySQL's table is a former one: what is called so now was made, with the change `made_at`, after it had
  /// been dropped while MySQL was not in use. REQUIRES: both are of one history.
  [[nodiscard]] bool has_former(std::string_view table, std::uint64_t made_at) const;
  /// To be called inside the transaction of the changes.
  void store(std::string_view table, std::uint64_t next_id, std::uint64_t sequence);
  /// The table is the same as that of our data directory from now on, if we have one.
  void claim(std::string_view table);
  void store_ack(std::string_view table, std::optional<parser::ack_mode> ack);
  /// What is bound to a table, in the order in which it was.
  [[nodiscard]] std::vector<binding_description> bindings(std::string_view table) const;
  /// Makes the table for them if it is not there. Not to be called inside a transaction: MySQL would commit it.
  void make_bindings();
  void add_binding(std::string_view table, const binding_description& b);
  void drop_binding(std::string_view table, const binding_description& b);
  /// Whatever was there before. REQUIRES: make_bindings() has been called, or there are none.
  void store_bindings(std::string_view table, const std::vector<binding_description>& all);

  [[nodiscard]] std::vector<subscription_description> subscriptions(std::string_view table) const;
  /// Makes the table of named subscriptions unless it is there. Not to be called inside a transaction.
  void make_subscriptions();
  void add_subscription(std::string_view table, const subscription_description& s);
  void drop_subscription(std::string_view name);
  /// A position that is further already stays.
  void acknowledge(std::string_view name, std::uint64_t up_to);
  /// Whatever was there before. REQUIRES: make_subscriptions() has been called, or there are none.
  void store_subscriptions(std::string_view table, const std::vector<subscription_description>& all);

  /// Makes the tables that its bindings and named subscriptions need. Not to be called inside a transaction.
  void make_tables_for(const table_description& d);
  /// Its bindings and named subscriptions, whatever was there before. REQUIRES: make_tables_for() has been called.
  void store_settings(const table_description& d);

  // mysql_positions_histories.cpp

  /// Makes the table of histories unless it is there, or the login may not make tables: then there is none. Not to be
  /// called inside a transaction.
  void make_histories();
  /// How a table's history is set. Does nothing without the table of histories, as none of the following does.
  void store_history_setting(std::string_view table, const std::optional<parser::history_setting>& h);
  /// What the table keeps of its changes, in the place of what was there before. False: it cannot be, since there is no
  /// table of histories, or a column was dropped, whose place MySQL does not keep. REQUIRES: it keeps changes.
  [[nodiscard]] bool store_history(const table& t);
  struct history {
    std::optional<parser::history_setting> setting = {};
    std::string changes = {};  ///< see history_coding; empty: there are none
  };
  [[nodiscard]] history read_history(std::string_view table) const;

  void erase(std::string_view table);

 private:
  // Of the table of histories. REQUIRES: it is there.
  void put_setting(std::string_view table, const std::optional<parser::history_setting>& h);
  void drop_parts(std::string_view table);
  [[nodiscard]] bool has(std::string_view own_table) const;
  void make(const std::string& sql);

  mysql_connection& connection_;
  std::string origin_;
};

}  // namespace pubsubsql::storage::durable
