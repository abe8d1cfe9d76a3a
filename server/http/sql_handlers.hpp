#pragma once

namespace pubsubsql::server::http {

class connection;

/// Answers `POST /sql`: the statements of the body, in one session of their own.
void serve_sql(connection& c);

/// Answers `GET /tables/T?where=...`.
void serve_table(connection& c);

}  // namespace pubsubsql::server::http
