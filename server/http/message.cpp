#include "server/http/message.hpp"

#include <utility>

#include "server/json.hpp"

namespace pubsubsql::server::http {

namespace {

/// As the path and what is behind it, also where the client wrote the whole URL, as it may (RFC 9112, 3.2.2).
std::string_view target_of(const request& r) {
  const std::string_view target(r.target().data(), r.target().size());
  const std::size_t scheme_end = target.starts_with("http") ? target.find("://") : std::string_view::npos;
  if (scheme_end == std::string_view::npos || target.starts_with('/')) return target;
  const std::size_t path = target.find_first_of("/?", scheme_end + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

response make_response(status s, std::string_view content_type, std::string body) {
  response r(s, 11);
  r.set(field::content_type, boost::beast::string_view(content_type.data(), content_type.size()));
  r.body() = std::move(body);
  return r;
}

response make_error(status s, std::string_view message) {
  std::string body = R"({"status":"err","msg":)";
  append_json_string(body, message);
  body += "}\n";
  return make_response(s, json_type, std::move(body));
}

std::string_view path_of(const request& r) {
  const std::string_view target = target_of(r);
  return target.substr(0, target.find('?'));
}

std::string_view query_of(const request& r) {
  const std::string_view target = target_of(r);
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::string_view field_of(const request& r, field name) {
  const auto value = r[name];
  return {value.data(), value.size()};
}

std::string_view field_of(const request& r, std::string_view name) {
  const auto value = r[boost::beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

}  // namespace pubsubsql::server::http
