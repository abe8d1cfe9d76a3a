// What a predicate demands of single columns, for indexes and for matching rows with subscriptions.

#include <algorithm>
#include <iterator>
#include <utility>

#include <absl/container/flat_hash_set.h>

#include "storage/sql/bound_node.hpp"
#include "storage/sql/number_text.hpp"
#include "storage/sql/order_key.hpp"
#include "storage/sql/stored_value.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::sql {

namespace {

constexpr std::size_t conjunctions_max = 16;

using conjunction_list = std::vector<conjunction>;

/// Nothing is known.
conjunction_list anything() {
  return {conjunction{}};
}

conjunction_list of_atom(column_atom atom, bool complete = true) {
  conjunction c;
  c.atoms.push_back(std::move(atom));
  c.complete = complete;
  return {std::move(c)};
}

column_index column_of(const node& n) {
  return n.kind == node_kind::id ? id_column : n.column;
}

/// Whether the order of the column's keys is that of `<`: not where labels are compared as texts, or bytes as digits.
bool compares_as_ordered(const column_type& t) {
  return !t.has_labels() && t.kind != type_kind::other;
}

/// Whether texts compare by their bytes with the column.
bool is_text_like(const column_type& t) {
  return t.is_text() || t.has_labels() || t.kind == type_kind::other || t.kind == type_kind::bytes;
}

/// Whether a comparison of the column with the constant goes by the column's own type, so that an atom says the same.
bool compares_as_column(const node& column, const datum& constant) {
  const column_type& t = column.type;
  if (constant.is_null()) return false;
  if (t.is_untyped()) return constant.is_text() || constant.is_exact();
  if (is_text_like(t)) return constant.is_text();
  if (t.is_floating()) return constant.kind() == datum_kind::floating;
  if (t.is_number()) return constant.is_exact();
  if (t.kind == type_kind::time) return constant.kind() == datum_kind::time;
  return constant.kind() == datum_kind::date || constant.kind() == datum_kind::datetime;
}

/// The text that rows with this value store; nothing when none can have it.
std::optional<std::string> stored_text(const node& column, const datum& constant) {
  std::pmr::monotonic_buffer_resource memory;
  evaluation e(memory, 0);
  if (column.type.is_untyped() || is_text_like(column.type)) return std::string(text_of(e, constant));
  const value stored = canonical_value(e, column.type, constant, {});
  if (e.failure() || !stored) return std::nullopt;
  if (compare(e, comparison::equal, datum_of(e, column.type, stored), constant) != ternary::yes) return std::nullopt;
  return std::string(*stored);
}

std::string bound_text(const datum& constant) {
  std::string out;
  append_text(out, constant);
  return out;
}

conjunction_list equal(const node& column, const datum& constant) {
  column_atom atom{.column = column_of(column), .demands = column_atom::kind::equal};
  // A number equals all the texts that mean it.
  if (column.type.is_untyped() && !constant.is_text()) {
    atom.demands = column_atom::kind::range;
    atom.lower = column_atom::bound{bound_text(constant), true};
    atom.upper = atom.lower;
    return of_atom(std::move(atom));
  }
  std::optional<std::string> text = stored_text(column, constant);
  if (!text) return anything();
  atom.values.push_back(std::move(*text));
  return of_atom(std::move(atom));
}

conjunction_list range(const node& column, comparison op, const datum& constant) {
  if (!compares_as_ordered(column.type)) return anything();
  column_atom atom{.column = column_of(column), .demands = column_atom::kind::range};
  const bool inclusive = op == comparison::less_equal || op == comparison::greater_equal;
  const bool is_upper = op == comparison::less || op == comparison::less_equal;
  (is_upper ? atom.upper : atom.lower) = column_atom::bound{bound_text(constant), inclusive};
  return of_atom(std::move(atom));
}

conjunction_list compared(const node& column, comparison op, const datum& constant) {
  if (op == comparison::null_safe_equal && constant.is_null()) {
    return of_atom({.column = column_of(column), .demands = column_atom::kind::is_null});
  }
  if (op == comparison::not_equal || !compares_as_column(column, constant)) return anything();
  if (op == comparison::equal || op == comparison::null_safe_equal) return equal(column, constant);
  return range(column, op, constant);
}

comparison opposite(comparison op) {
  switch (op) {
    case comparison::equal:
      return comparison::not_equal;
    case comparison::not_equal:
      return comparison::equal;
    case comparison::less:
      return comparison::greater_equal;
    case comparison::less_equal:
      return comparison::greater;
    case comparison::greater:
      return comparison::less_equal;
    case comparison::greater_equal:
      return comparison::less;
    case comparison::null_safe_equal:
      break;
  }
  return op;
}

/// The smaller or larger of two bounds of a range, by the column's order; nothing when it is not certain which.
std::optional<int> compare_bounds(const column_atom::bound& a, const column_atom::bound& b, const column_type& type) {
  if (type.is_untyped() && looks_like_number(a.text) != looks_like_number(b.text)) return std::nullopt;
  std::string x;
  std::string y;
  append_order_key(x, &type, value(a.text));
  append_order_key(y, &type, value(b.text));
  return x.compare(y);
}

/// Both must hold. Returns whether the first then says what both say.
bool merge_bound(std::optional<column_atom::bound>& a, const std::optional<column_atom::bound>& b, bool is_upper,
                 const column_type& type) {
  if (!b) return true;
  if (!a) {
    a = b;
    return true;
  }
  const std::optional<int> order = compare_bounds(*a, *b, type);
  if (!order) return false;
  if (*order == 0) {
    a->inclusive = a->inclusive && b->inclusive;
  } else if ((*order > 0) == is_upper) {
    a = b;
  }
  return true;
}

bool merge_values(std::vector<std::string>& a, const std::vector<std::string>& b) {
  const absl::flat_hash_set<std::string_view, text_hash> others(b.begin(), b.end());
  std::vector<std::string> both;
  std::ranges::copy_if(a, std::back_inserter(both), [&](const std::string& v) { return others.contains(v); });
  if (both.empty()) return false;  // no row matches, which an atom cannot say
  a = std::move(both);
  return true;
}

/// Leaves each value where it came first.
void drop_repeated(std::vector<std::string>& values) {
  absl::flat_hash_set<std::string, text_hash> seen;
  std::erase_if(values, [&](const std::string& v) { return !seen.insert(v).second; });
}

/// The analysis of one predicate.
class analysis {
 public:
  explicit analysis(const node& root) { find_types(root); }

