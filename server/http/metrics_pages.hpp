#pragma once

namespace pubsubsql::server::http {

class connection;

/// All numbers of the server, for Prometheus.
void serve_metrics(connection& c);
/// The last hour, for the console.
void serve_history(connection& c);
/// That the server answers.
void serve_health(connection& c);
/// Whether it should be given work.
void serve_readiness(connection& c);

}  // namespace pubsubsql::server::http
