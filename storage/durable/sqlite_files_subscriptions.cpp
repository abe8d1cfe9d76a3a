// Named subscriptions, and how far they are acknowledged.

#include "storage/durable/sqlite_files.hpp"

namespace pubsubsql::storage::durable {

std::vector<subscription_description> sqlite_files::read_subscriptions(std::int64_t table) const {
  sqlite_statement s = db_->prepare(
      "select name, owner, statement, guarded, position from subscriptions where table_number = ? order by name");
  s.bind(1, table);
  std::vector<subscription_description> all;
  while (s.step()) {
    subscription_description& d = all.emplace_back();
    d.name = s.text(0);
    d.owner = s.text(1);
    d.statement = s.text(2);
    d.guarded = s.text(3);
    if (!s.is_null(4)) d.position = static_cast<std::uint64_t>(s.number(4));
  }
  return all;
}

void sqlite_files::add_subscription(std::int64_t table, const subscription_description& s) {
  sqlite_statement put = db_->prepare(
      "insert or replace into subscriptions (name, table_number, owner, statement, guarded, position) values (?, ?, ?, "
      "?, ?, ?)");
  put.bind_text(1, s.name).bind(2, table).bind_text(3, s.owner).bind_text(4, s.statement).bind_text(5, s.guarded);
  if (s.position) put.bind(6, static_cast<std::int64_t>(*s.position));
  put.run();
}

void sqlite_files::drop_subscription(std::string_view name) {
  sqlite_statement s = db_->prepare("delete from subscriptions where name = ?");
  s.bind_text(1, name).run();
}

/// There may be very many of them.
void sqlite_files::acknowledge(const acknowledgement& a) {
  acknowledge_.bind(1, static_cast<std::int64_t>(a.position)).bind_text(2, a.name).run();
}

}  // namespace pubsubsql::storage::durable
