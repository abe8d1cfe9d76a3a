#pragma once

#include <cstdint>
#include <string_view>

#include "server/reply_encoder.hpp"

namespace pubsubsql::server {

class session;

/// How a statement's text came about.
enum class request_origin : std::uint8_t {
  text,      ///< the client wrote it
  json,      ///< of a request in JSON, with its values
  prepared,  ///< what was prepared, with the values of an `execute`
};

/// What a client asked, on its way through its worker.
struct client_request {
  session& from;
  reply_address to;
  std::string_view sql;
};

}  // namespace pubsubsql::server
