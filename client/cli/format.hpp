#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <pubsubsql/event.hpp>
#include <pubsubsql/reply.hpp>

namespace pubsubsql::cli {

/// How replies and events are written.
enum class output_format : std::uint8_t {
  table,     ///< aligned columns in a frame
  json,      ///< one object per line, as on the wire, all batches in one
  csv,       ///< RFC 4180 with a header line; NULL is an empty field
  vertical,  ///< one column per line
};

[[nodiscard]] std::optional<output_format> format_named(std::string_view name);
[[nodiscard]] std::string_view name_of(output_format format);

struct layout {
  output_format format = output_format::table;
  std::size_t width = 0;   ///< of the terminal; tables are cut to fit. 0: the output is no terminal, nothing is cut
  bool positions = false;  ///< the subscription was asked for `with seq` or `since`
};

/// Writes the rows (or facts) of a reply, in json the reply as a whole. Nothing in other formats when there are none.
void write_reply(std::ostream& out, const reply& r, const layout& l);

/// Writes an event: one line per row, but in the vertical format. The end of the initial rows is shown with positions.
void write_event(std::ostream& out, const event& e, const layout& l);

/// Writes a refusal as the server's JSON object, for the json format.
void write_json_error(std::ostream& out, const error& e);

/// What a statement did, in a few words: "2 rows", "1 row inserted", "subscribed, pubsubid 3".
[[nodiscard]] std::string summary(const reply& r);

/// "1 row", "2 rows".
[[nodiscard]] std::string counted(std::uint64_t n, std::string_view noun);

/// "0.8 ms", "2.31 s".
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds took);

}  // namespace pubsubsql::cli
