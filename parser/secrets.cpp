#include "parser/secrets.hpp"

#include <algorithm>

#include "parser/keywords.hpp"

namespace pubsubsql::parser {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Takes away white space, comments, and what ends the statement before.
void skip_blanks(std::string_view& text) {
  constexpr std::string_view blanks = " \t\r\n\f\v;";
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const std::string_view end = text.starts_with("--") ? "\n" : text.starts_with("/*") ? "*/" : "";
    if (end.empty()) return;
    const std::size_t at = text.find(end, 2);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  }
}

std::string_view take_word(std::string_view& text) {
  skip_blanks(text);
  const auto end = std::ranges::find_if_not(text, is_letter);
  const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

bool begins_with_secret(std::string_view sql) {
  std::string_view first = take_word(sql);
  if (equals_keyword(first, "stream")) first = take_word(sql);
  if (equals_keyword(first, "auth")) return true;
  if (equals_keyword(first, "mysql")) return equals_keyword(take_word(sql), "connect");
  if (!equals_keyword(first, "create") && !equals_keyword(first, "alter")) return false;
  return equals_keyword(take_word(sql), "user");
}

/// The statement in the quotes of `execute immediate '...'` or `prepare p from '...'`; nothing: there is none.
std::string_view inner_of(std::string_view sql) {
  std::string_view first = take_word(sql);
  if (equals_keyword(first, "stream")) first = take_word(sql);
  const bool is_executed = equals_keyword(first, "execute") && equals_keyword(take_word(sql), "immediate");
  if (!is_executed && !equals_keyword(first, "prepare")) return {};
  for (skip_blanks(sql); !sql.empty() && !sql.starts_with('\''); skip_blanks(sql)) {
    const std::size_t name_end = sql.starts_with('`') ? sql.find('`', 1) : 0;
    sql.remove_prefix(name_end == std::string_view::npos ? sql.size() : name_end + 1);
  }
  return sql.substr(std::min<std::size_t>(sql.size(), 1));
}

}  // namespace

bool holds_secret(std::string_view sql) {
  return begins_with_secret(sql) || begins_with_secret(inner_of(sql));
}

}  // namespace pubsubsql::parser
