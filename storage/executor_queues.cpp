// Queues: tables whose rows are leased to one connection at a time.

#include <algorithm>
#include <charconv>

#include "storage/access/statement_needs.hpp"
#include "storage/errors.hpp"
#include "storage/executor.hpp"
#include "storage/sql/calendar.hpp"

namespace pubsubsql::storage {

namespace {

constexpr std::string_view own_names[queue_settings::own_columns] = {"attempts", "available_at", "leased_until",
                                                                     "leased_by"};
constexpr std::string_view own_types[queue_settings::own_columns] = {"int", "datetime(6)", "datetime(6)", ""};

constexpr std::int64_t lease_us_default = 30 * sql::second_us;
constexpr std::uint64_t attempts_max_default = 5;

/// So many leases end in one step, so that others get their turn between.
constexpr std::size_t leases_per_step = 1'000;

constexpr unsigned digits_of_times = 6;

std::uint64_t attempts_of(const queue_index& q, row_view row) {
  std::uint64_t n = 0;
  if (const value v = row.at(q.attempts_column())) std::from_chars(v->data(), v->data() + v->size(), n);
  return n;
}

}  // namespace

// Declaring

/// What the table is without its own columns is in `out` already.
executor::failure executor::describe_queue(const parser::create_queue_statement& s, table_description& out) {
  const std::string_view name = s.definition.table;
  if (auto failed = describe_table(s.definition, out)) return failed;
  if (out.hides_id) return queue_needs_id(name);
  if (out.columns.size() + queue_settings::own_columns >= limits_.columns_max) {
    return too_many_columns(name, limits_.columns_max);
  }
  queue_settings& q = out.queue.emplace();
  q.durable = s.durable;
  q.lease_us = static_cast<std::int64_t>(s.lease.value_or(lease_us_default));
  q.attempts_max = s.attempts_max.value_or(attempts_max_default);
  q.delay_us = static_cast<std::int64_t>(s.delay.value_or(0));
  if (s.dead_letter == name) return dead_letter_is_queue(name);
  if (s.dead_letter.size() > limits_.name_bytes_max) return name_too_long(s.dead_letter, limits_.name_bytes_max);
  if (s.dead_letter.starts_with(own_tables)) return reserved_name(s.dead_letter);
  q.dead_letter = s.dead_letter;
  if (!s.priority.empty()) {
    const auto it = std::ranges::find(out.columns, s.priority, &table_description::column::name);
    if (it == out.columns.end()) return unknown_field(name, s.priority);
    q.priority = static_cast<column_index>(it - out.columns.begin() + 1);
  }
  q.first_own = static_cast<column_index>(out.columns.size() + 1);
  for (std::size_t i = 0; i < queue_settings::own_columns; ++i) {
    if (std::ranges::find(out.columns, own_names[i], &table_description::column::name) != out.columns.end()) {
      return own_column(name, own_names[i]);
    }
    table_description::column& c = out.columns.emplace_back();
    c.name = own_names[i];
    if (!own_types[i].empty()) c.facts.emplace().type = own_types[i];
  }
  return std::nullopt;
}

executor::failure executor::run(const parser::create_queue_statement& s) {
  const parser::create_table_statement& definition = s.definition;
  if (const table* t = find_table(definition.table); t != nullptr && !t->is_bare()) {
    if (t->queue() == nullptr) return table_in_place_of_queue(definition.table);
    if (definition.if_not_exists) return finish_schema(*t, "create");
    return table_exists(definition.table);
  }
  if (auto failed = check_new_table(definition.table)) return failed;
  table_description& d = declared_.emplace();
  if (auto failed = describe_queue(s, d)) return failed;
  return make_declared(d);
}

executor::failure executor::find_queue(std::string_view name, table*& out) {
  out = named_table(name);
  if (out == nullptr) return unknown_queue(name);
  if (out->queue() == nullptr) return no_queue(name);
  out->queue()->advance(who_.now_us);
  return std::nullopt;
}

// Pushing

/// A new row of a queue has values in some of the queue's own columns, too.
executor::failure executor::resolve_pushed(const table& t) {
  if (auto failed = find_defaults(t)) return failed;
  for (const column_index column : {t.queue()->attempts_column(), t.queue()->available_column()}) {
    if (std::ranges::find(assigned_, column) == assigned_.end()) assigned_.push_back(column);
  }
  return std::nullopt;
}

/// The row in `values_` is to be a queue's: it may be popped when its delay is over.
void executor::write_pushed(table& t) {
  queue_index& q = *t.queue();
  if (available_text_.empty()) {
    q.advance(who_.now_us);  // whether the delay is over already is told by that time
    const std::int64_t delay_us = delay_us_.value_or(q.settings().delay_us);
    sql::append_datetime(available_text_, who_.now_us + delay_us, digits_of_times);
  }
  values_[q.attempts_column()] = "0";
  values_[q.available_column()] = available_text_;
}

void executor::count_pushed(std::span<const change> changes) {
  outcome_.queued.pushed =
      static_cast<std::uint64_t>(std::ranges::count(changes, change_kind::insert_row, &change::kind));
}

void executor::count(std::string_view queue, const queue_counts& done) {
  table* const t = find_table(queue);
  if (t != nullptr && t->queue() != nullptr) t->queue()->counts += done;
}

// Popping

/// Leaves the rows to lease in `found_`. A pop that waits does not look again at rows that did not meet its predicate.
executor::failure executor::find_ready(table& t, const parser::lease_statement& s) {
  queue_index& q = *t.queue();
  const auto& where = guard(s.table, access::leasing_rights, s.where);
  row_search search;
  if (where) {
    if (auto failed = search.bind(t, {.where = where}, scope_of(&t))) return failed;
  }
  sql::evaluation e(row_memory_, who_.now_us, &budget_);
  const auto find_among = [&](const auto& rows) -> failure {
    for (auto r = rows.begin(); r != rows.end() && found_.size() < s.count; ++r) {
      if (where) {
        row_memory_.release();
        e.spend(1);
        const bool matches = search.matches(t.get(r->row), e);
        if (e.failure()) return to_error(*e.failure());
        if (!matches) continue;
      }
      found_.push_back(r->row);
    }
    return std::nullopt;
  };
  const bool may_skip = where && s.wait && !search.depends_on_time() && subqueries_.empty();
  const auto fresh = may_skip && who_.looked_until > 0 ? q.became_ready(who_.looked_until) : std::nullopt;
  if (auto failed = fresh ? find_among(*fresh) : find_among(q.ready())) return failed;
  if (may_skip && found_.empty()) outcome_.looked_until = q.watch();
  return std::nullopt;
}

/// The columns of a queue that a statement about leases sets, and that its events show.
void executor::begin_lease_changes(const table& t) {
  if (!updated_.empty()) return;
  const column_index first = t.queue()->attempts_column();
  for (column_index i = 0; i < queue_settings::own_columns; ++i) updated_.push_back(first + i);
  send_updated(t);
}

/// `available`: nothing: as it is. `until`: nothing: it is not leased.
void executor::write_lease(table& t, row_number row, std::uint64_t attempts, value available, value until) {
  const queue_index& q = *t.queue();
  values_.resize(t.column_count());
  row_view::cursor columns(t.get(row));
  for (column_index column = 1; column < t.column_count(); ++column) values_[column] = columns.at(column);
  char digits[20];
  const char* const end = std::to_chars(std::begin(digits), std::end(digits), attempts).ptr;
  values_[q.attempts_column()] = std::string_view(digits, static_cast<std::size_t>(end - digits));
  if (available) values_[q.available_column()] = available;
  values_[q.until_column()] = until;
  values_[q.owner_column()] = until ? value{owner_text_} : value{};
  log_.update(t, row, values_, updated_);
}

executor::failure executor::show_leased(const table& t, const std::optional<parser::projection>& columns) {
  outcome_.kind = reply_kind::rows;
  outcome_.about = &t;
  outcome_.action = "pop";
  outcome_.rows = data_.size();
  outcome_.data = data_;
  if (columns) {
    if (auto failed = project(t, *columns)) return failed;
  } else {
    const queue_index& q = *t.queue();
    for (const column_index column : t.all_columns()) {
      if (!q.is_own(column) || column == q.attempts_column()) projection_.push_back(column);
    }
    outcome_.columns = projection_;
  }
  return check_result();
}

executor::failure executor::run(const parser::lease_statement& s) {
  table* t = nullptr;
  if (auto failed = find_queue(s.table, t)) return failed;
  if (auto failed = find_ready(*t, s)) return failed;
  if (!found_.empty()) {
    const queue_index& q = *t->queue();
    begin_lease_changes(*t);
    const std::int64_t lease_us = s.lease ? static_cast<std::int64_t>(*s.lease) : q.settings().lease_us;
    until_text_.clear();
    sql::append_datetime(until_text_, who_.now_us + lease_us, digits_of_times);
    owner_text_ = std::to_string(number_of(who_.subscriber));
    for (const row_number row : found_) {
      write_lease(*t, row, attempts_of(q, t->get(row)) + 1, {}, until_text_);
      data_.push_back(t->get(row));
    }
    outcome_.queued.popped = found_.size();
  } else if (s.wait && s.count > 0) {
    outcome_.wait_us = static_cast<std::int64_t>(*s.wait);
  }
  return show_leased(*t, s.columns);
}

// What becomes of leased rows

/// Leaves the rows in `found_`, each once.
executor::failure executor::find_leased(table& t, const parser::row_id_list& ids) {
  const queue_index::row_set* const mine = t.queue()->leased_by(who_.subscriber);
  for (const std::uint64_t id : ids) {
    const auto row = t.find_id(id);
    if (!row || mine == nullptr || !mine->contains(t.get(*row).position())) return not_leased(t.name(), id);
    found_.push_back(*row);
  }
  if (found_.size() > 1) {
    std::ranges::sort(found_);
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  }
  return std::nullopt;
}

executor::failure executor::run(const parser::ack_statement& s) {
  table* t = nullptr;
  if (auto failed = find_queue(s.table, t)) return failed;
  if (auto failed = find_leased(*t, s.ids)) return failed;
  for (const row_number row : found_) log_.erase(*t, row);
  outcome_.queued.acked = found_.size();
  outcome_.rows = found_.size();
  return finish_rows(*t, std::nullopt, "ack");
}

/// The row's lease has ended. It has a place in the queue again, unless it has had its attempts.
void executor::give_back(table& t, row_number row, lease_end why, value available) {
  queue_index& q = *t.queue();
  const queue_settings& settings = q.settings();
  const row_position position = t.get(row).position();
  const std::uint64_t attempts = attempts_of(q, t.get(row));
  const bool is_dead = settings.attempts_max > 0 && attempts >= settings.attempts_max;
  ++outcome_.queued.returned;
  if (is_dead) ++outcome_.queued.dead;
  if (is_dead && settings.dead_letter.empty()) return log_.erase(t, row);
  begin_lease_changes(t);
  write_lease(t, row, attempts, available, {});
  if (is_dead) q.note_death(position, why);
}

executor::failure executor::run(const parser::nack_statement& s) {
  table* t = nullptr;
  if (auto failed = find_queue(s.table, t)) return failed;
  if (auto failed = find_leased(*t, s.ids)) return failed;
  if (s.delay)
    sql::append_datetime(available_text_, who_.now_us + static_cast<std::int64_t>(*s.delay), digits_of_times);
  for (const row_number row : found_) {
    give_back(*t, row, lease_end::refused, s.delay ? value{available_text_} : value{});
  }
  outcome_.rows = found_.size();
  return finish_rows(*t, std::nullopt, "nack");
}

executor::failure executor::run(const parser::renew_statement& s) {
  table* t = nullptr;
  if (auto failed = find_queue(s.table, t)) return failed;
  if (auto failed = find_leased(*t, s.ids)) return failed;
  const queue_index& q = *t->queue();
  const std::int64_t lease_us = s.lease ? static_cast<std::int64_t>(*s.lease) : q.settings().lease_us;
  until_text_.clear();
  sql::append_datetime(until_text_, who_.now_us + lease_us, digits_of_times);
  owner_text_ = std::to_string(number_of(who_.subscriber));
  begin_lease_changes(*t);
  for (const row_number row : found_) write_lease(*t, row, attempts_of(q, t->get(row)), {}, until_text_);
  outcome_.rows = found_.size();
  return finish_rows(*t, std::nullopt, "renew");
}

// Leases that end by themselves

executor::failure executor::end_leases(table& t, lease_end why, subscriber_id of) {
  const queue_index& q = *t.queue();
  if (why == lease_end::connection) {
    if (const queue_index::row_set* const rows = q.leased_by(of)) {
      for (const auto& [position, row] : *rows) {
        if (found_.size() == leases_per_step) break;
        found_.push_back(row);
      }
    }
  } else {
    for (const queue_index::due_row& r : q.leased()) {
      if (found_.size() == leases_per_step || (why == lease_end::time && r.at_us > who_.now_us)) break;
      found_.push_back(r.row);
    }
  }
  for (const row_number row : found_) give_back(t, row, why, {});
  outcome_.rows = found_.size();
  return finish_rows(t, std::nullopt, "nack");
}

const outcome& executor::end_leases(std::string_view queue, lease_end why, subscriber_id of, std::int64_t now_us) {
  reclaim();
  begin();
  who_ = {.subscriber = of, .now_us = now_us};
  table* t = nullptr;
  failure failed = find_queue(queue, t);
  if (!failed) failed = end_leases(*t, why, of);
  return finish(std::move(failed));
}

}  // namespace pubsubsql::storage
