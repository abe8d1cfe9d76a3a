#pragma once

#include <memory_resource>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "storage/sql/column_type.hpp"
#include "storage/sql/datum.hpp"
#include "storage/sql/stored_value.hpp"

namespace pubsubsql::storage::sql {

/// An evaluation with memory of its own, at 2026-01-02 03:04:05.678901.
struct bench_evaluation {
  std::pmr::monotonic_buffer_resource memory;
  evaluation e{memory, 1'767'323'045'678'901};
};

/// REQUIRES: the text is a type.
inline column_type type_of(std::string_view text) {
  auto parsed = parse_column_type(text, "c");
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

/// A literal as it might stand in a statement: a number, 'text', null, or a type's word before a text.
inline datum literal(evaluation& e, std::string_view text) {
  if (text == "null") return {};
  if (text.starts_with('\'')) return datum::text(text.substr(1, text.size() - 2));
  for (const std::string_view type : {"date", "time", "datetime(6)", "datetime", "bigint unsigned", "untyped"}) {
    if (!text.starts_with(type) || text.size() == type.size() || text[type.size()] != '\'') continue;
    const std::string_view inner = text.substr(type.size() + 1, text.size() - type.size() - 2);
    return type == "untyped" ? datum::untyped(inner) : datum_of(e, type_of(type), inner);
  }
  return number_literal(e, text);
}

inline std::string shown_datum(evaluation& e, const datum& d) {
  if (e.failure()) return std::to_string(e.failure()->code) + " " + e.failure()->message;
  if (d.is_null()) return "NULL";
  return std::string(text_of(e, d));
}

}  // namespace pubsubsql::storage::sql
