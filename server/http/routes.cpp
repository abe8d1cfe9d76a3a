#include "server/http/routes.hpp"

#include <array>

#include "server/http/console_page.hpp"
#include "server/http/websocket_link.hpp"

namespace pubsubsql::server::http {

namespace {

constexpr std::array routes = {
    route{.method = verb::get, .path = "/", .is_public = true, .serve = serve_console},
    route{.method = verb::get, .path = "/favicon.ico", .is_public = true, .serve = serve_no_icon},
    route{.method = verb::get, .path = "/ws", .is_public = true, .serve = serve_websocket},
};

bool has_path(const route& r, std::string_view path) {
  return r.paths == route::extent::exact ? path == r.path : path.starts_with(r.path);
}

}  // namespace

found_route find_route(verb method, std::string_view path) {
  if (method == verb::head) method = verb::get;
  found_route result;
  for (const route& r : routes) {
    if (!has_path(r, path)) continue;
    result.path_is_known = true;
    if (r.method == method) return {.found = &r, .path_is_known = true};
  }
  return result;
}

std::string methods_of(std::string_view path) {
  std::string methods;
  for (const route& r : routes) {
    if (!has_path(r, path)) continue;
    if (!methods.empty()) methods += ", ";
    methods += r.method == verb::get ? "GET, HEAD" : std::string(to_string(r.method));
  }
  return methods;
}

}  // namespace pubsubsql::server::http
