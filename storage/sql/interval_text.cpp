#include "storage/sql/interval_text.hpp"

#include <algorithm>

#include "storage/sql/arithmetic.hpp"
#include "storage/sql/calendar.hpp"
#include "storage/sql/number_text.hpp"
#include "storage/sql/stored_value.hpp"

namespace pubsubsql::storage::sql {

std::optional<datum> parse_interval(evaluation& e, std::string_view text) {
  if (const auto time = parse_time(text); time && text.find(':') != std::string_view::npos) {
    return datum::interval(0, time->microseconds, time->fraction_digits, true);
  }
  datum sum;
  while (!text.empty()) {
    const std::size_t bytes = number_prefix_bytes(text);
    if (bytes == 0) return std::nullopt;
    std::string_view amount = text.substr(0, bytes);
    while (amount.starts_with(' ')) amount.remove_prefix(1);
    text.remove_prefix(bytes);
    while (text.starts_with(' ')) text.remove_prefix(1);
    std::string_view word = text.substr(0, std::min(text.find(' '), text.size()));
    text.remove_prefix(word.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    auto unit = find_interval_unit(word);
    if (!unit && (word.ends_with('s') || word.ends_with('S'))) {
      word.remove_suffix(1);
      unit = find_interval_unit(word);
    }
    if (!unit || !looks_like_number(amount)) return std::nullopt;
    const datum part = make_interval(e, number_literal(e, amount), *unit);
    sum = sum.is_null() ? part : add(e, sum, part);
    if (sum.is_null()) return std::nullopt;
  }
  return sum.is_null() ? std::nullopt : std::optional(sum);
}

}  // namespace pubsubsql::storage::sql
