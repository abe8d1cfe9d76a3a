#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "storage/matching/row_filter.hpp"
#include "storage/outcome.hpp"
#include "storage/sql/bound_expression.hpp"

namespace pubsubsql::storage {

/// The `where` of a subscription. It is kept as text, and read again whenever the table's columns change.
class subscription_filter : public matching::row_filter {
 public:
  /// Returns what is wrong with the predicate, if anything; a column that the table does not have is not. `needed`:
  /// columns that say which rows the subscriber may see; while the table has not all of them, no row matches.
  [[nodiscard]] static std::optional<error> make(const parser::condition& where, std::span<const std::string> needed,
                                                 const table& of, std::unique_ptr<subscription_filter>& out);

  void bind(const table& of) override;
  [[nodiscard]] bool matches(row_view row, std::int64_t now_us, sql::work_budget& budget) const override;
  [[nodiscard]] std::vector<conjunction> conjunctions() const override { return predicate_.conjunctions(); }
  [[nodiscard]] std::span<const column_index> columns() const override { return predicate_.columns(); }
  [[nodiscard]] std::span<const std::string> missing() const override { return missing_; }
  [[nodiscard]] bool depends_on_time() const override { return predicate_.depends_on_time(); }

  [[nodiscard]] bool hides_rows() const override { return !needed_.empty(); }
  [[nodiscard]] std::string_view statement() const override { return statement_; }

  [[nodiscard]] std::string canonical_text() const;

 private:
  [[nodiscard]] std::optional<error> bind_to(const table& of, const parser::condition& where);

  std::string statement_;  // any one with this `where`
  sql::bound_expression predicate_;
  std::vector<std::string> missing_;
  std::vector<std::string> needed_;
};

}  // namespace pubsubsql::storage
