#pragma once

#include <cstddef>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "parser/ast.hpp"
#include "storage/row_order.hpp"
#include "storage/sql/aggregate.hpp"
#include "storage/sql/bound_expression.hpp"

namespace pubsubsql::storage {

/// A select whose result is more than rows of its table as they are: computed columns, groups, distinct rows. Takes the
/// rows that meet `where` one by one; then gives the result, value by value. Made for one statement.
class query {
 public:
  /// Columns of a result, and of what `returning` shows.
  static constexpr std::size_t columns_max = 65'536;

  /// `bytes_max`: what the result may take as it is shown.
  explicit query(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// `names` is the scope of the table. The statement must outlive the query.
  [[nodiscard]] std::optional<error> bind(const parser::select_statement& s, sql::name_scope names);

  /// Whether no further row can change the result.
  [[nodiscard]] bool has_enough() const {
    return is_too_large() || (!is_grouped() && !distinct_ && order_.has_enough());
  }

  /// REQUIRES: the row stays where it is until finish().
  void add(row_view row, sql::evaluation& e);
  void finish(sql::evaluation& e);

  [[nodiscard]] const std::vector<std::string_view>& titles() const { return titles_; }
  [[nodiscard]] const std::vector<sql::column_type>& types() const { return types_; }
  /// Row after row. Valid as long as the query.
  [[nodiscard]] const std::vector<value>& values() const { return values_; }
  [[nodiscard]] std::size_t row_count() const { return titles_.empty() ? 0 : values_.size() / titles_.size(); }
  /// Whether more was computed than a result may have; then nothing more is taken.
  [[nodiscard]] bool is_too_large() const { return shown_bytes_ > bytes_max_; }

 private:
  struct group {
    row_view first;
    std::vector<sql::aggregate> aggregates;
  };

  [[nodiscard]] bool is_grouped() const { return has_groups_ || !aggregates_.empty(); }
  [[nodiscard]] std::optional<error> bind_columns(const parser::select_statement& s, sql::name_scope& names);
  [[nodiscard]] std::optional<error> bind_all_columns(const sql::name_scope& names);
  void add_title(std::string_view title, const sql::column_type& type);
  [[nodiscard]] group make_group(row_view first) const;
  [[nodiscard]] group& group_of(row_view row, sql::evaluation& e);
  void finish_groups(sql::evaluation& e);
  /// Computes a row of the result behind the others. Returns whether it is a new one, where that matters.
  bool compute(const sql::expression_input& in, sql::evaluation& e);
  void show(std::size_t computed_row);
  [[nodiscard]] std::string_view keep(std::string_view text);

  std::vector<std::string_view> titles_;
  std::vector<sql::column_type> types_;
  std::vector<sql::bound_expression> columns_;
  std::vector<sql::bound_expression> group_by_;
  bool has_groups_ = false;
  std::optional<sql::bound_expression> having_;
  std::vector<sql::aggregate_call> aggregates_;
  row_order order_;
  bool distinct_ = false;

  absl::flat_hash_map<std::string, std::size_t> group_by_key_;
  std::vector<group> groups_;  // in the order of their first rows
  absl::flat_hash_set<std::string> seen_;
  std::vector<row_view> rows_;   // when neither grouped nor distinct
  std::vector<value> computed_;  // rows of the result before they are ordered
  std::vector<value> values_;
  std::size_t bytes_max_;
  std::size_t names_bytes_ = 0;  // of the titles as each message shows them
  std::size_t shown_bytes_ = 0;  // of computed_
  std::string key_;              // scratch
  std::vector<value> row_;       // scratch
  std::pmr::monotonic_buffer_resource texts_;
};

}  // namespace pubsubsql::storage
