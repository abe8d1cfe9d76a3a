#include <string>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "server/log_text.hpp"
#include "server/shared_state.hpp"
#include "server/subscriber.hpp"
#include "server/table_runner.hpp"
#include "server/worker.hpp"
#include "storage/table.hpp"

// The part of named subscriptions at the tables: whose names are whose, and who has lost one.

namespace pubsubsql::server {

void table_runner::note_subscriptions(std::string_view table) {
  const storage::table* const t = database_.find(table);
  std::vector<std::string> names;
  if (t != nullptr) {
    for (const auto& [name, s] : t->named()) names.push_back(name);
  }
  for (const std::string& name : worker_.shared().tables.set_subscriptions(table, names)) {
    spdlog::error("subscription {} to table {} cannot be used: there is another of that name", name, table);
  }
}

/// A name is taken before the subscription is made, so that no other worker makes one, or a table. False: it cannot be
/// had, and the answer says so.
bool table_runner::claim_name(statement_source& from, const parser::statement& s) {
  const auto* const made = std::get_if<parser::subscribe_statement>(&s.body);
  if (made == nullptr || made->name.empty()) return true;
  const auto why = worker_.shared().tables.claim_subscription(made->name, made->table);
  if (!why) return true;
  std::string bytes;
  encode_error(bytes, from.route.address, "subscription " + log_text(made->name) + " cannot be made: " + *why);
  open_slot(from);
  answer(from, std::move(bytes), {from.pubsubid});
  return false;
}

/// The statement that was to make it has failed.
void table_runner::release_name(const parser::statement& s) {
  const auto* const made = std::get_if<parser::subscribe_statement>(&s.body);
  if (made != nullptr && !made->name.empty()) note_subscriptions(made->table);
}

/// Behind the events that it has got.
void table_runner::tell_ended(const storage::ended_subscription& e) {
  subscription_over message{.session = e.target.subscriber, .pubsubid = e.target.pubsubid, .dropped = e.dropped};
  const unsigned home = subscriber::of(message.session).worker;
  if (home == worker_.index()) return worker_.statements().on(message);
  worker_.send(home, message);
}

void table_runner::before_subscriptions_change() {
  worker_.events().hand_out();
  end_costly();
}

/// Those of which the engine tells nothing any more.
void table_runner::end_costly() {
  if (!database_.has_costly()) return;
  worker_.events().hand_out();
  for (storage::costly_subscription& c : database_.end_costly()) {
    const unsigned home = subscriber::of(c.target.subscriber).worker;
    subscription_too_costly message{std::move(c)};
    if (home == worker_.index()) {
      worker_.statements().on(message);
    } else {
      worker_.send(home, std::move(message));
    }
  }
}

}  // namespace pubsubsql::server
