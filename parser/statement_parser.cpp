#include "parser/statement_parser.hpp"

#include <charconv>
#include <string_view>
#include <variant>

#include "parser/keywords.hpp"

namespace pubsubsql::parser {

bool statement_parser::parse(statement& out) {
  if (scanner_.accept_keyword("stream")) return streamed(out);
  return scanner_.accept_keyword("execute") ? execute(out) : body(out.body);
}

bool statement_parser::streamed(statement& out) {
  const std::size_t start = scanner_.offset();
  const std::string_view word = scanner_.peek_word();
  for (const std::string_view refused : {"stream", "close", "stop", "auth"}) {
    if (equals_keyword(word, refused)) return fail("a statement that has a reply");
  }
  out.stream = true;
  if (!(scanner_.accept_keyword("execute") ? execute(out) : body(out.body))) return false;
  // Rows are leased to whoever gets to know them.
  if (!std::holds_alternative<lease_statement>(out.body)) return true;
  scanner_.rewind(start);
  return fail("a statement that has a reply");
}

bool statement_parser::body(statement_body& out) {
  struct rule {
    std::string_view word;
    bool (statement_parser::*parse)(statement_body&);
  };
  static constexpr rule rules[] = {
      {"update", &statement_parser::update},
      {"select", &statement_parser::select},
      {"insert", &statement_parser::insert},
      {"delete", &statement_parser::delete_rows},
      {"replace", &statement_parser::replace},
      {"push", &statement_parser::push},
      {"publish", &statement_parser::publish},
      {"pop", &statement_parser::pop},
      {"peek", &statement_parser::peek},
      {"ack", &statement_parser::ack},
      {"nack", &statement_parser::nack},
      {"renew", &statement_parser::renew},
      {"subscribe", &statement_parser::subscribe},
      {"unsubscribe", &statement_parser::unsubscribe},
      {"bind", &statement_parser::bind},
      {"unbind", &statement_parser::unbind},
      {"begin", &statement_parser::begin},
      {"start", &statement_parser::start},
      {"commit", &statement_parser::commit},
      {"rollback", &statement_parser::rollback},
      {"key", &statement_parser::key},
      {"tag", &statement_parser::tag},
      {"create", &statement_parser::create},
      {"alter", &statement_parser::alter},
      {"drop", &statement_parser::drop},
      {"truncate", &statement_parser::truncate},
      {"show", &statement_parser::show},
      {"explain", &statement_parser::explain},
      {"describe", &statement_parser::explain},
      {"desc", &statement_parser::explain},
      {"mysql", &statement_parser::mysql},
      {"auth", &statement_parser::auth},
      {"grant", &statement_parser::grant},
      {"revoke", &statement_parser::revoke},
      {"prepare", &statement_parser::prepare},
      {"deallocate", &statement_parser::deallocate_prepare},
  };
  for (const rule& r : rules) {
    if (scanner_.accept_keyword(r.word)) return (this->*r.parse)(out);
  }
  if (scanner_.accept_keyword("status")) {
    out = status_statement{};
  } else if (scanner_.accept_keyword("close")) {
    out = close_statement{};
  } else if (scanner_.accept_keyword("stop")) {
    out = stop_statement{};
  } else {
    return fail("a statement such as insert, select, update, delete or subscribe");
  }
  return end("end of statement");
}

// Transactions

bool statement_parser::begin(statement_body& out) {
  out = begin_statement{};
  scanner_.accept_keyword("work");
  return end("end of statement");
}

bool statement_parser::start(statement_body& out) {
  out = begin_statement{};
  return keyword("transaction", "`transaction`") && end("end of statement");
}

bool statement_parser::commit(statement_body& out) {
  out = commit_statement{};
  scanner_.accept_keyword("work");
  return end("end of statement");
}

bool statement_parser::rollback(statement_body& out) {
  out = rollback_statement{};
  scanner_.accept_keyword("work");
  return end("end of statement");
}

// Subscriptions

bool statement_parser::subscribe(statement_body& out) {
  return subscribe_parts(out.emplace<subscribe_statement>(no_subscribe()));
}

subscribe_statement statement_parser::no_subscribe() {
  return {.skip = false,
          .table = {},
          .where = {},
          .columns = no_columns(),
          .group_by = no_expressions(),
          .order_by = list_of<order_item>(),
          .limit = {},
          .on_slow = {},
          .with_seq = false,
          .since = {},
          .name = {}};
}

bool statement_parser::subscribe_parts(subscribe_statement& out) {
  out.skip = modifier("skip");
  const std::size_t start = scanner_.offset();
  if (!select_list(out.columns, list_end::from)) {
    return rename_failure(start, out.skip ? "`*` or a column name" : "`*`, `skip` or a column name");
  }
  if (!from_table(out.table, out.columns.all ? "`from`" : "`,` or `from`") || !where(out.where)) return false;
  if (!group_by(out.group_by)) return false;
  if (!out.group_by.empty() && scanner_.keyword_follows("having")) {
    return fail("end of statement, as a subscription has all groups and no `having`");
  }
  if (!order_by(out.order_by)) return false;
  if (out.order_by.empty() && scanner_.keyword_follows("limit")) return fail("`order by` before `limit`");
  if (!limit_of_query(out.limit) || !subscription_options(out)) return false;
  const bool may_have_where = !out.where && !out.on_slow && !out.tells_positions();
  return end(may_have_where ? "`where` or end of statement" : "end of statement");
}

/// What stands behind all that says which rows, in any order.
bool statement_parser::subscription_options(subscribe_statement& out) {
  for (;;) {
    if (!out.on_slow && scanner_.accept_keyword("on")) {
      if (!on_slow(out.on_slow)) return false;
    } else if (!out.with_seq && scanner_.accept_keyword("with")) {
      out.with_seq = true;
      if (!keyword("seq", "`seq`")) return false;
    } else if (!out.since && scanner_.keyword_follows("since")) {
      if (!out.name.empty()) return fail("end of statement, as the server keeps the position of a named subscription");
      scanner_.accept_keyword("since");
      if (!position(out.since)) return false;
    } else if (out.name.empty() && scanner_.keyword_follows("as")) {
      if (out.since) return fail("end of statement, as the server keeps the position of a named subscription");
      scanner_.accept_keyword("as");
      if (!subscription_name(out.name)) return false;
    } else {
      return true;
    }
  }
}

bool statement_parser::subscription_name(std::string_view& out) {
  return scanner_.accept_name(out) || fail("the name of a subscription");
}

bool statement_parser::position(std::optional<std::uint64_t>& out) {
  const std::size_t start = scanner_.offset();
  std::string_view digits;
  bound_value given;
  const bool is_bound = scanner_.accept_placeholder(given);
  if (is_bound) digits = given.is == bound_value::kind::missing ? "0" : given.text;
  if (is_bound || scanner_.accept_number(digits)) {
    const char* const last = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), last, out.emplace());
    if (problem == std::errc{} && stop == last) return true;
  }
  scanner_.rewind(start);
  fail("a change number, 0 or greater, as the server told it in `seq`");
  if (is_bound) {
    error_.found = (given.is == bound_value::kind::null ? "null" : scanner::describe(given.text)) + " for `?`";
  }
  return false;
}

