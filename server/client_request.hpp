#pragma once

#include <string_view>

#include "server/reply_encoder.hpp"

namespace pubsubsql::server {

class session;

/// What a client asked, on its way through its worker.
struct client_request {
  session& from;
  reply_address to;
  std::string_view sql;
};

}  // namespace pubsubsql::server
