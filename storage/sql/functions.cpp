#include "storage/sql/functions.hpp"

#include <algorithm>
#include <array>

#include "storage/sql/comparison.hpp"
#include "storage/sql/function_lists.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::storage::sql {

namespace {

datum call_if(evaluation&, arguments a) {
  return truth_of(a[0]) == ternary::yes ? a[1] : a[2];
}

datum call_coalesce(evaluation&, arguments a) {
  const auto found = std::find_if(a.begin(), a.end(), [](const datum& d) { return !d.is_null(); });
  return found == a.end() ? datum{} : *found;
}

datum call_nullif(evaluation& e, arguments a) {
  if (e.is_strict()) refuse_truncation(e, a[0], a[1]);
  return compare(e, comparison::equal, a[0], a[1]) == ternary::yes ? datum{} : a[0];
}

datum call_isnull(evaluation&, arguments a) {
  return datum::boolean(a[0].is_null());
}

/// The binder puts the user's name in the place of current_user(), where there are users.
datum call_nobody(evaluation&, arguments) {
  return {};
}

template <comparison Better>
datum call_extreme(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  datum best = a[0];
  for (const datum& d : a.subspan(1)) {
    if (compare(e, Better, d, best) == ternary::yes) best = d;
  }
  return best;
}

constexpr std::uint8_t any = function::any_number;

constexpr std::array<function, 8> general = {{
    {"if", 3, 3, result_kind::as_arguments, false, call_if},
    {"ifnull", 2, 2, result_kind::as_arguments, false, call_coalesce},
    {"coalesce", 1, any, result_kind::as_arguments, false, call_coalesce},
    {"nullif", 2, 2, result_kind::as_arguments, false, call_nullif},
    {"isnull", 1, 1, result_kind::integer, false, call_isnull},
    {"greatest", 2, any, result_kind::as_arguments, false, call_extreme<comparison::greater>},
    {"current_user", 0, 0, result_kind::text, false, call_nobody},
    {"least", 2, any, result_kind::as_arguments, false, call_extreme<comparison::less>},
}};

using function_map = text_view_map<const function*>;

function_map all_functions() {
  function_map out;
  for (const auto& part : {control_functions(), number_functions(), text_functions(), time_functions()}) {
    for (const function& f : part) out.emplace(f.name, &f);
  }
  return out;
}

}  // namespace

std::span<const function> control_functions() {
  return general;
}

const function* find_function(std::string_view name) {
  static const function_map map = all_functions();
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto it = map.find(key);
  return it == map.end() ? nullptr : it->second;
}

}  // namespace pubsubsql::storage::sql