bool statement_parser::on_slow(std::optional<slow_policy>& out) {
  if (!keyword("slow", "`slow`")) return false;
  if (scanner_.accept_keyword("disconnect")) {
    out = slow_policy::disconnect;
  } else if (scanner_.accept_keyword("conflate")) {
    out = slow_policy::conflate;
  } else if (scanner_.accept_keyword("drop")) {
    out = slow_policy::drop;
  } else {
    return fail("`disconnect`, `conflate` or `drop`");
  }
  return true;
}

bool statement_parser::unsubscribe(statement_body& out) {
  auto& s = out.emplace<unsubscribe_statement>();
  if (!from_table(s.table, "`from`")) return false;
  if (scanner_.accept_keyword("where")) {
    if (!keyword("pubsubid", "`pubsubid`") || !symbol('=', "`=`")) return false;
    const std::size_t before = scanner_.offset();
    literal number;
    if (!plain_value(number)) return false;
    const char* const last = number.text.data() + number.text.size();
    std::uint64_t id = 0;
    const auto [stop, problem] = std::from_chars(number.text.data(), last, id);
    if (problem != std::errc{} || stop != last) {
      scanner_.rewind(before);
      return fail("the number that subscribe returned");
    }
    s.pubsubid = id;
  }
  return end(s.pubsubid ? "end of statement" : "`where` or end of statement");
}

// Bindings

bool statement_parser::bind(statement_body& out) {
  auto& s = out.emplace<bind_statement>();
  return table_name(s.queue) && keyword("to", "`to`") && table_name(s.table) && where(s.where) &&
         end(s.where ? "end of statement" : "`where` or end of statement");
}

bool statement_parser::unbind(statement_body& out) {
  auto& s = out.emplace<unbind_statement>();
  return table_name(s.queue) && from_table(s.table, "`from`") && where(s.where) &&
         end(s.where ? "end of statement" : "`where` or end of statement");
}

// The server

bool statement_parser::explain(statement_body& out) {
  const std::size_t before = scanner_.offset();
  const auto takes = [&](std::string_view word) {
    if (!scanner_.accept_keyword(word)) return false;
    if (!scanner_.at_end()) return true;
    scanner_.rewind(before);  // a table of that name
    return false;
  };
  if (takes("select")) {
    auto& s = std::get<select_statement>(out.emplace<explain_statement>(explain_statement{.of = no_query()}).of);
    return query(s) && end("end of statement");
  }
  if (takes("update")) {
    return update_parts(
        std::get<update_statement>(out.emplace<explain_statement>(explain_statement{.of = no_update()}).of));
  }
  if (takes("delete")) {
    return delete_parts(
        std::get<delete_statement>(out.emplace<explain_statement>(explain_statement{.of = no_delete()}).of));
  }
  if (takes("subscribe")) {
    return subscribe_parts(
        std::get<subscribe_statement>(out.emplace<explain_statement>(explain_statement{.of = no_subscribe()}).of));
  }
  return describe(out);
}

bool statement_parser::show(statement_body& out) {
  if (scanner_.accept_keyword("grants")) return show_grants(out);
  if (scanner_.accept_keyword("tables")) {
    out = show_tables_statement{};
  } else if (scanner_.accept_keyword("subscriptions")) {
    out = show_statement{server_listing::subscriptions};
  } else if (scanner_.accept_keyword("limits")) {
    out = show_statement{server_listing::limits};
  } else if (scanner_.accept_keyword("users")) {
    out = show_statement{server_listing::users};
  } else if (scanner_.accept_keyword("bindings")) {
    out = show_statement{server_listing::bindings};
  } else if (scanner_.accept_keyword("queues")) {
    out = show_statement{server_listing::queues};
  } else {
    return fail("`tables`, `queues`, `subscriptions`, `bindings`, `limits`, `users` or `grants`");
  }
  return end("end of statement");
}

bool statement_parser::describe(statement_body& out) {
  return table_name(out.emplace<describe_statement>().table) && end("end of statement");
}

}  // namespace pubsubsql::parser
