#include "server/http/script.hpp"

#include <algorithm>
#include <utility>

#include "parser/parser.hpp"
#include "parser/splitter.hpp"

namespace pubsubsql::server::http {

namespace {

/// In one list; more come in several requests, or as statements separated by `;`, which are not all kept.
constexpr std::size_t requests_max = 100'000;

}  // namespace

script::script(std::string_view text) : rest_(text) {
  is_empty_ = !take().has_value();
  is_list_ = take().has_value();
  rest_ = text;
}

script::script(std::vector<json_request> requests, bool is_list)
    : requests_(std::move(requests)), is_empty_(requests_.empty()), is_list_(is_list) {}

result<script, std::string> script::of_json(std::string_view text) {
  auto read = read_json_requests(text, requests_max);
  if (!read) return read.error().message;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return script(std::move(*read), first != std::string_view::npos && text[first] == '[');
}

std::optional<std::string_view> script::next() {
  if (taken_ < requests_.size()) return requests_[taken_++].text;
  return take();
}

/// The next statement of the text, without the blank ones before it.
std::optional<std::string_view> script::take() {
  while (!rest_.empty()) {
    const std::string_view statement = rest_.substr(0, parser::statement_end(rest_));
    rest_.remove_prefix(statement.size());
    if (!parser::is_blank(statement)) return statement;
  }
  return std::nullopt;
}

}  // namespace pubsubsql::server::http
