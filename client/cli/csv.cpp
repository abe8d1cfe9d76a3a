#include "client/cli/csv.hpp"

#include <utility>

namespace pubsubsql::cli {

int csv_reader::get() {
  const int c = in_.rdbuf()->sbumpc();
  if (c == end_of_file) return c;
  ++bytes_;
  ++record_bytes_;
  if (c == '\n') ++line_;
  return c;
}

int csv_reader::peek() {
  return in_.rdbuf()->sgetc();
}

bool csv_reader::fail(std::uint64_t line, std::string why) {
  error_ = std::move(why);
  error_line_ = line;
  return false;
}

bool csv_reader::skip_blank_lines() {
  if (bytes_ == 0 && peek() == 0xef) {
    for (const int expected : {0xef, 0xbb, 0xbf}) {
      if (get() != expected) return fail(1, "the file begins with bytes that are not UTF-8");
    }
  }
  while (peek() == '\r' || peek() == '\n') get();
  return true;
}

csv_reader::outcome csv_reader::next(csv_record& out) {
  out.fields.clear();
  if (!error_.empty() || !skip_blank_lines()) return outcome::error;
  if (peek() == end_of_file) return outcome::end;
  out.line = line_;
  record_bytes_ = 0;
  for (;;) {
    if (!read_field(out)) return outcome::error;
    const int c = get();
    if (c == ',') continue;
    if (c == '\r' && peek() == '\n') get();
    return outcome::record;
  }
}

/// Reads up to the comma or the end of the line, which stays.
bool csv_reader::read_field(csv_record& out) {
  std::string text;
  if (peek() == '"') {
    if (!read_quoted(text)) return false;
    if (!at_field_end()) return fail(line_, "text behind a closing quote; a quote inside quotes has to be doubled");
    out.fields.emplace_back(std::move(text));
    return true;
  }
  while (!at_field_end()) {
    const int c = get();
    if (c == '"') return fail(line_, "a quote in the middle of a field; quote the whole field and double the quote");
    text.push_back(static_cast<char>(c));
    if (record_bytes_ > record_bytes_max) return fail(out.line, "the record is longer than 64 MiB");
  }
  if (text.empty()) {
    out.fields.emplace_back(std::nullopt);
  } else {
    out.fields.emplace_back(std::move(text));
  }
  return true;
}

bool csv_reader::read_quoted(std::string& text) {
  const std::uint64_t begin = line_;
  get();
  for (;;) {
    const int c = get();
    if (c == end_of_file) return fail(begin, "the quote that opens here is never closed");
    if (record_bytes_ > record_bytes_max) return fail(begin, "the quote that opens here is not closed within 64 MiB");
    if (c == '"' && peek() != '"') return true;
    if (c == '"') get();
    text.push_back(static_cast<char>(c));
  }
}

bool csv_reader::at_field_end() {
  const int c = peek();
  return c == ',' || c == '\n' || c == '\r' || c == end_of_file;
}

std::string csv_field(std::optional<std::string_view> value) {
  if (!value) return {};
  if (!value->empty() && value->find_first_of(",\"\r\n") == std::string_view::npos) return std::string(*value);
  std::string quoted = "\"";
  for (const char c : *value) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace pubsubsql::cli
