#include "parser/keywords.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace pubsubsql::parser {

namespace {

constexpr auto words = std::to_array<std::string_view>({"ack",
                                                        "add",
                                                        "admin",
                                                        "all",
                                                        "alter",
                                                        "and",
                                                        "as",
                                                        "asc",
                                                        "attempts",
                                                        "auth",
                                                        "auto_increment",
                                                        "back",
                                                        "begin",
                                                        "between",
                                                        "bind",
                                                        "bindings",
                                                        "by",
                                                        "check",
                                                        "close",
                                                        "collate",
                                                        "column",
                                                        "commit",
                                                        "committed",
                                                        "conflate",
                                                        "connect",
                                                        "create",
                                                        "current_date",
                                                        "current_time",
                                                        "current_timestamp",
                                                        "current_user",
                                                        "dead",
                                                        "deallocate",
                                                        "default",
                                                        "delay",
                                                        "delete",
                                                        "desc",
                                                        "describe",
                                                        "disconnect",
                                                        "distinct",
                                                        "div",
                                                        "drop",
                                                        "duplicate",
                                                        "durable",
                                                        "escape",
                                                        "execute",
                                                        "exists",
                                                        "explain",
                                                        "false",
                                                        "for",
                                                        "from",
                                                        "front",
                                                        "grant",
                                                        "grants",
                                                        "group",
                                                        "having",
                                                        "history",
                                                        "identified",
                                                        "if",
                                                        "ignore",
                                                        "immediate",
                                                        "in",
                                                        "index",
                                                        "insert",
                                                        "interval",
                                                        "into",
                                                        "is",
                                                        "key",
                                                        "lease",
                                                        "letter",
                                                        "like",
                                                        "limit",
                                                        "limits",
                                                        "localtime",
                                                        "localtimestamp",
                                                        "max",
                                                        "memory",
                                                        "mod",
                                                        "mysql",
                                                        "nack",
                                                        "not",
                                                        "null",
                                                        "off",
                                                        "offset",
                                                        "on",
                                                        "or",
                                                        "order",
                                                        "password",
                                                        "peek",
                                                        "pop",
                                                        "prepare",
                                                        "primary",
                                                        "priority",
                                                        "publish",
                                                        "pubsubid",
                                                        "push",
                                                        "queue",
                                                        "queues",
                                                        "renew",
                                                        "repair",
                                                        "replace",
                                                        "returning",
                                                        "revoke",
                                                        "rollback",
                                                        "select",
                                                        "seq",
                                                        "set",
                                                        "share",
                                                        "show",
                                                        "since",
                                                        "skip",
                                                        "slow",
                                                        "start",
                                                        "status",
                                                        "stop",
                                                        "stream",
                                                        "subscribe",
                                                        "subscription",
                                                        "subscriptions",
                                                        "table",
                                                        "tables",
                                                        "tag",
                                                        "to",
                                                        "transaction",
                                                        "true",
                                                        "truncate",
                                                        "unbind",
                                                        "unique",
                                                        "unsubscribe",
                                                        "update",
                                                        "user",
                                                        "users",
                                                        "using",
                                                        "utc_date",
                                                        "utc_time",
                                                        "utc_timestamp",
                                                        "values",
                                                        "wait",
                                                        "where",
                                                        "with",
                                                        "work",
                                                        "xor"});

/// Sorted, for binary search.
constexpr auto functions = std::to_array<std::string_view>({"abs",
                                                            "adddate",
                                                            "avg",
                                                            "ceil",
                                                            "ceiling",
                                                            "char_length",
                                                            "character_length",
                                                            "coalesce",
                                                            "concat",
                                                            "concat_ws",
                                                            "count",
                                                            "curdate",
                                                            "current_date",
                                                            "current_time",
                                                            "current_timestamp",
                                                            "current_user",
                                                            "curtime",
                                                            "date",
                                                            "date_add",
                                                            "date_sub",
                                                            "datediff",
                                                            "day",
                                                            "dayofmonth",
                                                            "dayofweek",
                                                            "dayofyear",
                                                            "floor",
                                                            "from_unixtime",
                                                            "greatest",
                                                            "hour",
                                                            "if",
                                                            "ifnull",
                                                            "instr",
                                                            "isnull",
                                                            "last_day",
                                                            "lcase",
                                                            "least",
                                                            "left",
                                                            "length",
                                                            "localtime",
                                                            "localtimestamp",
                                                            "locate",
                                                            "lower",
                                                            "ltrim",
                                                            "max",
                                                            "microsecond",
                                                            "mid",
                                                            "min",
                                                            "minute",
                                                            "mod",
                                                            "month",
                                                            "now",
                                                            "nullif",
                                                            "octet_length",
                                                            "pow",
                                                            "power",
                                                            "quarter",
                                                            "replace",
                                                            "right",
                                                            "round",
                                                            "rtrim",
                                                            "second",
                                                            "sign",
                                                            "sqrt",
                                                            "subdate",
                                                            "substr",
                                                            "substring",
                                                            "sum",
                                                            "sysdate",
                                                            "time",
                                                            "timestampdiff",
                                                            "trim",
                                                            "truncate",
                                                            "ucase",
                                                            "unix_timestamp",
                                                            "upper",
                                                            "utc_date",
                                                            "utc_time",
                                                            "utc_timestamp",
                                                            "values",
                                                            "weekday",
                                                            "year"});

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::ranges::any_of(list, [&](std::string_view one) { return equals_keyword(word, one); });
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

bool is_function(std::string_view word) {
  std::array<char, 24> buffer{};
  if (word.empty() || word.size() > buffer.size()) return false;
  std::ranges::transform(word, buffer.begin(), lower);
  return std::ranges::binary_search(functions, std::string_view(buffer.data(), word.size()));
}

bool is_function_without_parentheses(std::string_view word) {
  return is_one_of(word, {"current_timestamp", "current_date", "current_time", "localtime", "localtimestamp",
                          "utc_timestamp", "utc_date", "utc_time", "current_user"});
}

bool is_aggregate(std::string_view word) {
  return is_one_of(word, {"count", "sum", "min", "max", "avg"});
}

bool is_interval_unit(std::string_view word) {
  return is_one_of(word, {"microsecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"});
}

}  // namespace pubsubsql::parser
