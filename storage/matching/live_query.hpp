#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "storage/matching/filtered_group.hpp"
#include "storage/matching/row_filter.hpp"
#include "storage/outcome.hpp"
#include "storage/row.hpp"
#include "storage/sql/bound_expression.hpp"

namespace pubsubsql::storage::matching {

/// A row that a statement touched, as it was before the statement and as it is after. Without data: it was not there,
/// or is not any more.
struct row_change {
  row_position position = 0;
  row_view before = {};
  row_view after = {};
};

/// What a statement came to.
struct statement_result {
  std::uint64_t statement = 0;  ///< another number for another statement
  std::int64_t now_us = 0;
  std::span<const row_change> rows;        ///< by rising position
  std::span<const column_index> assigned;  ///< by its updates
  std::span<const column_index> sent;      ///< what an update event shows
  std::span<const column_index> all;       ///< the table's columns

  [[nodiscard]] const row_change* find(row_position position) const;
};

/// A subscription to what a query gives, kept up to date row by row: groups, or the first rows in an order. One for all
/// who subscribe to the same.
///
/// It is told of every row that is there, and of those that a statement touched; then it is asked for the events that
/// lead from what subscribers were told before to what there is now. It is kept as text and bound again when the
/// table's columns change.
class live_query : public subscription_group {
 public:
  virtual ~live_query() = default;
  live_query(const live_query&) = delete;
  live_query& operator=(const live_query&) = delete;

  /// What it asks for, as no other live query has it.
  [[nodiscard]] std::string_view key() const { return key_; }
  /// A subscribe statement that asks for the same, but for the filter and the table's name.
  [[nodiscard]] std::string_view statement() const { return statement_; }
  /// nullptr: every row matches.
  [[nodiscard]] const row_filter* filter() const { return filter_.get(); }
  /// Whether it reads the column of that name, or would if the table had it.
  [[nodiscard]] bool reads(std::string_view name, column_index column) const;

  /// Looks all columns up anew. A name that no column has is NULL. clear() has to follow.
  void bind(const table& t);

  /// No row is there; what was told remains.
  virtual void clear() = 0;
  // When nothing of a budget is left, what the query is told and tells means nothing until clear().

  /// A row is there.
  void enter(row_view row, std::int64_t now_us, sql::work_budget& budget) {
    change({row.position(), {}, row}, now_us, budget);
  }
  virtual void change(const row_change& c, std::int64_t now_us, sql::work_budget& budget) = 0;
  /// Takes it that subscribers know what there is.
  virtual void settle(sql::work_budget& budget) = 0;
  /// Appends the events of what is not known yet. They are valid until the next change.
  virtual void tell(const statement_result& result, sql::work_budget& budget, std::vector<event>& out) = 0;

  /// Appends what there is, as it has been told. Valid until the next change.
  virtual void show(std::vector<row_view>& out) const = 0;
  /// The columns of those rows. Nothing: all of the table.
  [[nodiscard]] virtual std::span<const column_index> columns() const = 0;
  /// What they are called, where they are computed.
  [[nodiscard]] virtual std::span<const std::string_view> titles() const { return {}; }

  /// How far it can be believed.
  enum class state : std::uint8_t {
    good,
    bound_anew,  ///< rows have to be entered anew; what was told was told
    unknown      ///< rows were taken back, and what was told of them with them
  };
  state validity = state::unknown;

 protected:
  /// `s` without its where, which is the filter; nullptr: every row matches.
  live_query(const parser::subscribe_statement& s, std::unique_ptr<row_filter> filter, std::string_view filter_text);

  /// `unknown_is_null`: as name_scope has it.
  virtual std::optional<error> bind_statement(const parser::subscribe_statement& s, const table& t,
                                              bool unknown_is_null) = 0;

  [[nodiscard]] bool matches(row_view row, std::int64_t now_us, sql::work_budget& budget) const {
    return !filter_ || filter_->matches(row, now_us, budget);
  }
  void send(event_action action, row_view row, std::span<const column_index> columns, std::vector<event>& out);

  std::unique_ptr<row_filter> filter_;
  std::string key_;

 private:
  void add_names(const parser::expression& e);

  std::string statement_;
  std::vector<std::string> names_;
};

}  // namespace pubsubsql::storage::matching
