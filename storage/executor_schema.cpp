// Tables, columns and indexes: found, or made on first use.

#include <algorithm>

#include "storage/errors.hpp"
#include "storage/executor.hpp"

namespace pubsubsql::storage {

table* executor::find_table(std::string_view name) {
  const auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : it->second.get();
}

table* executor::named_table(std::string_view name) {
  if (names_ == nullptr) return find_table(name);
  if (names_->tables_version != tables_version_) {
    names_->about = find_table(name);
    names_->tables_version = tables_version_;
  }
  return names_->about;
}

void executor::drop_table(table& t) {
  std::erase(to_maintain_, &t);
  numbers_used_ = std::max(numbers_used_, t.sequence());
  tables_.erase(t.name());
  ++tables_version_;
}

std::optional<column_index> executor::find_column(const table& t, std::string_view name) {
  if (names_ == nullptr) return t.find_column(name);
  if (names_->schema_version != t.schema_version()) {
    names_->schema_version = t.schema_version();
    names_->columns.clear();
  }
  auto& known = names_->columns;
  const std::size_t at = columns_looked_up_++;
  if (at == known.size()) known.push_back({.name = name.data(), .index = t.find_column(name)});
  if (at < known.size() && known[at].name == name.data()) return known[at].index;
  return t.find_column(name);
}

executor::failure executor::find_or_create(std::string_view name, table*& out) {
  out = named_table(name);
  if (out != nullptr) return std::nullopt;
  if (name.size() > limits_.name_bytes_max) return name_too_long(name, limits_.name_bytes_max);
  if (name.starts_with(own_tables)) return reserved_name(name);
  auto made = std::make_unique<table>(name);
  made->continue_numbers(first_number());
  made->count_history(history_totals_);
  out = made.get();
  tables_.emplace(std::string(name), std::move(made));
  ++tables_version_;
  log_.created(*out);
  return std::nullopt;
}

executor::failure executor::check_new_column(const table& t, std::string_view name) const {
  if (name.size() > limits_.name_bytes_max) return name_too_long(name, limits_.name_bytes_max);
  if (t.column_count() >= limits_.columns_max) return too_many_columns(t.name(), limits_.columns_max);
  return std::nullopt;
}

executor::failure executor::find_or_add_column(table& t, std::string_view name, column_index& out) {
  if (const auto column = find_column(t, name)) {
    out = *column;
    return std::nullopt;
  }
  if (t.is_declared()) return unknown_field(t.name(), name);
  if (auto failed = check_new_column(t, name)) return failed;
  out = log_.add_column(t, name);
  return std::nullopt;
}

executor::failure executor::add_index(std::string_view table_name, std::string_view column, index_kind kind) {
  table* t = nullptr;
  if (auto failed = find_or_create(table_name, t)) return failed;
  if (auto failed = check_writable(*t)) return failed;
  const auto existing = t->find_column(column);
  if (existing && t->index_of(*existing) != index_kind::none) return already_indexed(table_name, column);
  if (!existing && kind == index_kind::key && t->row_count() > 0) return key_on_new_column(table_name, column);
  column_index index = id_column;
  if (auto failed = find_or_add_column(*t, column, index)) return failed;
  if (const auto shared = log_.add_index(*t, index, kind)) return key_over_duplicates(table_name, column, *shared);
  outcome_.kind = reply_kind::done;
  outcome_.about = t;
  outcome_.action = kind == index_kind::key ? "key" : "tag";
  return std::nullopt;
}

executor::failure executor::run(const parser::alter_ack_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (t->ack() != s.ack) log_.set_ack(*t, s.ack);
  outcome_.kind = reply_kind::done;
  outcome_.about = t;
  outcome_.action = "alter";
  return std::nullopt;
}

executor::failure executor::run(const parser::alter_history_statement& s) {
  table* t = named_table(s.table);
  if (t == nullptr) return unknown_table(s.table);
  if (s.table.starts_with(own_tables)) return reserved_name(s.table);
  if (t->history_setting() != s.history) log_.set_history(*t, s.history);
  outcome_.kind = reply_kind::done;
  outcome_.about = t;
  outcome_.action = "alter";
  return std::nullopt;
}

executor::failure executor::run(const parser::key_statement& s) {
  return add_index(s.table, s.column, index_kind::key);
}

executor::failure executor::run(const parser::tag_statement& s) {
  return add_index(s.table, s.column, index_kind::tag);
}

}  // namespace pubsubsql::storage
