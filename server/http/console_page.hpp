#pragma once

namespace pubsubsql::server::http {

class connection;

/// Answers `GET /` with the console: one page that needs nothing else.
void serve_console(connection& c);

/// Answers `GET /favicon.ico`, which browsers ask for by themselves: there is none, the page has its own.
void serve_no_icon(connection& c);

}  // namespace pubsubsql::server::http
