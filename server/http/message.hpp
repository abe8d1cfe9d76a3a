#pragma once

#include <string>
#include <string_view>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>

namespace pubsubsql::server::http {

using boost::beast::http::field;
using boost::beast::http::status;
using boost::beast::http::verb;

using request = boost::beast::http::request<boost::beast::http::string_body>;
using response = boost::beast::http::response<boost::beast::http::string_body>;

inline constexpr std::string_view json_type = "application/json";

/// An answer with a body of the given type; what else a header has is added where it is sent.
[[nodiscard]] response make_response(status s, std::string_view content_type, std::string body);

/// The error object that every protocol gives, `{"status":"err","msg":...}`.
[[nodiscard]] response make_error(status s, std::string_view message);

/// The part of a request's target before `?`, and the part behind it. Valid as long as the request.
[[nodiscard]] std::string_view path_of(const request& r);
[[nodiscard]] std::string_view query_of(const request& r);

/// A field of a request's header, empty when there is none. Valid as long as the request.
[[nodiscard]] std::string_view field_of(const request& r, field name);
[[nodiscard]] std::string_view field_of(const request& r, std::string_view name);

}  // namespace pubsubsql::server::http
