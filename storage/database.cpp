#include "storage/database.hpp"

#include "storage/executor.hpp"

namespace pubsubsql::storage {

namespace {

std::optional<std::uint64_t> changes_behind(const table& t, std::uint64_t position) {
  if (position == t.sequence()) return 0;
  const change_history* const h = t.history();
  if (h == nullptr || !h->reaches_back_to(position, t.sequence())) return std::nullopt;
  return h->count_after(position);
}

}  // namespace

database::database(const limits& l) : executor_(std::make_unique<executor>(l)) {}
database::~database() = default;

const outcome& database::execute(const parser::statement& s, const caller& who) {
  return executor_->execute(s, who);
}

const outcome& database::make_table(std::string_view name, std::int64_t now_us) {
  return executor_->make_table(name, now_us);
}

std::optional<error> database::select_inner(const parser::statement& s, const caller& who, sql::inner_result& out) {
  return executor_->select_inner(s, who, out);
}

void database::prefetch(std::span<const expected_statement> next) {
  executor_->prefetch(next);
}

void database::undo(std::string_view table, std::span<const change> changes) {
  executor_->undo(table, changes);
}

const outcome& database::repair(std::string_view table, const table_differences& d, const table_description* outside) {
  return executor_->repair(table, d, outside);
}

std::optional<error> database::check_repair(std::string_view table, const table_differences& d,
                                            const table_description* outside) {
  return executor_->check_repair(table, d, outside);
}

void database::forget(std::string_view table) {
  executor_->forget(table);
}

void database::pin(std::string_view table, bool pinned) {
  executor_->pin(table, pinned);
}

void database::begin_numbers_after(std::uint64_t number) {
  executor_->begin_numbers_after(number);
}

void database::pin_all(bool pinned) {
  for (const auto& [name, t] : executor_->tables()) t->pin(pinned);
}

bool database::has_costly() const {
  return executor_->has_costly();
}

std::vector<costly_subscription> database::end_costly() {
  return executor_->end_costly();
}

void database::drop_subscription(subscriber_id subscriber, std::uint64_t pubsubid) {
  executor_->drop_subscription(subscriber, pubsubid);
}

std::optional<std::string_view> database::table_of(subscriber_id subscriber, std::uint64_t pubsubid) const {
  const table* t = executor_->table_of(subscriber, pubsubid);
  if (t == nullptr) return std::nullopt;
  return t->name();
}

const outcome& database::show_again(subscriber_id subscriber, std::uint64_t pubsubid, std::int64_t now_us,
                                    bool tells_positions) {
  return executor_->show_again(subscriber, pubsubid, now_us, tells_positions);
}

void database::forget_old_changes(std::int64_t now_us) {
  executor_->forget_old_changes(now_us);
}

std::size_t database::history_bytes() const {
  return executor_->history_bytes();
}

void database::for_each_subscription(const std::function<bool(const subscription_summary&)>& list) const {
  for (const auto& [name, t] : executor_->tables()) {
    for (const subscriptions::entry& e : t->subscribers().entries()) {
      const subscription_summary s{.subscriber = e.target.subscriber,
                                   .pubsubid = e.target.pubsubid,
                                   .table = t->name(),
                                   .statement = executor::statement_of(*t, e.target.pubsubid),
                                   .events = e.events};
      if (!list(s)) return;
    }
  }
}

void database::for_each_named(const std::function<bool(const named_summary&)>& list) const {
  for (const auto& [table_name, t] : executor_->tables()) {
    for (const auto& [name, n] : t->named()) {
      named_summary s{.name = name, .table = t->name(), .statement = n.what.statement, .position = n.what.position};
      if (s.position) s.behind = changes_behind(*t, *s.position);
      const bool is_taken = executor_->table_of(n.taken_by.subscriber, n.taken_by.pubsubid) == t.get();
      if (is_taken) s.pubsubid = n.taken_by.pubsubid;
      if (!list(s)) return;
    }
  }
}

table& database::restore(const table_description& d) {
  return executor_->restore(d);
}

const outcome& database::end_leases(std::string_view queue, lease_end why, subscriber_id of, std::int64_t now_us) {
  return executor_->end_leases(queue, why, of, now_us);
}

void database::count(std::string_view queue, const queue_counts& done) {
  executor_->count(queue, done);
}

void database::drop_subscriber(subscriber_id subscriber) {
  executor_->drop_subscriber(subscriber);
}

bool database::maintain() {
  return executor_->maintain();
}

bool database::wants_maintenance() const {
  return executor_->wants_maintenance();
}

std::uint64_t database::inserted_rows() const {
  return executor_->inserted_rows();
}

std::uint64_t database::erased_rows() const {
  return executor_->erased_rows();
}

std::vector<table_summary> database::tables() const {
  std::vector<table_summary> all;
  all.reserve(executor_->tables().size());
  for (const auto& [name, t] : executor_->tables()) {
    all.push_back({.name = t->name(),
                   .rows = t->row_count(),
                   .row_bytes = t->row_bytes(),
                   .columns = t->all_columns().size(),
                   .subscriptions = t->subscribers().size()});
  }
  return all;
}

const table* database::find(std::string_view name) const {
  const auto it = executor_->tables().find(name);
  return it == executor_->tables().end() ? nullptr : it->second.get();
}

}  // namespace pubsubsql::storage
