#pragma once

#include <string>

#include "server/reply_encoder.hpp"
#include "server/shared_state.hpp"

namespace pubsubsql::server {

/// The reply to `show limits`: each limit's flag, what it is set to, what is in use now and the most that was, where
/// the server knows it, and how often it was met.
void encode_limits(std::string& out, const reply_address& to, shared_state& shared);

}  // namespace pubsubsql::server
