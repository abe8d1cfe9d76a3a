#pragma once

#include <optional>
#include <string>

#include "parser/ast.hpp"
#include "server/client_request.hpp"

/// The statements about prepared statements, which are a connection's own.
namespace pubsubsql::server {

struct shared_state;

/// Answers `prepare` or `deallocate`. Returns false when it is neither.
[[nodiscard]] bool answer_preparation(const client_request& a, const parser::statement_body& body,
                                      shared_state& shared);

/// The statement that an `execute` stands for; nothing: there is none, and the client has been told.
[[nodiscard]] std::optional<std::string> prepared_text(const client_request& a, const parser::execute_statement& s,
                                                       shared_state& shared);

}  // namespace pubsubsql::server