  /// `denied`: what has to hold is the opposite.
  conjunction_list find(const node& n, bool denied) {
    switch (n.kind) {
      case node_kind::logical_not:
        return find(*n.operands[0], !denied);
      case node_kind::logical_and:
        return denied ? any_of(n, denied) : all_of(n, denied);
      case node_kind::logical_or:
        return denied ? all_of(n, denied) : any_of(n, denied);
      case node_kind::compare:
        return of_comparison(n, denied);
      case node_kind::is_null:
        return of_null_test(n, denied);
      case node_kind::is_true:
        return !n.negated && !denied ? find(*n.operands[0], false) : anything();
      case node_kind::between:
        return n.negated == denied ? of_range(n) : anything();
      case node_kind::in_list:
        return n.negated == denied ? of_list(n) : anything();
      case node_kind::in_texts:
        return n.negated == denied ? of_texts(n) : anything();
      case node_kind::like:
        return n.negated == denied ? of_pattern(n) : anything();
      case node_kind::constant:
        if ((sql::truth_of(n.constant) == (denied ? ternary::no : ternary::yes))) return {conjunction{{}, true}};
        return anything();
      default:
        return anything();
    }
  }

 private:
  void find_types(const node& n) {
    if (n.is_column()) types_.emplace_back(column_of(n), &n.type);
    for (const node_pointer& o : n.operands) find_types(*o);
  }
  [[nodiscard]] const column_type& type_of(column_index column) const {
    return *std::ranges::find_if(types_, [&](const auto& entry) { return entry.first == column; })->second;
  }

  static conjunction_list of_comparison(const node& n, bool denied) {
    const node& column = *n.operands[0];
    const node& constant = *n.operands[1];
    if (!column.is_column() || !constant.is_constant()) return anything();
    if (denied && n.op == comparison::null_safe_equal) {
      if (!constant.constant.is_null()) return anything();
      return of_atom({.column = column_of(column), .demands = column_atom::kind::is_not_null});
    }
    return compared(column, denied ? opposite(n.op) : n.op, constant.constant);
  }

  static conjunction_list of_null_test(const node& n, bool denied) {
    if (!n.operands[0]->is_column()) return anything();
    const auto kind = n.negated == denied ? column_atom::kind::is_null : column_atom::kind::is_not_null;
    return of_atom({.column = column_of(*n.operands[0]), .demands = kind});
  }

  conjunction_list of_range(const node& n) {
    const node& column = *n.operands[0];
    if (!column.is_column() || !n.operands[1]->is_constant() || !n.operands[2]->is_constant()) return anything();
    conjunction_list low = compared(column, comparison::greater_equal, n.operands[1]->constant);
    return product(std::move(low), compared(column, comparison::less_equal, n.operands[2]->constant));
  }

  static conjunction_list of_list(const node& n) {
    const node& column = *n.operands[0];
    if (!column.is_column()) return anything();
    column_atom atom{.column = column_of(column), .demands = column_atom::kind::equal};
    absl::flat_hash_set<std::string, text_hash> seen;
    for (std::size_t i = 1; i < n.operands.size(); ++i) {
      const node& item = *n.operands[i];
      if (!item.is_constant()) return anything();
      if (item.constant.is_null()) continue;
      if (!compares_as_column(column, item.constant)) return anything();
      const conjunction_list one = equal(column, item.constant);
      if (one.front().atoms.empty()) continue;  // no row has the value
      if (one.front().atoms.front().demands != column_atom::kind::equal) return anything();
      const std::string& text = one.front().atoms.front().values.front();
      if (seen.insert(text).second) atom.values.push_back(text);
    }
    return atom.values.empty() ? anything() : of_atom(std::move(atom));
  }

