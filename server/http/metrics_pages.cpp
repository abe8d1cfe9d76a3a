#include "server/http/metrics_pages.hpp"

#include <string>
#include <utility>

#include "server/health.hpp"
#include "server/http/connection.hpp"
#include "server/metrics_gatherer.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server::http {

namespace {

constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view text_type = "text/plain; charset=utf-8";

/// What is true at this moment only.
void respond_now(connection& c, status s, std::string_view type, std::string body) {
  response r = make_response(s, type, std::move(body));
  r.set(field::cache_control, "no-store");
  c.respond(std::move(r));
}

}  // namespace

void serve_metrics(connection& c) {
  gather_metrics(c.home(), [self = c.shared_from_this()](std::string text) {
    respond_now(*self, status::ok, metrics_type, std::move(text));
  });
}

void serve_history(connection& c) {
  gather_history(c.home(), [self = c.shared_from_this()](std::string json) {
    respond_now(*self, status::ok, json_type, std::move(json));
  });
}

void serve_health(connection& c) {
  respond_now(c, status::ok, text_type, "ok\n");
}

void serve_readiness(connection& c) {
  const std::string_view reason = why_not_ready(c.home().shared());
  if (reason.empty()) return respond_now(c, status::ok, text_type, "ready\n");
  respond_now(c, status::service_unavailable, text_type, std::string(reason) + "\n");
}

}  // namespace pubsubsql::server::http
