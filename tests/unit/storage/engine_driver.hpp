#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parser/statement_cache.hpp"
#include "storage/access/user_rights.hpp"
#include "storage/database.hpp"
#include "storage/durable/statement_changes.hpp"

namespace pubsubsql::storage {

/// Runs SQL text against a database, the way a server does, forms recognised and every other statement looked at ahead,
/// and tells outcomes as text, so that tests read as what goes in and what comes out:
///
///     reply     "insert 1", "select id,a: 0,x 1,null", "subscribe 1: 0,x", "error: table t does not exist..."
///     event     "s7/2 update id,a: 0,y" for subscription 2 of subscriber 7
class engine_driver {
 public:
  explicit engine_driver(const limits& l = {}) : database_(l) {}

  /// Runs a statement for a subscriber and returns the reply. Throws std::invalid_argument on a syntax error.
  std::string run(std::string_view sql, std::uint64_t subscriber = 1);

  /// Has the statements of a subscriber run with these rights.
  void act_as(std::uint64_t subscriber, access::shared_rights user) { users_[subscriber] = std::move(user); }

  /// The events of the last statement.
  [[nodiscard]] const std::vector<std::string>& events() const { return events_; }

  /// The reply and then the events, one per line.
  std::string run_all(std::string_view sql, std::uint64_t subscriber = 1);

  /// The changes of the last statement, such as "3 insert_row 0,x".
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }

  /// The same, copied out of the engine as a server keeps them; nullptr: the last statement changed nothing.
  [[nodiscard]] const std::shared_ptr<const durable::statement_changes>& kept() const { return kept_; }

  /// What the last statement brings to queues, such as "q a,b: 1,x 2,y".
  [[nodiscard]] const std::vector<std::string>& copies() const { return copies_; }

  [[nodiscard]] database& engine() { return database_; }

 private:
  database database_;
  parser::statement_cache cache_;
  std::map<std::uint64_t, access::shared_rights> users_;
  std::uint64_t statements_ = 0;
  std::uint64_t next_pubsubid_ = 1;
  std::vector<std::string> events_;
  std::vector<std::string> changes_;
  std::vector<std::string> copies_;
  std::shared_ptr<const durable::statement_changes> kept_;
};

/// All of a table as text, and that its indexes find what is in it: columns, keys, tags, ack, next id, sequence number,
/// rows with their positions in order.
std::string dump(const table& t);

}  // namespace pubsubsql::storage
