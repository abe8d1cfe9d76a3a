#pragma once

#include <string>

#include "server/reply_encoder.hpp"
#include "server/server_sample.hpp"
#include "server/shared_state.hpp"

namespace pubsubsql::server {

/// The reply to `status`: the whole server in numbers. `all` has the workers' tables.
void encode_status(std::string& out, const reply_address& to, const server_sample& all, const shared_state& shared);

}  // namespace pubsubsql::server
