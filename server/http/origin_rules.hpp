#pragma once

#include <string_view>

/// Which pages a browser may bring requests from.
namespace pubsubsql::server::http {

/// Whether a page of that origin came from the server itself: `host` is the request's field Host.
[[nodiscard]] bool is_own_origin(std::string_view origin, std::string_view host);

/// Whether the text is in a list separated by commas, or `*` is, whatever the case of letters.
[[nodiscard]] bool is_listed(std::string_view list, std::string_view text);

/// The field Host without its port, and an IPv6 address without its brackets.
[[nodiscard]] std::string_view host_name(std::string_view host);

/// Whether a name in the field Host can only mean what it says, so that no page of a stranger can have had it point
/// here: an IP address, or localhost.
[[nodiscard]] bool is_fixed_host(std::string_view host);

}  // namespace pubsubsql::server::http
