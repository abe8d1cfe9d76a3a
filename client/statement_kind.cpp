#include "client/statement_kind.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace pubsubsql {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The text behind leading white space and comments.
std::string_view trimmed(std::string_view sql) {
  for (;;) {
    while (!sql.empty() && is_space(sql.front())) sql.remove_prefix(1);
    std::string_view end_mark;
    if (sql.starts_with("--")) {
      end_mark = "\n";
    } else if (sql.starts_with("/*")) {
      end_mark = "*/";
    } else {
      return sql;
    }
    const std::size_t end = sql.find(end_mark, 2);
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + end_mark.size());
  }
}

bool equal_ignoring_case(std::string_view word, std::string_view lower) {
  return std::equal(word.begin(), word.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a | 0x20) == b; });
}

std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
  const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

statement_kind kind_of(std::string_view sql) {
  static constexpr auto kinds = std::to_array<std::pair<std::string_view, statement_kind>>({
      {"subscribe", statement_kind::subscribe},
      {"unsubscribe", statement_kind::unsubscribe},
      {"stream", statement_kind::streamed},
      {"close", statement_kind::ending},
      {"stop", statement_kind::ending},
  });
  std::string_view word = take_word(sql);
  if (equal_ignoring_case(word, "execute") && equal_ignoring_case(take_word(sql), "immediate")) {
    sql = trimmed(sql);
    if (sql.starts_with('\'')) sql.remove_prefix(1);
    word = take_word(sql);
  }
  for (const auto& [name, kind] : kinds) {
    if (equal_ignoring_case(word, name)) return kind;
  }
  return statement_kind::ordinary;
}

}  // namespace pubsubsql
