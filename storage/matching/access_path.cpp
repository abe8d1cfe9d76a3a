#include "storage/matching/access_path.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace pubsubsql::storage::matching {

namespace {

/// Of one conjunction with several lists of values.
constexpr std::size_t paths_max = 1024;
/// Longer bounds are left to the predicate.
constexpr std::size_t bound_bytes_max = 4096;

bool can_be_indexed(const column_atom& a) {
  const auto short_enough = [](const std::optional<column_atom::bound>& b) {
    return !b || b->text.size() <= bound_bytes_max;
  };
  return short_enough(a.lower) && short_enough(a.upper);
}

/// The range that leaves the least, as far as one can tell without looking at rows.
const column_atom* best_range(const conjunction& c) {
  const column_atom* best = nullptr;
  for (const column_atom& a : c.atoms) {
    if (a.demands != column_atom::kind::range || !can_be_indexed(a)) continue;
    if (best == nullptr || (!(best->lower && best->upper) && a.lower && a.upper)) best = &a;
  }
  return best;
}

/// The atoms whose values rows are looked up by: those with the fewest values first, as many as there is room for.
std::vector<const column_atom*> equalities_of(const conjunction& c) {
  std::vector<const column_atom*> atoms;
  for (const column_atom& a : c.atoms) {
    if (a.demands == column_atom::kind::equal || a.demands == column_atom::kind::is_null) atoms.push_back(&a);
  }
  std::ranges::stable_sort(atoms, {}, [](const column_atom* a) { return a->values.size(); });
  std::size_t paths = 1;
  std::size_t taken = 0;
  for (; taken < atoms.size(); ++taken) {
    paths *= std::max<std::size_t>(atoms[taken]->values.size(), 1);
    if (taken > 0 && paths > paths_max) break;
  }
  atoms.resize(taken);
  std::ranges::sort(atoms, {}, &column_atom::column);
  return atoms;
}

bool is_met(const conjunction& c, const column_atom& a, std::span<const column_atom* const> equalities,
            const column_atom* range) {
  if (&a == range || std::ranges::find(equalities, &a) != equalities.end()) return true;
  if (a.demands != column_atom::kind::is_not_null) return false;
  // What is equal to something, or in a range, is not NULL.
  return std::ranges::any_of(c.atoms, [&](const column_atom& other) {
    return other.column == a.column &&
           (other.demands == column_atom::kind::equal || other.demands == column_atom::kind::range) && &other != &a;
  });
}

/// Appends a path for each combination of the atoms' values.
void append_paths(std::span<const column_atom* const> rest, access_path& path, std::vector<access_path>& out) {
  if (rest.empty()) {
    out.push_back(path);
    return;
  }
  const column_atom& first = *rest.front();
  const auto go_on_with = [&](std::optional<std::string> text) {
    path.equalities.push_back({.column = first.column, .text = std::move(text)});
    append_paths(rest.subspan(1), path, out);
    path.equalities.pop_back();
  };
  if (first.demands == column_atom::kind::is_null) return go_on_with(std::nullopt);
  for (const std::string& text : first.values) go_on_with(text);
}

}  // namespace

std::vector<access_path> access_paths_of(std::span<const conjunction> predicate) {
  std::vector<access_path> paths;
  for (unsigned i = 0; i < predicate.size(); ++i) {
    const conjunction& c = predicate[i];
    const std::vector<const column_atom*> equalities = equalities_of(c);
    const column_atom* range = best_range(c);
    if (equalities.empty() && range == nullptr) {
      paths.clear();
      break;
    }
    access_path path;
    path.conjunction = i;
    if (range != nullptr) path.range = *range;
    path.ask = !c.complete ||
               !std::ranges::all_of(c.atoms, [&](const column_atom& a) { return is_met(c, a, equalities, range); });
    append_paths(equalities, path, paths);
  }
  if (paths.empty()) paths.push_back({.equalities = {}, .range = {}, .conjunction = 0, .ask = true});
  return paths;
}

}  // namespace pubsubsql::storage::matching
