#include "storage/durable/row_folding.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/durable/value_text.hpp"

namespace pubsubsql::storage::durable {

row_folding::row_folding(const mysql_table& t, std::size_t changes) : table_(t) {
  operations_.reserve(changes);
  if (t.own_id) {
    by_id_.reserve(changes);
  } else {
    by_address_.reserve(changes);
  }
}

// Addresses

bool row_folding::write_address(row_view row, std::string& out) const {
  out.clear();
  for (const column_index column : table_.address) {
    const value v = row.at(column);
    if (!v) return false;
    append_value(out, v);
  }
  return true;
}

row_operation* row_folding::find_or_add(row_view row, bool& is_new) {
  const auto next = static_cast<std::uint32_t>(operations_.size());
  std::uint32_t number = 0;
  if (table_.own_id) {
    const auto [it, added] = by_id_.try_emplace(row.id(), next);
    is_new = added;
    number = it->second;
  } else {
    if (!write_address(row, address_)) return nullptr;
    const auto [it, added] = by_address_.try_emplace(address_, next);
    is_new = added;
    number = it->second;
  }
  if (is_new) operations_.emplace_back();
  return &operations_[number];
}

bool row_folding::keeps_address(const change& c) {
  if (table_.own_id) return c.before.id() == c.after.id();
  return write_address(c.before, address_) && write_address(c.after, new_address_) && address_ == new_address_;
}

// Columns

std::uint32_t row_folding::number_of(column_set rising) {
  const auto [it, is_new] =
      set_numbers_.try_emplace(std::move(rising), static_cast<std::uint32_t>(set_numbers_.size()));
  if (is_new) sets_.push_back(it->first);
  return it->second;
}

std::uint32_t row_folding::set_of(std::span<const column_index> named) {
  if (last_set_ && std::ranges::equal(named, last_named_)) return *last_set_;
  last_named_.assign(named.begin(), named.end());
  column_set rising = last_named_;
  std::ranges::sort(rising);
  rising.erase(std::unique(rising.begin(), rising.end()), rising.end());
  last_set_ = number_of(std::move(rising));
  return *last_set_;
}

std::uint32_t row_folding::united(std::uint32_t a, std::uint32_t b) {
  if (a == b) return a;
  column_set both;
  std::ranges::set_union(sets_[a], sets_[b], std::back_inserter(both));
  return number_of(std::move(both));
}

// Changes

bool row_folding::add_update(const change& c) {
  bool is_new = false;
  row_operation* o = keeps_address(c) ? find_or_add(c.before, is_new) : nullptr;
  if (o == nullptr) return false;
  if (is_new) {
    *o = {.what = row_operation::kind::update, .assigned = set_of(c.assigned), .before = c.before, .after = c.after};
  } else {
    if (o->after.data() != nullptr) passed_over_.push_back(o->after);
    o->assigned = united(o->assigned, set_of(c.assigned));
    o->after = c.after;
  }
  return true;
}

bool row_folding::add(const change& c) {
  if (c.kind == change_kind::update_row) return add_update(c);
  const bool inserts = c.kind == change_kind::insert_row;
  bool is_new = false;
  row_operation* o = find_or_add(inserts ? c.after : c.before, is_new);
  if (o == nullptr) return false;
  if (inserts) {
    if (!is_new) return false;
    *o = {.what = row_operation::kind::insert, .assigned = set_of(c.assigned), .before = {}, .after = c.after};
    return true;
  }
  if (is_new) {
    *o = {.what = row_operation::kind::erase, .assigned = 0, .before = c.before, .after = {}};
    return true;
  }
  // What was inserted and erased again leaves nothing to be done; other rows are erased as they were before all this.
  if (o->after.data() != nullptr) passed_over_.push_back(o->after);
  o->what = o->what == row_operation::kind::insert ? row_operation::kind::none : row_operation::kind::erase;
  o->after = {};
  return true;
}

bool row_folding::operations_are_alike() const {
  return std::ranges::all_of(operations_, [this](const row_operation& o) {
    return o.what == operations_.front().what && o.assigned == operations_.front().assigned;
  });
}

}  // namespace pubsubsql::storage::durable
