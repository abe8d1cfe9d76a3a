// Subscriptions with a name, which keep their position.

#include "storage/errors.hpp"
#include "storage/executor.hpp"

namespace pubsubsql::storage {

/// One that was made when there were no users is an administrator's.
bool executor::may_use(const named_subscription& n) const {
  return who_.user == nullptr || who_.user->is_admin() || who_.user->name() == n.what.owner;
}

executor::failure executor::find_named(std::string_view table_name, std::string_view name, table*& t,
                                       named_subscription*& out) {
  t = find_table(table_name);
  out = t == nullptr ? nullptr : t->find_named(name);
  if (out == nullptr) return unknown_named_subscription(name);
  return may_use(*out) ? failure() : failure(not_ones_subscription(name));
}

/// Finds out where the subscription goes on, or makes it. `s`: with what the caller's rights add to it.
executor::failure executor::begin_named(table& t, const parser::subscribe_statement& s) {
  std::string guarded = definition_text(s);
  if (guarded == definition_) guarded.clear();
  named_subscription* const known = t.find_named(s.name);
  if (known == nullptr) return make_named(t, s, std::move(guarded));
  if (!may_use(*known)) return not_ones_subscription(s.name);
  if (known->what.statement != definition_) return other_subscription(s.name, known->what.statement);
  since_ = known->what.position;
  may_resume_ = known->what.guarded == guarded;
  if (may_resume_) return std::nullopt;
  changed_guard_ = std::move(guarded);
  return std::nullopt;
}

executor::failure executor::make_named(table& t, const parser::subscribe_statement& s, std::string guarded) {
  if (t.name().starts_with(own_tables)) return reserved_name(t.name());
  if (s.name.starts_with(own_tables)) return reserved_name(s.name);
  if (s.name.size() > limits_.name_bytes_max) return name_too_long(s.name, limits_.name_bytes_max);
  if (t.named().size() >= limits_.named_subscriptions_max) {
    return too_many_named_subscriptions(t.name(), limits_.named_subscriptions_max);
  }
  subscription_description made{.name = std::string(s.name),
                                .owner = who_.user == nullptr ? std::string() : who_.user->name(),
                                .statement = definition_,
                                .guarded = std::move(guarded)};
  if (s.skip) {
    // It begins behind the change that makes it, which the history has to reach back to.
    ask_for_history(t, false);
    made.position = t.sequence() + 1;
  }
  log_.add_subscription(t, std::move(made));
  return std::nullopt;
}

/// The caller has it from now on. Whoever had it may be a connection that is dead without having ended. `begins_bare`:
/// without any rows, where the table is now.
void executor::take_named(table& t, std::string_view name, bool begins_bare) {
  if (changed_guard_) change_guard(t, name);
  named_subscription& n = *t.find_named(name);
  // So it misses nothing behind that, also if the caller is gone before it acknowledges any of it.
  if (begins_bare && n.what.position != t.sequence()) log_.acknowledge(t, name, t.sequence());
  end_named(t, n, false);
  n.taken_by = {.subscriber = who_.subscriber, .pubsubid = who_.pubsubid};
  outcome_.name = n.what.name;
}

/// What was acknowledged is not what may be seen now.
void executor::change_guard(table& t, std::string_view name) {
  named_subscription changed = *t.find_named(name);
  changed.what.guarded = std::move(*changed_guard_);
  if (changed.what.position) changed.what.position = 0;  // who comes later is told that it begins anew, too
  log_.drop_subscription(t, name);
  log_.add_subscription(t, std::move(changed.what));
  t.find_named(name)->taken_by = changed.taken_by;
}

/// Ends the subscription of who has it, if anybody does.
void executor::end_named(const table& t, named_subscription& n, bool dropped) {
  if (table_of(n.taken_by.subscriber, n.taken_by.pubsubid) != &t) return;
  outcome_.ended_for_other = ended_subscription{.target = n.taken_by, .dropped = dropped};
  drop_subscription(n.taken_by.subscriber, n.taken_by.pubsubid);
  n.taken_by = {};
}

executor::failure executor::run(const parser::acknowledge_statement& s) {
  table* t = nullptr;
  named_subscription* n = nullptr;
  if (auto failed = find_named(s.table, s.name, t, n)) return failed;
  if (s.position > t->sequence()) return position_not_reached(s.name, t->name(), s.position, t->sequence());
  if (s.position > n->what.position.value_or(0)) log_.acknowledge(*t, s.name, s.position);
  return finish_schema(*t, "ack");
}

executor::failure executor::run(const parser::drop_subscription_statement& s) {
  table* t = nullptr;
  named_subscription* n = nullptr;
  if (auto failed = find_named(s.table, s.name, t, n)) return failed;
  end_named(*t, *n, true);
  log_.drop_subscription(*t, s.name);
  return finish_schema(*t, "drop");
}

}  // namespace pubsubsql::storage
