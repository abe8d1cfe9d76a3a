#include "tests/unit/storage/model.hpp"

#include <algorithm>

namespace pubsubsql::storage {

namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ",") + part;
  return out;
}

}  // namespace

model::cell model::row::get(const std::string& column) const {
  if (column == "id") return std::to_string(id);
  const auto it = values.find(column);
  return it == values.end() ? cell{} : cell{it->second};
}

bool model::matches(const row& r, const condition& where) {
  if (!where) return true;
  const cell v = r.get(where->first);
  return v && where->second && *v == *where->second;
}

bool model::has(const std::string& column) const {
  return std::ranges::count(columns_, column) > 0;
}

bool model::violates_key(const row& candidate, const std::vector<std::string>& written) const {
  return std::ranges::any_of(written, [&](const std::string& column) {
    const auto index = indexes_.find(column);
    if (index == indexes_.end() || !index->second || !candidate.get(column)) return false;
    return std::ranges::any_of(
        rows_, [&](const row& r) { return r.id != candidate.id && r.get(column) == candidate.get(column); });
  });
}

std::string model::show(const row& r, const std::vector<std::string>& columns) const {
  std::vector<std::string> parts;
  for (const std::string& column : columns) parts.push_back(r.get(column).value_or("null"));
  return join(parts);
}

void model::emit(const subscription& s, const std::string& action, const row& r,
                 const std::vector<std::string>& columns) {
  events_.push_back("s" + std::to_string(s.subscriber) + "/" + std::to_string(s.id) + " " + action + " " +
                    join(columns) + ": " + show(r, columns));
}

void model::publish_whole(const std::string& action, const row& r) {
  for (const subscription& s : subscriptions_) {
    if (matches(r, s.where)) emit(s, action, r, columns_);
  }
}

void model::publish_update(const row& before, const row& after, const cells& set) {
  std::vector<std::string> sent = {"id"};
  for (const auto& [column, v] : set) sent.push_back(column);
  for (const subscription& s : subscriptions_) {
    if (matches(before, s.where) && !matches(after, s.where)) emit(s, "remove", after, columns_);
  }
  for (const subscription& s : subscriptions_) {
    if (!matches(before, s.where) && matches(after, s.where)) emit(s, "add", after, columns_);
  }
  for (const subscription& s : subscriptions_) {
    if (matches(before, s.where) && matches(after, s.where)) emit(s, "update", after, sent);
  }
}

std::string model::insert(const std::vector<std::string>& columns, const std::vector<std::vector<cell>>& rows,
                          bool front, const std::string& action) {
  events_.clear();
  const model backup = *this;
  exists_ = true;
  for (const std::string& column : columns) {
    if (column == "id" || std::ranges::count(columns, column) > 1) {
      *this = backup;
      return failed();
    }
    if (!has(column)) columns_.push_back(column);
  }
  std::vector<row> added;
  for (const auto& cells_of_row : rows) {
    row r{.id = next_id_++, .values = {}};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (cells_of_row[i]) r.values[columns[i]] = *cells_of_row[i];
    }
    if (violates_key(r, columns)) {
      *this = backup;
      return failed();
    }
    added.push_back(r);
    if (front) {
      rows_.push_front(r);
    } else {
      rows_.push_back(r);
    }
  }
  for (const row& r : added) publish_whole("insert", r);
  return action + " " + std::to_string(rows.size());
}

std::string model::update(const cells& set, const condition& where) {
  events_.clear();
  if (!exists_ || (where && !has(where->first))) return failed();
  const model backup = *this;
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (matches(rows_[i], where)) found.push_back(i);
  }
  std::vector<std::string> written;
  if (!found.empty()) {
    for (const auto& [column, v] : set) {
      if (column == "id" || std::ranges::count(written, column) > 0) {
        *this = backup;
        return failed();
      }
      written.push_back(column);
      if (!has(column)) columns_.push_back(column);
    }
  }
  std::vector<std::pair<row, row>> changed;
  for (const std::size_t i : found) {
    row after = rows_[i];
    for (const auto& [column, v] : set) {
      after.values.erase(column);
      if (v) after.values[column] = *v;
    }
    if (violates_key(after, written)) {
      *this = backup;
      return failed();
    }
    changed.emplace_back(rows_[i], after);
    rows_[i] = after;
  }
  for (const auto& [before, after] : changed) publish_update(before, after, set);
  return "update " + std::to_string(found.size());
}

std::string model::erase(const condition& where) {
  events_.clear();
  if (!exists_ || (where && !has(where->first))) return failed();
  const std::size_t before = rows_.size();
  std::deque<row> kept;
  for (const row& r : rows_) {
    if (matches(r, where)) {
      publish_whole("delete", r);
    } else {
      kept.push_back(r);
    }
  }
  rows_ = kept;
  return "delete " + std::to_string(before - rows_.size());
}

std::string model::pop(bool front) {
  events_.clear();
  if (!exists_) return failed();
  if (rows_.empty()) return "pop 0";
  const row r = front ? rows_.front() : rows_.back();
  if (front) {
    rows_.pop_front();
  } else {
    rows_.pop_back();
  }
  publish_whole("delete", r);
  return "pop 1";
}

std::string model::select(const condition& where) const {
  if (!exists_ || (where && !has(where->first))) return failed();
  std::string out = "select " + join(columns_) + ":";
  for (const row& r : rows_) {
    if (matches(r, where)) out += " " + show(r, columns_);
  }
  return out;
}

std::string model::add_index(const std::string& column, bool unique) {
  events_.clear();
  if (column == "id" || indexes_.contains(column)) return failed();
  if (unique && !has(column) && !rows_.empty()) return failed();
  if (unique) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (std::size_t j = i + 1; j < rows_.size(); ++j) {
        if (rows_[i].get(column) && rows_[i].get(column) == rows_[j].get(column)) return failed();
      }
    }
  }
  exists_ = true;
  if (!has(column)) columns_.push_back(column);
  indexes_[column] = unique;
  return unique ? "key" : "tag";
}

std::string model::key(const std::string& column) {
  return add_index(column, true);
}
std::string model::tag(const std::string& column) {
  return add_index(column, false);
}

std::string model::subscribe(std::uint64_t subscriber, const condition& where, bool skip) {
  events_.clear();
  std::string rows;
  bool any = false;
  for (const row& r : rows_) {
    if (!matches(r, where)) continue;
    any = true;
    rows += " " + show(r, columns_);
  }
  if (where && where->first == "id" && !any) return failed();
  exists_ = true;
  subscriptions_.push_back({.id = next_subscription_, .subscriber = subscriber, .where = where});
  return "subscribe " + std::to_string(next_subscription_++) + (skip ? "" : " " + join(columns_) + ":" + rows);
}

std::string model::unsubscribe(std::uint64_t subscriber) {
  events_.clear();
  if (!exists_) return failed();
  const std::size_t ended =
      std::erase_if(subscriptions_, [&](const subscription& s) { return s.subscriber == subscriber; });
  return "unsubscribe " + std::to_string(ended);
}

void model::drop(std::uint64_t subscriber) {
  std::erase_if(subscriptions_, [&](const subscription& s) { return s.subscriber == subscriber; });
}

}  // namespace pubsubsql::storage