  static conjunction_list of_texts(const node& n) {
    const node& column = *n.operands[0];
    if (n.texts.empty()) return anything();
    column_atom atom{.column = column_of(column), .demands = column_atom::kind::equal};
    atom.values.assign(n.texts.begin(), n.texts.end());
    std::ranges::sort(atom.values);
    return of_atom(std::move(atom));
  }

  /// Texts that begin in one way are a range of texts, as far as texts compare by their bytes.
  static conjunction_list of_pattern(const node& n) {
    const node& column = *n.operands[0];
    const node& pattern = *n.operands[1];
    if (column.kind != node_kind::column || !pattern.is_constant() || !pattern.constant.is_text()) return anything();
    const bool untyped = column.type.is_untyped();
    if (!untyped && !column.type.is_text()) return anything();
    like_prefix prefix = prefix_of_pattern(pattern.constant.text(), n.text);
    column_atom atom{.column = column.column, .demands = column_atom::kind::equal};
    if (prefix.whole) {
      atom.values.push_back(std::move(prefix.text));
      return of_atom(std::move(atom));
    }
    if (prefix.text.empty()) {
      atom.demands = column_atom::kind::is_not_null;
      return of_atom(std::move(atom), prefix.rest_is_any);
    }
    std::string behind = prefix.text;
    behind.back() = static_cast<char>(behind.back() + 1);
    // A number would be compared with numbers as a number.
    if (untyped && (looks_like_number(prefix.text) || looks_like_number(behind))) return anything();
    atom.demands = column_atom::kind::range;
    atom.lower = column_atom::bound{std::move(prefix.text), true};
    atom.upper = column_atom::bound{std::move(behind), false};
    return of_atom(std::move(atom), prefix.rest_is_any);
  }

  void add(conjunction& c, const column_atom& atom) {
    const auto same = std::ranges::find_if(
        c.atoms, [&](const column_atom& a) { return a.column == atom.column && a.demands == atom.demands; });
    if (same == c.atoms.end()) {
      c.atoms.push_back(atom);
      return;
    }
    const column_type& type = type_of(atom.column);
    bool merged = true;
    if (atom.demands == column_atom::kind::equal) merged = merge_values(same->values, atom.values);
    if (atom.demands == column_atom::kind::range) {
      const bool lower = merge_bound(same->lower, atom.lower, false, type);
      const bool upper = merge_bound(same->upper, atom.upper, true, type);
      merged = lower && upper;
    }
    c.complete = c.complete && merged;
  }

  conjunction_list product(conjunction_list a, const conjunction_list& b) {
    if (a.size() * b.size() > conjunctions_max) {
      // One side is enough to find the rows.
      for (conjunction& c : a) c.complete = false;
      return a;
    }
    conjunction_list out;
    for (const conjunction& x : a) {
      for (const conjunction& y : b) {
        conjunction both = x;
        both.complete = x.complete && y.complete;
        for (const column_atom& atom : y.atoms) add(both, atom);
        out.push_back(std::move(both));
      }
    }
    return out;
  }

  conjunction_list all_of(const node& n, bool denied) {
    conjunction_list out = {conjunction{{}, true}};
    for (const node_pointer& operand : n.operands) out = product(std::move(out), find(*operand, denied));
    return out;
  }

  conjunction_list any_of(const node& n, bool denied) {
    conjunction_list out;
    for (const node_pointer& operand : n.operands) {
      for (conjunction& c : find(*operand, denied)) {
        if (c.atoms.empty() || out.size() == conjunctions_max) return anything();
        if (!joined(out, c)) out.push_back(std::move(c));
      }
    }
    for (conjunction& c : out) {
      if (is_equality(c)) drop_repeated(c.atoms.front().values);
    }
    return out;
  }

  static bool is_equality(const conjunction& c) {
    return c.complete && c.atoms.size() == 1 && c.atoms.front().demands == column_atom::kind::equal;
  }

  /// `a = 1 or a = 2` is `a in (1, 2)`. The values may then be there more than once.
  static bool joined(conjunction_list& list, conjunction& c) {
    if (!is_equality(c)) return false;
    for (conjunction& other : list) {
      if (!is_equality(other) || other.atoms.front().column != c.atoms.front().column) continue;
      std::ranges::move(c.atoms.front().values, std::back_inserter(other.atoms.front().values));
      return true;
    }
    return false;
  }

  std::vector<std::pair<column_index, const column_type*>> types_;
};

}  // namespace

std::vector<conjunction> conjunctions_of(const node& root) {
  conjunction_list out = analysis(root).find(root, false);
  const auto knows_nothing = [](const conjunction& c) { return c.atoms.empty(); };
  if (std::ranges::any_of(out, knows_nothing)) out.clear();
  return out;
}

}  // namespace pubsubsql::storage::sql
