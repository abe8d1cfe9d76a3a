#pragma once

#include <string>

#include "storage/row.hpp"

namespace pubsubsql::storage::durable {

/// Appends a value so that lists of different values give different texts: to look rows up by several columns.
inline void append_value(std::string& out, const value& v) {
  if (!v) {
    out += '-';
    return;
  }
  out += std::to_string(v->size());
  out += ':';
  out += *v;
}

}  // namespace pubsubsql::storage::durable
