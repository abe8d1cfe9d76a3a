#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "parser/utf8.hpp"
#include "storage/sql/function_lists.hpp"
#include "storage/sql/letter_case.hpp"

namespace pubsubsql::storage::sql {

namespace {

/// What a function may make at most, as MySQL's packets limit it.
constexpr std::size_t result_bytes_max = 64U << 20;

std::int64_t character_count(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !parser::is_utf8_continuation(c); });
}

/// The byte where the character of that number, from 0, starts; the end when there are fewer.
std::size_t byte_of_character(std::string_view text, std::int64_t character) {
  if (character >= static_cast<std::int64_t>(text.size())) return text.size();
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!parser::is_utf8_continuation(text[at]) && character-- == 0) break;
  }
  return at;
}

std::string_view characters(std::string_view text, std::int64_t first, std::int64_t count) {
  const std::size_t start = byte_of_character(text, first);
  const std::string_view rest = text.substr(start);
  return rest.substr(0, byte_of_character(rest, count));
}

datum call_lower(evaluation& e, arguments a) {
  return a[0].is_null() ? datum{} : datum::text(to_lower_case(e, text_of(e, a[0])));
}

datum call_upper(evaluation& e, arguments a) {
  return a[0].is_null() ? datum{} : datum::text(to_upper_case(e, text_of(e, a[0])));
}

datum call_length(evaluation& e, arguments a) {
  return a[0].is_null() ? datum{} : datum::integer(static_cast<std::int64_t>(text_of(e, a[0]).size()));
}

datum call_char_length(evaluation& e, arguments a) {
  return a[0].is_null() ? datum{} : datum::integer(character_count(text_of(e, a[0])));
}

datum too_large(evaluation& e) {
  return e.fail({1301, "HY000", "Result of a function was larger than " + std::to_string(result_bytes_max) + " bytes"});
}

datum finished(evaluation& e, const std::string& text) {
  return text.size() > result_bytes_max ? too_large(e) : datum::text(e.keep(text));
}

datum call_concat(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  std::string out;
  for (const datum& d : a) {
    append_text(out, d);
    if (out.size() > result_bytes_max) return too_large(e);
  }
  return finished(e, out);
}

datum call_concat_ws(evaluation& e, arguments a) {
  if (a[0].is_null()) return {};
  const std::string_view separator = text_of(e, a[0]);
  std::string out;
  bool first = true;
  for (const datum& d : a.subspan(1)) {
    if (d.is_null()) continue;
    if (!first) out += separator;
    first = false;
    append_text(out, d);
    if (out.size() > result_bytes_max) return too_large(e);
  }
  return finished(e, out);
}

datum call_substring(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  const std::string_view text = text_of(e, a[0]);
  std::int64_t first = integer_of(a[1]);
  const std::int64_t count = a.size() > 2 ? integer_of(a[2]) : static_cast<std::int64_t>(text.size());
  if (first < 0) first += character_count(text) + 1;
  if (first < 1 || count < 1) return datum::text("");
  return datum::text(characters(text, first - 1, count));
}

datum call_left(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  return datum::text(characters(text_of(e, a[0]), 0, std::max<std::int64_t>(integer_of(a[1]), 0)));
}

datum call_right(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  const std::string_view text = text_of(e, a[0]);
  const std::int64_t count = std::max<std::int64_t>(integer_of(a[1]), 0);
  return datum::text(text.substr(byte_of_character(text, std::max<std::int64_t>(character_count(text) - count, 0))));
}

template <bool Left, bool Right>
datum call_trim(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  std::string_view text = text_of(e, a[0]);
  while (Left && text.starts_with(' ')) text.remove_prefix(1);
  while (Right && text.ends_with(' ')) text.remove_suffix(1);
  return datum::text(text);
}

/// As std::string_view::find, which takes the product of both lengths where texts repeat themselves; this takes the
/// sum.
std::size_t find_text(std::string_view text, std::string_view part, std::size_t from = 0) {
  const void* const found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

datum call_replace(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  const std::string_view text = text_of(e, a[0]);
  const std::string_view from = text_of(e, a[1]);
  const std::string_view to = text_of(e, a[2]);
  if (from.empty()) return datum::text(text);
  std::string out;
  std::size_t at = 0;
  for (std::size_t found = find_text(text, from); found != std::string_view::npos; found = find_text(text, from, at)) {
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
    if (out.size() > result_bytes_max) return too_large(e);
  }
  return finished(e, out.append(text.substr(at)));
}

datum call_locate(evaluation& e, arguments a) {
  if (any_null(a)) return {};
  const std::string_view text = text_of(e, a[1]);
  const std::size_t found = find_text(text, text_of(e, a[0]));
  return datum::integer(found == std::string_view::npos ? 0 : character_count(text.substr(0, found)) + 1);
}

datum call_instr(evaluation& e, arguments a) {
  const std::array<datum, 2> exchanged = {a[1], a[0]};
  return call_locate(e, exchanged);
}

constexpr std::array<function, 21> of_texts = {{
    {"lower", 1, 1, result_kind::text, false, call_lower},
    {"lcase", 1, 1, result_kind::text, false, call_lower},
    {"upper", 1, 1, result_kind::text, false, call_upper},
    {"ucase", 1, 1, result_kind::text, false, call_upper},
    {"length", 1, 1, result_kind::integer, false, call_length},
    {"octet_length", 1, 1, result_kind::integer, false, call_length},
    {"char_length", 1, 1, result_kind::integer, false, call_char_length},
    {"character_length", 1, 1, result_kind::integer, false, call_char_length},
    {"concat", 1, function::any_number, result_kind::text, false, call_concat},
    {"concat_ws", 2, function::any_number, result_kind::text, false, call_concat_ws},
    {"substr", 2, 3, result_kind::text, false, call_substring},
    {"substring", 2, 3, result_kind::text, false, call_substring},
    {"mid", 3, 3, result_kind::text, false, call_substring},
    {"left", 2, 2, result_kind::text, false, call_left},
    {"right", 2, 2, result_kind::text, false, call_right},
    {"trim", 1, 1, result_kind::text, false, call_trim<true, true>},
    {"ltrim", 1, 1, result_kind::text, false, call_trim<true, false>},
    {"rtrim", 1, 1, result_kind::text, false, call_trim<false, true>},
    {"replace", 3, 3, result_kind::text, false, call_replace},
    {"locate", 2, 2, result_kind::integer, false, call_locate},
    {"instr", 2, 2, result_kind::integer, false, call_instr},
}};

}  // namespace

std::span<const function> text_functions() {
  return of_texts;
}

}  // namespace pubsubsql::storage::sql
