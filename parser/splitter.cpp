#include "parser/splitter.hpp"

#include "parser/scanner.hpp"

namespace pubsubsql::parser {

namespace {

/// Whether a token may start behind this character, so that a quote there opens a string rather than being part of a
/// bare value such as `it's`.
bool starts_token(char before) {
  return std::string_view(" \t\r\n\v\f(),=<>|*;").find(before) != std::string_view::npos;
}

/// The first byte behind a quoted text that starts at `at`, or npos when it is never closed.
std::size_t behind_quotes(std::string_view script, std::size_t at) {
  const char quote = script[at];
  for (std::size_t end = at + 1;; end += 2) {
    end = script.find(quote, end);
    if (end == std::string_view::npos) return end;
    if (end + 1 >= script.size() || script[end + 1] != quote) return end + 1;
  }
}

}  // namespace

std::size_t statement_end(std::string_view script) {
  char before = ' ';
  for (std::size_t at = 0; at < script.size();) {
    const char c = script[at];
    if (c == ';') return at + 1;
    if (starts_token(before)) {
      if (c == '\'' || c == '`') {
        at = behind_quotes(script, at);
        if (at == std::string_view::npos) return at;
        before = c;
        continue;
      }
      if (const std::size_t blanks = blank_bytes(script.substr(at)); blanks > 0) {
        at += blanks;
        before = ' ';
        continue;
      }
      // A comment still open hides all that follows.
      if (script.substr(at).starts_with("/*")) return std::string_view::npos;
    }
    before = c;
    ++at;
  }
  return std::string_view::npos;
}

}  // namespace pubsubsql::parser
