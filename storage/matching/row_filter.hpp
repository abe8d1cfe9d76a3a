#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/column_atom.hpp"
#include "storage/row.hpp"
#include "storage/sql/work_budget.hpp"

namespace pubsubsql::storage {
class table;
}

namespace pubsubsql::storage::matching {

/// What a `where` of a subscription demands of a row. It names columns, which may come and go.
class row_filter {
 public:
  row_filter() = default;
  virtual ~row_filter() = default;
  row_filter(const row_filter&) = delete;
  row_filter& operator=(const row_filter&) = delete;

  /// Looks its columns up anew; one that the table does not have is NULL.
  virtual void bind(const table& of) = 0;

  // What follows is as of the last bind().

  /// `now_us`: the time, in microseconds since 1970. When nothing of the budget is left the result means nothing.
  [[nodiscard]] virtual bool matches(row_view row, std::int64_t now_us, sql::work_budget& budget) const = 0;
  /// Conjunctions of which at least one holds for every row that matches; none: nothing is known.
  [[nodiscard]] virtual std::vector<conjunction> conjunctions() const = 0;
  /// The columns it reads, rising.
  [[nodiscard]] virtual std::span<const column_index> columns() const = 0;
  /// The names that no column has.
  [[nodiscard]] virtual std::span<const std::string> missing() const = 0;
  /// Whether a row that stays as it is may match at one time and not at another.
  [[nodiscard]] virtual bool depends_on_time() const { return false; }
  /// Whether subscribers may not see a row that does not match: one that matches no more is shown as it was before.
  [[nodiscard]] virtual bool hides_rows() const { return false; }
  /// A subscribe statement with this `where`.
  [[nodiscard]] virtual std::string_view statement() const = 0;
};

}  // namespace pubsubsql::storage::matching
