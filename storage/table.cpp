#include "storage/table.hpp"

#include <algorithm>
#include <charconv>

namespace pubsubsql::storage {

namespace {

/// An id as it is written: decimal digits, no sign, no leading zeros. Anything else equals no id.
std::optional<std::uint64_t> parse_id(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t id = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

}  // namespace

table::table(std::string_view name) : name_(name) {
  columns_.push_back({.name = "id", .index = {}});
  column_by_name_.emplace(columns_.front().name, id_column);
  all_columns_.push_back(id_column);
}

void table::set_history(const std::optional<parser::history_setting>& setting) {
  history_setting_ = setting;
  if (!setting || !setting->on) {
    history_.reset();
  } else if (history_ == nullptr) {
    history_ = std::make_unique<change_history>(sequence_, history_totals_);
  }
}

void table::load_change(const past_change& c) {
  if (history_ == nullptr) return;
  if (history_->size() == 0) history_->undo_to(c.sequence - 1);
  history_->append(c);
}

void table::count_history(history_totals& totals) {
  history_totals_ = &totals;
  if (history_ != nullptr) history_->count_in(totals);
}

index_kind table::index_of(column_index column) const {
  if (column == id_column) return index_kind::key;
  return static_cast<index_kind>(columns_[column].index.index());
}

std::optional<row_number> table::find_id(std::uint64_t id) const {
  if (id >= next_id_) return std::nullopt;
  if (const auto row = directory_.find(back_position(id))) return row;
  return directory_.find(front_position(id));
}

row_number table::end_row(parser::queue_end end) const {
  return (end == parser::queue_end::front ? directory_.front() : directory_.back()).number;
}

std::optional<row_number> table::find_key(column_index column, std::string_view text) const {
  return std::get<std::unique_ptr<unique_index>>(columns_[column].index)->find(text);
}

const unique_index* table::key_index(column_index column) const {
  const auto* index = std::get_if<std::unique_ptr<unique_index>>(&columns_[column].index);
  return index == nullptr ? nullptr : index->get();
}

void table::find_equal(column_index column, std::string_view text, std::vector<row_number>& out) const {
  if (column == id_column) {
    const auto id = parse_id(text);
    const auto row = id ? find_id(*id) : std::nullopt;
    if (row) out.push_back(*row);
    return;
  }
  switch (index_of(column)) {
    case index_kind::key:
      if (const auto row = find_key(column, text)) out.push_back(*row);
      return;
    case index_kind::tag:
      if (const auto* positions = std::get<std::unique_ptr<tag_index>>(columns_[column].index)->find(text)) {
        out.reserve(out.size() + positions->size());
        for (const row_position position : *positions) out.push_back(*directory_.find(position));
      }
      return;
    case index_kind::none:
      directory_.for_each([&](row_number row) {
        if (get(row).at(column) == text) out.push_back(row);
      });
      return;
  }
}

void table::find_all(std::vector<row_number>& out) const {
  out.reserve(out.size() + directory_.size());
  directory_.for_each([&](row_number row) { out.push_back(row); });
}

std::optional<std::string_view> table::build_key(column_index column, unique_index& index) const {
  std::optional<std::string_view> shared;
  directory_.for_each([&](row_number row) {
    const value v = get(row).at(column);
    if (shared || !v) return;
    if (index.find(*v)) {
      shared = *v;
    } else {
      index.insert(*v, row);
    }
  });
  return shared;
}

std::optional<std::string_view> table::add_index(column_index column, index_kind kind) {
  if (kind == index_kind::key) {
    auto index = std::make_unique<unique_index>(heap_, column);
    if (const auto shared = build_key(column, *index)) return shared;
    columns_[column].index = std::move(index);
  } else {
    auto index = std::make_unique<tag_index>();
    directory_.for_each([&](row_number row) {
      const row_view r = get(row);
      if (const value v = r.at(column)) index->insert(*v, r.position());
    });
    columns_[column].index = std::move(index);
  }
  indexed_columns_.insert(std::ranges::upper_bound(indexed_columns_, column), column);
  return std::nullopt;
}

void table::remove_index(column_index column) {
  columns_[column].index = {};
  std::erase(indexed_columns_, column);
}

void table::index_value(column_index column, const value& v, row_number row, row_position position) {
  if (!v) return;
  auto& index = columns_[column].index;
  if (auto* key = std::get_if<std::unique_ptr<unique_index>>(&index)) {
    (*key)->insert(*v, row);
  } else if (auto* tag = std::get_if<std::unique_ptr<tag_index>>(&index)) {
    (*tag)->insert(*v, position);
  }
}

void table::unindex_value(column_index column, const value& v, row_number row, row_position position) {
  if (!v) return;
  auto& index = columns_[column].index;
  if (auto* key = std::get_if<std::unique_ptr<unique_index>>(&index)) {
    (*key)->erase(*v, row);
  } else if (auto* tag = std::get_if<std::unique_ptr<tag_index>>(&index)) {
    (*tag)->erase(*v, position);
  }
}

row_number table::store(row_position position, std::span<const value> values) {
  encode_row(position, values, encoded_);
  const row_number row = heap_.insert(encoded_);
  directory_.insert(position, row);
  for (const column_index column : indexed_columns_) {
    if (column < values.size()) index_value(column, values[column], row, position);
  }
  for (const auto& index : ordered_) index->insert(row);
  if (queue_ != nullptr) queue_->insert(get(row));
  return row;
}

row_view table::insert(parser::queue_end end, std::span<const value> values) {
  const std::uint64_t id = next_id_++;
  const row_position position = end == parser::queue_end::back ? back_position(id) : front_position(id);
  return get(store(position, values));
}

row_view table::insert_at(row_position position, std::span<const value> values) {
  skip_ids(id_of(position) + 1);
  return get(store(position, values));
}

row_view table::update(row_number row, std::span<const value> values, std::span<const column_index> changed) {
  const row_view before = get(row);
  const row_position position = before.position();
  for (const column_index column : changed) {
    if (index_of(column) == index_kind::none) continue;
    const value old = before.at(column);
    if (old == values[column]) continue;
    unindex_value(column, old, row, position);
    index_value(column, values[column], row, position);
  }
  encode_row(position, values, encoded_);
  if (queue_ != nullptr) return replace_queued(row, values, changed);
  if (!ordered_.empty()) return replace_ordered(row, values, changed);
  heap_.replace(row, encoded_);
  return get(row);
}

/// A row's place in a queue is told by its values, as those in ordered indexes are.
row_view table::replace_queued(row_number row, std::span<const value> values, std::span<const column_index> changed) {
  queue_->erase(get(row));
  if (ordered_.empty()) {
    heap_.replace(row, encoded_);
  } else {
    replace_ordered(row, values, changed);
  }
  const row_view after = get(row);
  queue_->insert(after);
  return after;
}

void table::erase(row_number row) {
  const row_view before = get(row);
  if (queue_ != nullptr) queue_->erase(before);
  const row_position position = before.position();
  row_view::cursor columns(before);
  for (const column_index column : indexed_columns_) unindex_value(column, columns.at(column), row, position);
  for (const auto& index : ordered_) index->erase(row);
  directory_.erase(position);
  heap_.erase(row);
}

void table::read_values(row_view row) {
  values_.resize(column_count());
  row_view::cursor columns(row);
  for (column_index column = 1; column < column_count(); ++column) values_[column] = columns.at(column);
}

/// The column that counts by itself goes on behind a number that is there.
void table::count_from(const value& v) {
  std::uint64_t number = 0;
  if (v && std::from_chars(v->data(), v->data() + v->size(), number).ec == std::errc{}) skip_numbers(number + 1);
}

std::optional<std::string> table::load(row_position position, std::span<const value> values) {
  if (values.size() > column_count()) {
    return "the row with id " + std::to_string(id_of(position)) + " has more columns than the table";
  }
  if (directory_.find(position)) return "two rows have the id " + std::to_string(id_of(position));
  for (const column_index column : indexed_columns_) {
    if (column >= values.size() || !values[column] || index_of(column) != index_kind::key) continue;
    if (find_key(column, *values[column])) {
      return "two rows have the value '" + std::string(*values[column]) + "' in the key " +
             std::string(column_name(column));
    }
  }
  if (const ordered_index* index = find_violated(values, {}, no_row)) {
    return "two rows have the values '" + index->show_values(values) + "' in the key " + std::string(index->name());
  }
  store(position, values);
  skip_ids(id_of(position) + 1);
  if (auto_increment_column_ && *auto_increment_column_ < values.size()) count_from(values[*auto_increment_column_]);
  return std::nullopt;
}

void table::undo_insert(row_view row) {
  if (row.id() + 1 == next_id_) next_id_ = row.id();  // insert_at() also fills gaps
  erase(*directory_.find(row.position()));
}

void table::undo_update(row_view before, std::span<const column_index> changed) {
  read_values(before);
  update(*directory_.find(before.position()), values_, changed);
}

void table::undo_erase(row_view before) {
  read_values(before);
  store(before.position(), values_);
}

}  // namespace pubsubsql::storage
