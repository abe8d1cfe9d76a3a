#include "server/subscription_names.hpp"

#include <utility>

#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "server/log_text.hpp"

namespace pubsubsql::server {

namespace {

std::string printed(const parser::statement& s, parser::statement_body body) {
  return parser::print({.stream = s.stream, .body = std::move(body)});
}

}  // namespace

/// Asked of every statement, so nothing is made before it is known to be needed.
std::optional<std::string> with_table_of_subscription(const parser::statement& s, const table_directory& directory) {
  if (const auto* const ack = std::get_if<parser::ack_statement>(&s.body)) {
    if (ack->ids.size() != 1) return std::nullopt;  // rows of a queue; a subscription has one position
    const auto table = directory.table_of_subscription(ack->table);
    if (!table) return std::nullopt;
    return printed(s, parser::acknowledge_statement{.name = ack->table, .table = *table, .position = ack->ids.front()});
  }
  const auto* const drop = std::get_if<parser::drop_subscription_statement>(&s.body);
  if (drop == nullptr || !drop->table.empty()) return std::nullopt;
  const auto table = directory.table_of_subscription(drop->name);
  if (!table) return std::nullopt;
  return printed(s, parser::drop_subscription_statement{.name = drop->name, .table = *table});
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
