// Statements about queues: tables whose rows are leased to one connection at a time.

#include <array>
#include <charconv>

#include "parser/keywords.hpp"
#include "parser/statement_parser.hpp"

namespace pubsubsql::parser {

namespace {

struct time_unit {
  std::string_view one;
  std::string_view many;
  duration_us length;
};
constexpr std::array units = {time_unit{"second", "seconds", 1'000'000},
                              time_unit{"millisecond", "milliseconds", 1'000},
                              time_unit{"minute", "minutes", duration_us{60} * 1'000'000},
                              time_unit{"hour", "hours", duration_us{3'600} * 1'000'000},
                              time_unit{"day", "days", duration_us{86'400} * 1'000'000}};

}  // namespace

// Times

bool statement_parser::duration(duration_us& out) {
  const std::size_t start = scanner_.offset();
  std::uint64_t number = 0;
  if (!row_count(number)) return rename_failure(start, "a time such as `30 seconds`");
  for (const time_unit& unit : units) {
    if (!scanner_.accept_keyword(unit.many) && !scanner_.accept_keyword(unit.one)) continue;
    if (number <= duration_us_max / unit.length) {
      out = number * unit.length;
      return true;
    }
    scanner_.rewind(start);
    return fail("a time of at most 3650 days");
  }
  return fail("`milliseconds`, `seconds`, `minutes`, `hours` or `days`");
}

bool statement_parser::lease_time(std::optional<duration_us>& out) {
  const std::size_t start = scanner_.offset();
  if (!duration(out.emplace())) return false;
  if (*out > 0) return true;
  scanner_.rewind(start);
  return fail("a time that is longer than 0");
}

bool statement_parser::optional_duration(std::string_view word, std::optional<duration_us>& out) {
  return !scanner_.accept_keyword(word) || duration(out.emplace());
}

// Rows by their ids

/// As a number, or as replies show it: in quotes.
bool statement_parser::row_id(std::uint64_t& out) {
  const std::size_t start = scanner_.offset();
  std::string_view digits;
  bound_value given;
  if (scanner_.accept_placeholder(given)) {
    digits = given.is == bound_value::kind::missing ? "0" : given.text;
  } else if (!scanner_.accept_text(digits)) {
    scanner_.accept_number(digits);
  }
  const char* const last = digits.data() + digits.size();
  const auto [stop, problem] = std::from_chars(digits.data(), last, out);
  if (!digits.empty() && problem == std::errc{} && stop == last) return true;
  scanner_.rewind(start);
  return fail("the id of a row");
}

bool statement_parser::row_ids(row_id_list& out) {
  do {
    if (!row_id(out.emplace_back())) return false;
  } while (scanner_.accept(','));
  return true;
}

bool statement_parser::ack(statement_body& out) {
  std::string_view name;
  if (!scanner_.accept_name(name)) return fail("the name of a queue or of a subscription");
  if (scanner_.accept_keyword("on")) {
    auto& s = out.emplace<acknowledge_statement>(acknowledge_statement{.name = name, .table = {}});
    std::optional<std::uint64_t> up_to;
    if (!table_name(s.table) || !position(up_to)) return false;
    s.position = *up_to;
    return end("end of statement");
  }
  auto& s = out.emplace<ack_statement>(ack_statement{.table = name, .ids = no_ids()});
  const std::size_t start = scanner_.offset();
  if (!row_ids(s.ids)) return rename_failure(start, "the ids of the queue's rows, or the subscription's position");
  return end("`,` or end of statement");
}

bool statement_parser::nack(statement_body& out) {
  auto& s = out.emplace<nack_statement>(nack_statement{.table = {}, .ids = no_ids()});
  return table_name(s.table) && row_ids(s.ids) && optional_duration("delay", s.delay) &&
         end(s.delay ? "end of statement" : "`,`, `delay` or end of statement");
}

bool statement_parser::renew(statement_body& out) {
  auto& s = out.emplace<renew_statement>(renew_statement{.table = {}, .ids = no_ids()});
  return table_name(s.table) && row_ids(s.ids) && (!scanner_.accept_keyword("lease") || lease_time(s.lease)) &&
         end(s.lease ? "end of statement" : "`,`, `lease` or end of statement");
}

// Pop

/// Whether a number comes next: then rows are leased, and not taken from an end of a table.
bool statement_parser::lease_follows() const {
  if (scanner_.stands_at_placeholder()) return true;
  scanner ahead = scanner_;
  std::string_view number;
  return ahead.accept_number(number);
}

bool statement_parser::lease(statement_body& out) {
  auto& s = out.emplace<lease_statement>();
  if (!row_count(s.count)) return false;
  if (scanner_.accept_keyword("from")) {
    if (!table_name(s.table)) return false;
  } else {
    s.columns.emplace(no_columns());
    if (!columns(*s.columns) || !from_table(s.table, s.columns->all ? "`from`" : "`,` or `from`")) return false;
  }
  if (!where(s.where) || !lease_options(s)) return false;
  return end(s.where || s.wait || s.lease ? "`wait`, `lease` or end of statement"
                                          : "`where`, `wait`, `lease` or end of statement");
}

bool statement_parser::lease_options(lease_statement& out) {
  for (;;) {
    if (!out.wait && scanner_.accept_keyword("wait")) {
      if (!duration(out.wait.emplace())) return false;
    } else if (!out.lease && scanner_.accept_keyword("lease")) {
      if (!lease_time(out.lease)) return false;
    } else {
      return true;
    }
  }
}

// Create queue

bool statement_parser::create_queue(statement_body& out) {
  auto& s = out.emplace<create_queue_statement>(create_queue_statement{.definition = no_table()});
  if (!columns_and_indexes(s.definition)) return false;
  while (!scanner_.at_end()) {
    if (!queue_option(s)) return false;
  }
  return true;
}

bool statement_parser::queue_option(create_queue_statement& out) {
  if (!out.durable && scanner_.accept_keyword("durable")) {
    out.durable = true;
    return true;
  }
  if (!out.lease && scanner_.accept_keyword("lease")) return lease_time(out.lease);
  if (!out.delay && scanner_.accept_keyword("delay")) return duration(out.delay.emplace());
  if (out.priority.empty() && scanner_.accept_keyword("priority")) return column_name(out.priority);
  if (!out.attempts_max && scanner_.accept_keyword("max")) {
    if (!keyword("attempts", "`attempts`")) return false;
    const std::size_t start = scanner_.offset();
    return row_count(out.attempts_max.emplace()) || rename_failure(start, "a number of attempts");
  }
  if (out.dead_letter.empty() && scanner_.accept_keyword("dead")) {
    return keyword("letter", "`letter`") && table_name(out.dead_letter);
  }
  return fail(
      "`durable`, `lease`, `max attempts`, `dead letter`, `delay` or `priority`, each once, or end of statement");
}

}  // namespace pubsubsql::parser
