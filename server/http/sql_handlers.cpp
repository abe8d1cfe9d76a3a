#include "server/http/sql_handlers.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "parser/keywords.hpp"
#include "server/http/comma_list.hpp"
#include "server/http/connection.hpp"
#include "server/http/csv_reply.hpp"
#include "server/http/query_string.hpp"
#include "server/http/script.hpp"
#include "server/http/script_link.hpp"
#include "server/http/table_query.hpp"
#include "server/json.hpp"
#include "server/reply_encoder.hpp"
#include "server/worker.hpp"
#include "storage/errors.hpp"

namespace pubsubsql::server::http {

namespace {

constexpr std::string_view csv_type = "text/csv; charset=utf-8; header=present";
constexpr std::string_view tables_path = "/tables/";

/// A media type without its parameters, in small letters.
std::string media_type(std::string_view value) {
  value = value.substr(0, value.find(';'));
  std::string out;
  for (const char c : value) {
    if (c != ' ' && c != '\t') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return out;
}

/// Whether a part of `Accept` says that the type is not wanted at all: `;q=0`, with or without a fraction of zeros.
bool is_unwanted(std::string_view part) {
  const std::size_t at = std::min(part.find(";q=0"), part.find("; q=0"));
  if (at == std::string_view::npos) return false;
  const std::string_view rest = part.substr(part.find('0', at));
  return rest.find_first_not_of("0. \t") == std::string_view::npos;
}

/// Whether the client wants CSV: it says so before anything else that it may have.
bool wants_csv(const request& r) {
  std::string_view accepted = field_of(r, field::accept);
  while (!accepted.empty()) {
    const std::string_view part = take_part(accepted);
    if (is_unwanted(part)) continue;
    const std::string type = media_type(part);
    if (type == "text/csv") return true;
    if (type == "application/json" || type == "*/*") return false;
  }
  return false;
}

response csv_of(script_results results, std::size_t bytes_max) {
  std::string csv;
  switch (append_csv(csv, results.body, bytes_max)) {
    case csv_outcome::done:
      return make_response(results.code, csv_type, std::move(csv));
    case csv_outcome::no_rows:
      break;
    case csv_outcome::too_large:
      return make_error(status::bad_request, "the rows are more than --max-result-bytes as CSV; ask for fewer");
  }
  return make_response(results.code, json_type, std::move(results.body));
}

response response_of(script_results results, bool as_csv, std::size_t bytes_max) {
  if (results.body.empty()) return response(status::no_content, 11);
  if (as_csv && results.code == status::ok) return csv_of(std::move(results), bytes_max);
  return make_response(results.code, json_type, std::move(results.body));
}

/// Runs the statements as who the request is of, and answers it when the session is over.
void run(connection& c, script s, script_link::done_handler done) {
  worker& home = c.home();
  const std::size_t unread_max = home.shared().settings.reply_total_bytes_max;
  if (unread_max > 0 && home.shared().http_reply_bytes.load(std::memory_order_relaxed) > unread_max) {
    home.shared().counters.refused("max-total-reply-bytes");
    return c.respond(make_error(status::service_unavailable,
                                "more than --max-total-reply-bytes of answers wait to be read; try again later"));
  }
  const auto link = std::make_shared<script_link>(home.context().get_executor(), std::move(s),
                                                  home.shared().settings.engine.result_bytes_max, std::move(done));
  home.welcome(transport(link), counted_connection(c.address()), c.identity);
}

/// The statements of the body; nothing: the request has been answered.
std::optional<script> read_script(connection& c) {
  if (const auto coding = field_of(c.current(), field::content_encoding);
      !coding.empty() && !parser::equals_keyword(coding, "identity")) {
    c.respond(make_error(status::unsupported_media_type, "a body is taken as it is; send it without Content-Encoding"));
    return std::nullopt;
  }
  const std::string type = media_type(field_of(c.current(), field::content_type));
  const std::string_view body = c.current().body();
  if (type == "text/plain" || type == "application/sql") return script(body);
  if (type != "application/json") {
    c.respond(make_error(status::unsupported_media_type,
                         "say with Content-Type what the body is: application/sql or text/plain for statements, "
                         "application/json for {\"sql\": ..., \"values\": [...]}"));
    return std::nullopt;
  }
  auto read = script::of_json(body);
  if (read) return std::move(*read);
  c.respond(make_error(status::bad_request, read.error()));
  return std::nullopt;
}

response problem_response(const query_problem& p) {
  std::string body;
  encode_error(body, {}, p.message, p.offset);
  return make_response(status::bad_request, json_type, std::move(body));
}

/// Whether the statement failed because there is no such table.
bool is_unknown_table(const script_results& results, std::string_view table) {
  std::string wanted = R"({"status":"err","msg":)";
  append_json_string(wanted, storage::unknown_table(table).message);
  return std::string_view(results.body).starts_with(wanted);
}

}  // namespace

void serve_sql(connection& c) {
  if (const auto query = parse_query(query_of(c.current()), {}); !query || !query->empty()) {
    return c.respond(make_error(status::bad_request, "/sql takes no parameters; statements are the request's body"));
  }
  auto statements = read_script(c);
  if (!statements) return;
  if (statements->is_empty()) return c.respond(make_error(status::bad_request, "there is no statement in the body"));
  const bool as_csv = wants_csv(c.current());
  if (as_csv && statements->is_list()) {
    return c.respond(make_error(status::not_acceptable,
                                "only the result of one statement can be CSV; send one at a time, or accept JSON"));
  }
  const std::size_t bytes_max = c.home().shared().settings.engine.result_bytes_max;
  run(c, std::move(*statements), [self = c.shared_from_this(), as_csv, bytes_max](script_results results) {
    self->respond(response_of(std::move(results), as_csv, bytes_max));
  });
}

void serve_table(connection& c) {
  auto table = percent_decoded(path_of(c.current()).substr(tables_path.size()));
  if (!table)
    return c.respond(make_error(status::bad_request, "a % in the path is not followed by two hexadecimal digits"));
  const auto query = parse_table_query(query_of(c.current()));
  if (!query) return c.respond(make_error(status::bad_request, query.error()));
  const auto sql = select_of(*table, *query);
  if (!sql) return c.respond(problem_response(sql.error()));
  const std::size_t bytes_max = c.home().shared().settings.engine.result_bytes_max;
  run(c, script({json_request{.id = 0, .text = *sql}}, false),
      [self = c.shared_from_this(), table = std::move(*table), as_csv = wants_csv(c.current()),
       bytes_max](script_results results) {
        if (is_unknown_table(results, table)) results.code = status::not_found;
        self->respond(response_of(std::move(results), as_csv, bytes_max));
      });
}

}  // namespace pubsubsql::server::http
