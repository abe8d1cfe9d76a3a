#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// CSV as RFC 4180 has it. NULL is an empty field without quotes; the empty string is "".
namespace pubsubsql::cli {

struct csv_record {
  std::uint64_t line = 0;  ///< where it begins, from 1
  std::vector<std::optional<std::string>> fields;
};

/// Reads records one after the other; lines may end in LF or CR LF. Blank lines and a byte order mark are skipped.
class csv_reader {
 public:
  enum class outcome : std::uint8_t { record, end, error };

  /// The longest record; more is most likely a quote that is never closed, and no server would take it.
  static constexpr std::size_t record_bytes_max = 64U << 20;

  /// REQUIRES: the stream outlives the reader.
  explicit csv_reader(std::istream& in) : in_(in) {}

  [[nodiscard]] outcome next(csv_record& out);

  /// Why, and in which line. REQUIRES: next() said error, after which nothing more can be read.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::uint64_t error_line() const { return error_line_; }

  /// Bytes read so far, for progress.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  static constexpr int end_of_file = std::istream::traits_type::eof();

  int get();
  [[nodiscard]] int peek();
  [[nodiscard]] bool skip_blank_lines();
  [[nodiscard]] bool read_field(csv_record& out);
  [[nodiscard]] bool read_quoted(std::string& text);
  [[nodiscard]] bool at_field_end();
  bool fail(std::uint64_t line, std::string why);

  std::istream& in_;
  std::uint64_t line_ = 1;
  std::uint64_t bytes_ = 0;
  std::size_t record_bytes_ = 0;
  std::string error_;
  std::uint64_t error_line_ = 0;
};

/// One field as it has to stand in a file: quoted where needed.
[[nodiscard]] std::string csv_field(std::optional<std::string_view> value);

}  // namespace pubsubsql::cli
