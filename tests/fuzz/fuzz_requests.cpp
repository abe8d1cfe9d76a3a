#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "parser/parser.hpp"
#include "parser/utf8.hpp"
#include "server/http/query_string.hpp"
#include "server/http/script.hpp"
#include "server/http/table_query.hpp"
#include "server/json_request.hpp"

using namespace pubsubsql;
using namespace pubsubsql::server;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

/// A request is one statement, wherever it is read.
void try_json(std::string_view text) {
  const auto read = read_json_request(text);
  if (!read) {
    expect(!read.error().message.empty() && read.error().message.size() < 1'000);
    expect(parser::find_invalid_utf8(read.error().message) == std::string_view::npos);
  }
  auto script = http::script::of_json(text);
  if (!script) return;
  std::size_t statements = 0;
  while (const auto next = script->next()) {
    ++statements;
    if (read) expect(*next == read->text);
  }
  expect(!read || (statements == 1 && !script->is_list()));
}

/// A table's name, a line break, and a query: whatever they hold, they make a select from that table and nothing else.
void try_table(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return;
  const std::string_view table = text.substr(0, end);
  const auto parameters = http::parse_table_query(text.substr(end + 1));
  if (!parameters) return expect(!parameters.error().empty());
  const auto sql = http::select_of(table, *parameters);
  if (!sql) return expect(!sql.error().message.empty());
  parser::statement_arena arena;
  const auto parsed = parser::parse(*sql, arena);
  expect(static_cast<bool>(parsed));
  const auto* select = std::get_if<parser::select_statement>(&parsed->body);
  expect(select != nullptr && select->table == table);
  expect(select->where.has_value() == (http::find(*parameters, "where") != nullptr));
}

/// Statements are parts of the text, in its order.
void try_statements(std::string_view text) {
  http::script script(text);
  std::size_t statements = 0;
  std::size_t bytes = 0;
  while (const auto next = script.next()) {
    ++statements;
    bytes += next->size();
  }
  expect(bytes <= text.size() && script.is_empty() == (statements == 0) && script.is_list() == (statements > 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_json(text);
  try_table(text);
  try_statements(text);
  return 0;
}
