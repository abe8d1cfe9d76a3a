#include "server/prepared_execution.hpp"

#include <memory>
#include <variant>

#include "parser/print.hpp"
#include "server/prepared_statements.hpp"
#include "server/session.hpp"
#include "server/shared_state.hpp"

namespace pubsubsql::server {

namespace {

void refuse(const client_request& a, std::string_view message) {
  a.from.reply([&](std::string& out) { encode_error(out, a.to, message); });
}

void refuse_unknown(const client_request& a, std::string_view name) {
  constexpr int unknown_handler = 1243;
  const std::string shown = parser::quote_name(name);
  const storage::error e{
      storage::error_code::refused_by_rules,
      "this connection has no prepared statement " + shown + "; prepare " + shown + " from 'STATEMENT' makes it",
      unknown_handler, "HY000"};
  a.from.reply([&](std::string& out) { encode_error(out, a.to, e); });
}

void prepare(const client_request& a, const parser::prepare_statement& s, shared_state& shared) {
  std::unique_ptr<prepared_statements>& prepared = a.from.prepared;
  if (prepared == nullptr) prepared = std::make_unique<prepared_statements>();
  using enum prepared_statements::outcome;
  switch (prepared->put(s.name, s.sql, {shared.settings.prepared_statements_max, shared.settings.prepared_bytes_max})) {
    case too_many:
      shared.counters.refused("max-prepared-statements");
      return refuse(a,
                    "this connection has too many prepared statements; deallocate some, or raise "
                    "--max-prepared-statements");
    case too_large:
      shared.counters.refused("max-prepared-bytes");
      return refuse(a,
                    "the prepared statements of this connection are too large; deallocate some, or raise "
                    "--max-prepared-bytes");
    case done:
      break;
  }
  if (a.stream) return;
  const std::pair<std::string_view, std::uint64_t> facts[] = {{"parameters", s.parameters}};
  a.from.reply([&](std::string& out) { encode_facts(out, a.to, "prepare", facts, {}); });
}

void deallocate(const client_request& a, const parser::deallocate_statement& s) {
  std::unique_ptr<prepared_statements>& prepared = a.from.prepared;
  if (prepared == nullptr || !prepared->erase(s.name)) return refuse_unknown(a, s.name);
  if (!a.stream) a.from.reply([&](std::string& out) { encode_facts(out, a.to, "deallocate", {}, {}); });
}

}  // namespace

bool answer_preparation(const client_request& a, const parser::statement_body& body, shared_state& shared) {
  if (const auto* s = std::get_if<parser::prepare_statement>(&body)) {
    prepare(a, *s, shared);
  } else if (const auto* d = std::get_if<parser::deallocate_statement>(&body)) {
    deallocate(a, *d);
  } else {
    return false;
  }
  return true;
}

std::optional<std::string> prepared_text(const client_request& a, const parser::execute_statement& s,
                                         shared_state& shared) {
  std::string text;
  if (a.stream) text += "stream ";
  if (a.from.prepared == nullptr || !a.from.prepared->append_bound(text, s.name, s.list)) {
    refuse_unknown(a, s.name);
    return std::nullopt;
  }
  if (text.size() > shared.settings.statement_bytes_max) {
    shared.counters.refused("max-statement-bytes");
    refuse(a, "the statement with its values is larger than " + std::to_string(shared.settings.statement_bytes_max) +
                  " bytes; send fewer values, or raise --max-statement-bytes");
    return std::nullopt;
  }
  return text;
}

}  // namespace pubsubsql::server
