#include "storage/executor.hpp"

#include <algorithm>

#include "storage/errors.hpp"

namespace pubsubsql::storage {

namespace {

/// A reply over a whole table leaves long scratch vectors behind; more than this many elements are given back.
constexpr std::size_t kept_elements_max = 64U << 10;

template <typename T>
void clear(std::vector<T>& v) {
  if (v.empty()) return;
  v.clear();
  if (v.capacity() > kept_elements_max) v.shrink_to_fit();
}

/// Statements that always do. An update may: that is found out row by row.
bool adds_memory(const parser::statement_body& body) {
  return parser::is_any<parser::insert_statement, parser::push_statement, parser::key_statement, parser::tag_statement,
                        parser::subscribe_statement, parser::create_table_statement, parser::add_column_statement,
                        parser::bind_statement, parser::create_index_statement, parser::create_queue_statement>(body);
}

}  // namespace

executor::failure executor::unsupported_statement() {
  return unsupported();
}

void executor::begin() {
  outcome_ = {};
  names_ = nullptr;
  log_.begin();
  clear(events_);
  clear(found_);
  clear(values_);
  clear(assigned_);
  clear(defaulted_);
  clear(updated_);
  set_.clear();
  clear(sent_);
  clear(offered_);
  clear(conflicts_);
  if (published_to_ != nullptr || !published_ends_.empty()) forget_published();
  if (!copies_.empty()) {
    copies_.clear();
    copies_of_.clear();
    copied_columns_.clear();
    copied_.clear();
  }
  duplicates_ = parser::duplicate_rule::refuse;
  row_of_statement_ = 0;
  budget_ = {.steps_max = limits_.statement_steps_max, .bytes_max = limits_.statement_memory_max};
  inner_.clear();
  query_.reset();
  leaving_ = nullptr;
  following_.reset();
  gone_.reset();
  if (has_guards_) forget_guards();
  who_.user = nullptr;
  clear(projection_);
  clear(sorted_);
  clear(data_);
  clear(listing_);
  explained_.clear();
  clear(ended_);
  clear(replayed_);
  since_.reset();
  changed_guard_.reset();
  resumes_ = false;
  delay_us_.reset();
  available_text_.clear();
}

const outcome& executor::execute(const parser::statement& s, const database::caller& who) {
  reclaim();
  begin();
  who_ = who;
  corrected_ = 0;
  columns_looked_up_ = 0;
  names_ = s.form == 0 ? nullptr : &known_names_[s.form % forms_known];
  if (names_ != nullptr && names_->form != s.form) {
    *names_ = {};
    names_->form = s.form;
  }
  failure failed =
      who.memory_exceeded != 0 && adds_memory(s.body) ? failure(out_of_memory(who.memory_exceeded)) : run_inner(s.body);
  if (!failed) failed = std::visit([this](const auto& body) { return run(body); }, s.body);
  if (!failed) failed = check_written_rows(s.body);
  if (!failed) failed = derive_copies();
  return finish(std::move(failed));
}

/// Undoes the statement, or derives what it came to.
const outcome& executor::finish(failure failed) {
  if (failed) {
    undo();
    outcome_ = {};
    outcome_.failure = std::move(failed);
    return outcome_;
  }
  derive_events();
  if (published_to_ != nullptr) derive_published();
  if (leaving_ != nullptr) finish_replacing();
  outcome_.events = events_;
  outcome_.changes = log_.changes();
  return outcome_;
}

void executor::undo(std::string_view table, std::span<const change> changes) {
  begin();
  if (std::ranges::find(changes, change_kind::drop_table, &change::kind) != changes.end()) {
    return undo_replacing(table, changes);
  }
  storage::table& t = *find_table(table);
  for (const change& c : changes) {
    if (c.kind == change_kind::insert_row) ++erased_rows_;
    if (c.kind == change_kind::delete_row) --erased_rows_;
  }
  const bool was_made = statement_log::undo(t, changes);
  t.subscribers().rows_taken_back();
  if (was_made) drop_table(t);
}

table& executor::restore(const table_description& d) {
  auto made = std::make_unique<table>(d);
  made->count_history(history_totals_);
  table& t = *made;
  tables_.emplace(d.name, std::move(made));
  ++tables_version_;
  return t;
}

void executor::forget(std::string_view table) {
  if (storage::table* t = find_table(table)) drop_table(*t);
}

void executor::undo() {
  table* t = log_.about();
  if (log_.undo()) drop_table(*t);
}

void executor::derive_events() {
  const std::span<const change> changes = log_.changes();
  if (changes.empty()) return;
  table& t = leaving_ != nullptr ? *leaving_ : *log_.about();
  if (t.queue() != nullptr) count_pushed(changes);
  t.subscribers().begin_statement(who_.now_us, limits_.filter_steps_max);
  bool garbage = false;
  std::size_t numbered = 0;
  const auto number_events = [&](std::uint64_t sequence) {
    for (; numbered < events_.size(); ++numbered) events_[numbered].sequence = sequence;
  };
  for (const change& c : changes) {
    switch (c.kind) {
      case change_kind::insert_row:
        ++inserted_rows_;
        t.subscribers().on_insert(c.after, t.all_columns(), events_);
        break;
      case change_kind::update_row:
        t.subscribers().on_update(c.before, c.after, c.assigned, sent_, t.all_columns(), events_);
        garbage = true;
        break;
      case change_kind::delete_row:
        t.subscribers().on_delete(c.before, t.all_columns(), events_);
        ++erased_rows_;
        garbage = true;
        break;
      case change_kind::drop_column:
        t.subscribers().on_dropped_column(t.all_columns(), events_);
        number_events(c.sequence - 1);
        break;
      default:
        break;
    }
    number_events(c.sequence);
  }
  t.subscribers().on_statement(changes, sent_, t.all_columns(), events_);
  note_costly(t);
  number_events(changes.back().sequence);
  if (change_history* const h = log_.about()->history()) keep_history(*log_.about(), *h);
  if (garbage && t.wants_maintenance() && std::ranges::find(to_maintain_, &t) == to_maintain_.end()) {
    to_maintain_.push_back(&t);
  }
}

void executor::reclaim() {
  if (!to_maintain_.empty() && !to_maintain_.back()->maintain()) to_maintain_.pop_back();
}

bool executor::maintain() {
  begin();
  reclaim();
  return !to_maintain_.empty();
}

}  // namespace pubsubsql::storage
