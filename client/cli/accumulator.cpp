#include "client/cli/accumulator.hpp"

#include <algorithm>
#include <utility>

#include "parser/parser.hpp"
#include "parser/splitter.hpp"

namespace pubsubsql::cli {

void statement_accumulator::add_line(std::string_view line) {
  if (begin_ > text_.size() / 2) {
    text_.erase(0, begin_);
    begin_ = 0;
  }
  drop_comments();
  text_.append(line).push_back('\n');
  may_end_ = may_end_ || line.find(';') != std::string_view::npos;
}

/// Whole comments that no statement follows yet must not hide a command in the next line.
void statement_accumulator::drop_comments() {
  if (rest().empty() || !parser::is_blank(rest())) return;
  const bool closed = parser::statement_end(std::string(rest()) + ";") != std::string_view::npos;
  if (closed) skip(rest().size());
}

void statement_accumulator::skip(std::size_t bytes) {
  const auto skipped = rest().substr(0, bytes);
  line_ += static_cast<std::uint64_t>(std::count(skipped.begin(), skipped.end(), '\n'));
  begin_ += skipped.size();
}

void statement_accumulator::skip_white_space() {
  const std::size_t blank = rest().find_first_not_of(" \t\r\n\v\f");
  skip(blank == std::string_view::npos ? rest().size() : blank);
}

piece statement_accumulator::take(std::size_t bytes) {
  piece p{.command = false, .text = std::string(rest().substr(0, bytes)), .line = line_};
  skip(bytes);
  return p;
}

std::optional<piece> statement_accumulator::take_command() {
  const std::size_t end = rest().find('\n');
  piece p = take(end);
  p.command = true;
  while (!p.text.empty() && std::string_view(" \t\r;").find(p.text.back()) != std::string_view::npos) {
    p.text.pop_back();
  }
  return p;
}

std::optional<piece> statement_accumulator::next() {
  for (;;) {
    skip_white_space();
    if (rest().starts_with('\\')) return take_command();
    if (!may_end_) return std::nullopt;
    const std::size_t end = parser::statement_end(rest());
    if (end == std::string_view::npos) {
      may_end_ = false;
      return std::nullopt;
    }
    piece p = take(end);
    if (parser::is_blank(p.text)) continue;
    p.text.pop_back();
    return p;
  }
}

std::optional<piece> statement_accumulator::last() {
  if (auto p = next()) return p;
  piece p = take(rest().size());
  clear();
  if (parser::is_blank(p.text)) return std::nullopt;
  p.text.resize(p.text.find_last_not_of(" \t\r\n") + 1);
  return p;
}

bool statement_accumulator::under_way() const {
  return !parser::is_blank(rest());
}

void statement_accumulator::clear() {
  text_.clear();
  begin_ = 0;
  may_end_ = false;
}

}  // namespace pubsubsql::cli
