#include "server/subscription_names.hpp"

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "server/log_text.hpp"

namespace pubsubsql::server {

std::optional<std::string> with_table_of_subscription(const parser::statement& s, const table_directory& directory) {
  parser::statement about{.stream = s.stream, .body = {}};
  std::optional<std::string> table;
  if (const auto* const ack = std::get_if<parser::ack_statement>(&s.body)) {
    // Rows of a queue are acknowledged one by one, a subscription up to one position.
    if (ack->ids.size() == 1) table = directory.table_of_subscription(ack->table);
    if (!table) return std::nullopt;
    about.body = parser::acknowledge_statement{.name = ack->table, .table = *table, .position = ack->ids.front()};
  } else if (const auto* const drop = std::get_if<parser::drop_subscription_statement>(&s.body)) {
    if (drop->table.empty()) table = directory.table_of_subscription(drop->name);
    if (!table) return std::nullopt;
    about.body = parser::drop_subscription_statement{.name = drop->name, .table = *table};
  } else {
    return std::nullopt;
  }
  return parser::print(about);
}

std::string unknown_name(const parser::statement& s, const table_directory& directory) {
  if (const auto* const drop = std::get_if<parser::drop_subscription_statement>(&s.body)) {
    return "there is no subscription " + log_text(drop->name) + "; show subscriptions lists them";
  }
  const std::string_view named = parser::table_of(s);
  const std::string name = log_text(named);
  if (directory.table_of_subscription(named)) {
    return name + " is a subscription, which is acknowledged up to one position; give one number";
  }
  return "there is neither a queue nor a subscription " + name + "; show queues and show subscriptions list them";
}

}  // namespace pubsubsql::server
