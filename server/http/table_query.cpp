#include "server/http/table_query.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <deque>

#include "parser/condition.hpp"
#include "parser/keywords.hpp"
#include "parser/print.hpp"
#include "parser/utf8.hpp"
#include "server/http/comma_list.hpp"

namespace pubsubsql::server::http {

namespace {

using problem = std::optional<query_problem>;

/// Whether there is a blank and then the word, in letters of any case.
bool ends_with_word(std::string_view text, std::string_view word) {
  if (text.size() <= word.size() || text[text.size() - word.size() - 1] != ' ') return false;
  return parser::equals_keyword(text.substr(text.size() - word.size()), word);
}

/// Makes the statement's tree. Everything it points to outlives it.
class select_maker {
 public:
  problem columns(std::string_view list) {
    select_.columns.all = false;
    do {
      const std::string_view name = take_part(list);
      if (name.empty()) return query_problem{"columns is to be names, separated by commas", std::nullopt};
      select_.columns.names.push_back(name);
    } while (!list.empty());
    return std::nullopt;
  }

  problem where(std::string_view text) {
    const auto read = parser::parse_condition(text, arena_);
    if (!read) return query_problem{parser::message(read.error()), read.error().offset};
    select_.where = *read;
    return std::nullopt;
  }

  problem order(std::string_view list) {
    do {
      std::string_view name = take_part(list);
      const bool descending = ends_with_word(name, "desc");
      if (descending || ends_with_word(name, "asc")) name = trimmed(name.substr(0, name.rfind(' ')));
      if (name.empty()) {
        return query_problem{"order is to be names, separated by commas, each with desc or asc behind it if need be",
                             std::nullopt};
      }
      parser::expression& column = expressions_.emplace_back();
      column = {.op = parser::operation::column, .text = name, .source = name};
      select_.order_by.push_back({.value = &column, .descending = descending});
    } while (!list.empty());
    return std::nullopt;
  }

  problem limit(const std::string* count, const std::string* offset) {
    if (count == nullptr && offset == nullptr) return std::nullopt;
    parser::row_limit& out = select_.limit.emplace();
    out.count = INT64_MAX;
    const bool are_numbers =
        (count == nullptr || read(*count, out.count)) && (offset == nullptr || read(*offset, out.offset));
    if (are_numbers) return std::nullopt;
    return query_problem{"limit and offset are to be numbers from 0 on", std::nullopt};
  }

  std::string print(std::string_view table) {
    select_.table = table;
    parser::statement s;
    s.body = std::move(select_);
    return parser::print(s);
  }

 private:
  static bool read(std::string_view digits, std::uint64_t& out) {
    const char* const end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, out);
    return failure == std::errc() && stop == end && out <= INT64_MAX;
  }

  parser::statement_arena arena_;
  std::deque<parser::expression> expressions_;
  parser::select_statement select_{
      .columns = {.all = true, .names = parser::name_list(arena_.resource())}, .table = {}, .where = {}};
};

problem text_problem(std::string_view table, const parameters& p) {
  const auto is_bad = [](std::string_view text) { return parser::find_invalid_utf8(text) != std::string_view::npos; };
  if (is_bad(table) || std::ranges::any_of(p, [&](const auto& named) { return is_bad(named.second); })) {
    return query_problem{"the request's target is not UTF-8", std::nullopt};
  }
  if (table.empty()) return query_problem{"name a table: /tables/NAME", std::nullopt};
  return std::nullopt;
}

}  // namespace

result<parameters, std::string> parse_table_query(std::string_view query) {
  return parse_query(query, {"where", "columns", "order", "limit", "offset"});
}

result<std::string, query_problem> select_of(std::string_view table, const parameters& p) {
  if (auto wrong = text_problem(table, p)) return std::move(*wrong);
  select_maker maker;
  problem wrong;
  if (const std::string* const list = find(p, "columns")) wrong = maker.columns(*list);
  if (const std::string* const text = find(p, "where"); text != nullptr && !wrong) wrong = maker.where(*text);
  if (const std::string* const list = find(p, "order"); list != nullptr && !wrong) wrong = maker.order(*list);
  if (!wrong) wrong = maker.limit(find(p, "limit"), find(p, "offset"));
  if (wrong) return std::move(*wrong);
  return maker.print(table);
}

}  // namespace pubsubsql::server::http
