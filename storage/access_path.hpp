#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/column_atom.hpp"
#include "storage/index_ranges.hpp"
#include "storage/ordered_index.hpp"
#include "storage/row_visitor.hpp"
#include "storage/table.hpp"

namespace pubsubsql::storage {

/// How rows are found, in MySQL's words for it.
enum class access_kind : std::uint8_t {
  constant,     ///< const: at most one row, by a unique key
  ref,          ///< the rows with one value
  range,        ///< the rows with one of several values, or between bounds
  index,        ///< every row, in the order of an index
  index_merge,  ///< what several indexes give together
  all           ///< ALL: every row
};

[[nodiscard]] std::string_view name_of(access_kind kind);

struct order_column {
  column_index column = id_column;
  bool descending = false;
};

/// What rows are wanted.
struct access_request {
  /// Conjunctions of which at least one holds for every row that matches; empty: nothing is known.
  std::span<const conjunction> any_of = {};
  /// Whether a predicate has to be asked, of which the conjunctions may not say all.
  bool filtered = false;
  /// The order wanted; empty: table order.
  std::span<const order_column> order = {};
  /// How many of the rows that match are wanted at most, those skipped by an offset included.
  std::optional<std::uint64_t> limit = {};
};

/// The cheapest way to the rows that may match a request. It only leaves out rows that cannot match: the others have to
/// be asked. The answer does not depend on the way: rows come in table order, or in the order wanted when is_ordered(),
/// rows that are equal in it being in table order.
///
/// Costs are counted in rows looked at. Rows in an index range are counted, up to a hundred; beyond, and for what no
/// index is asked about, a tenth of the rows is taken to have a value, a third to be within bounds.
class access_path {
 public:
  /// The request's parts must outlive the path's use, the table be unchanged until then.
  access_path(const table& t, const access_request& request);

  /// Visits the rows. The table must not change meanwhile. Returns whether all were visited.
  bool visit(row_visitor visitor) const;
  /// The rows, appended.
  void find(std::vector<row_number>& out) const;

  /// Whether the rows come in the order wanted; otherwise they have to be sorted, in a stable way, if one is wanted.
  [[nodiscard]] bool is_ordered() const { return ordered_; }
  [[nodiscard]] access_kind kind() const;
  /// The names of the indexes used, with commas between; empty: none.
  [[nodiscard]] std::string key_names() const;
  /// The columns by which the first of them is searched, or gives its order.
  [[nodiscard]] std::span<const column_index> key_columns() const { return parts_.front().columns; }
  /// How many rows will be looked at, about.
  [[nodiscard]] std::uint64_t rows() const;
  /// All of this in a line: range by_price (sector, price), 12 rows
  [[nodiscard]] std::string describe() const;

 private:
  enum class source : std::uint8_t { ids, key, tag, id_range, index, scan };
  /// How the rows of one conjunction are found.
  struct part {
    source from = source::scan;
    access_kind kind = access_kind::all;
    bool ordered = false;
    bool descending = false;
    const column_atom* atom = nullptr;     // ids, key, tag
    std::uint64_t first_id = 0;            // id_range
    std::uint64_t last_id = INT64_MAX;     // id_range
    const ordered_index* index = nullptr;  // index
    index_ranges found = {};               // index
    std::size_t order_columns = 0;         // index: the first ones, by which the rows are ordered
    std::vector<column_index> columns = {};
    double rows = 0;
    double cost = 0;
  };
  /// The order wanted without what cannot make a difference.
  [[nodiscard]] std::vector<order_column> effective_order() const;
  [[nodiscard]] part best_part(std::span<const column_atom> atoms, bool alone) const;
  void add_merge();

  // Candidates for a conjunction
  [[nodiscard]] part scan(std::span<const column_atom> atoms, bool alone) const;
  [[nodiscard]] std::optional<part> equal(const column_atom& atom) const;
  [[nodiscard]] std::optional<part> id_range(const column_atom& atom, bool alone) const;
  [[nodiscard]] part by_index(const ordered_index& index, std::span<const column_atom> atoms, bool alone) const;

  [[nodiscard]] bool orders_by_id() const;
  bool meet_order(part& p) const;
  void add_cost(part& p, double share, bool alone) const;

  bool visit_part(const part& p, row_visitor visitor) const;
  bool visit_index(const part& p, row_visitor visitor) const;
  bool visit_values(const part& p, row_visitor visitor) const;
  [[nodiscard]] bool is_in_table_order(const part& p) const;
  [[nodiscard]] std::string key_name(const part& p) const;

  const table& table_;
  const access_request request_;
  const std::vector<order_column> order_;
  std::vector<part> parts_;
  bool ordered_ = false;
};

}  // namespace pubsubsql::storage
