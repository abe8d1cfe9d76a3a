#include "parser/keywords.hpp"

#include <array>

namespace pubsubsql::parser {

namespace {

constexpr auto words = std::to_array<std::string_view>(
    {"ack",       "alter",    "back",       "check", "close",       "committed", "connect", "delete",
     "desc",      "describe", "disconnect", "from",  "front",       "insert",    "into",    "key",
     "memory",    "mysql",    "null",       "peek",  "pop",         "pubsubid",  "push",    "repair",
     "returning", "select",   "set",        "show",  "skip",        "status",    "stop",    "stream",
     "subscribe", "table",    "tables",     "tag",   "unsubscribe", "update",    "values",  "where"});

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::span<const std::string_view> keywords() {
  return words;
}

bool equals_keyword(std::string_view word, std::string_view keyword) {
  if (word.size() != keyword.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (lower(word[i]) != keyword[i]) return false;
  }
  return true;
}

bool is_keyword(std::string_view word) {
  for (const std::string_view keyword : words) {
    if (equals_keyword(word, keyword)) return true;
  }
  return false;
}

}  // namespace pubsubsql::parser
