#pragma once

#include <string_view>

#include "server/http/message.hpp"

namespace pubsubsql::server::http {

class connection;

/// What the server answers, by method and path. The table is in routes.cpp; connection.hpp says what a handler does.
struct route {
  enum class extent : bool {
    exact,  ///< the path and no other
    below   ///< what begins with the path
  };

  verb method = verb::get;  ///< routes for GET take HEAD, too
  std::string_view path;
  extent paths = extent::exact;
  bool is_public = false;  ///< whether it needs no user where there are users
  void (*serve)(connection& c) = nullptr;
};

struct found_route {
  const route* found = nullptr;  ///< nullptr: there is none
  bool path_is_known = false;    ///< for another method
};

[[nodiscard]] found_route find_route(verb method, std::string_view path);

/// The methods that the path has, for a field `Allow`.
[[nodiscard]] std::string methods_of(std::string_view path);

}  // namespace pubsubsql::server::http
