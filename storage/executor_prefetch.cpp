// Looking ahead: what statements to come will read is fetched while it is not needed yet.

#include <algorithm>
#include <variant>

#include "storage/executor.hpp"

namespace pubsubsql::storage {

void executor::expect_key(const known_names& names, std::string_view column, std::string_view text) {
  const auto known = std::ranges::find(names.columns, column.data(), &known_names::column::name);
  if (known == names.columns.end() || !known->index) return;
  const unique_index* index = names.about->key_index(*known->index);
  if (index == nullptr) return;
  expected_.push_back({.of = names.about, .index = index, .hash = index->prefetch(text)});
}

void executor::expect_keys(const database::expected_statement& s) {
  const known_names& names = known_names_[s.like->form % forms_known];
  const bool known = names.form == s.like->form && names.tables_version == tables_version_ && names.about != nullptr &&
                     names.schema_version == names.about->schema_version();
  if (!known) return;
  std::visit(
      [&](const auto& body) {
        if constexpr (requires { body.where; }) {
          // The value of `where` is the last one.
          if (body.where && body.where->predicate == nullptr && !body.where->value.is_null) {
            expect_key(names, body.where->column, s.values.back());
          }
        } else if constexpr (requires { body.rows.values; }) {
          std::size_t given = 0;
          for (std::size_t i = 0; i < body.rows.values.size() && !body.rows.columns.empty(); ++i) {
            if (body.rows.values[i].is_null) continue;
            if (body.rows.values[i].computed != nullptr) return;  // may have values of its own
            expect_key(names, body.rows.columns[i % body.rows.columns.size()], s.values[given++]);
          }
        }
      },
      s.like->body);
}

void executor::prefetch(std::span<const database::expected_statement> next) {
  expected_.clear();
  for (const auto& s : next) expect_keys(s);
  // Each step reads what the one before it had fetched for all rows.
  for (expected_row& e : expected_) {
    e.row = e.index->guess(e.hash).value_or(no_row);
    if (e.row != no_row) e.of->heap().prefetch_place(e.row);
  }
  for (const expected_row& e : expected_) {
    if (e.row != no_row) e.of->heap().prefetch(e.row);
  }
}

}  // namespace pubsubsql::storage
