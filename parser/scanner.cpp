#include "parser/scanner.hpp"

#include "parser/keywords.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::parser {

namespace {

constexpr std::string_view white_space = " \t\r\n\v\f";
constexpr std::string_view value_stops = " \t\r\n\v\f,)";
/// Enough of an unexpected word to recognise it.
constexpr std::size_t described_bytes_max = 40;

bool is_white_space(char c) {
  return white_space.find(c) != std::string_view::npos;
}

bool is_blank_rest(std::string_view text) {
  for (;;) {
    text.remove_prefix(blank_bytes(text));
    if (text.empty()) return true;
    if (text.front() != ';') return false;
    text.remove_prefix(1);
  }
}

}  // namespace

std::size_t blank_bytes(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_white_space(text[at])) {
      ++at;
    } else if (text.compare(at, 2, "--") == 0) {
      const std::size_t end = text.find('\n', at);
      if (end == std::string_view::npos) return text.size();
      at = end + 1;
    } else if (text.compare(at, 2, "/*") == 0) {
      const std::size_t end = text.find("*/", at + 2);
      if (end == std::string_view::npos) return at;
      at = end + 2;
    } else {
      return at;
    }
  }
  return at;
}

scanner::scanner(std::string_view sql, statement_arena& arena) : sql_(sql), arena_(arena) {
  skip_blanks();
}

void scanner::skip_blanks() {
  at_ += blank_bytes(rest());
}

void scanner::take(std::size_t bytes) {
  at_ += bytes;
  skip_blanks();
}

bool scanner::at_end() const {
  return is_blank_rest(rest());
}

std::string_view scanner::peek_word() const {
  return rest().substr(0, name_bytes(rest()));
}

bool scanner::accept(char symbol) {
  if (at_ >= sql_.size() || sql_[at_] != symbol) return false;
  take(1);
  return true;
}

bool scanner::accept_keyword(std::string_view keyword) {
  if (!equals_keyword(peek_word(), keyword)) return false;
  take(keyword.size());
  return true;
}

std::size_t scanner::closing_quote(char quote) const {
  for (std::size_t end = at_ + 1;; end += 2) {
    end = sql_.find(quote, end);
    if (end == std::string_view::npos || end + 1 >= sql_.size() || sql_[end + 1] != quote) return end;
  }
}

std::string_view scanner::undouble(std::string_view inner, char quote) {
  if (inner.find(quote) == std::string_view::npos) return inner;
  auto* text = static_cast<char*>(arena_.resource()->allocate(inner.size(), 1));
  std::size_t size = 0;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    text[size++] = inner[i];
    if (inner[i] == quote) ++i;
  }
  return {text, size};
}

bool scanner::accept_quoted(char quote, std::string_view& out) {
  const std::size_t end = closing_quote(quote);
  if (end == std::string_view::npos) return false;
  out = undouble(sql_.substr(at_ + 1, end - at_ - 1), quote);
  const std::size_t behind = end + 1;
  take(behind - at_);
  glued_ = at_ == behind && at_ < sql_.size() && std::string_view(",);").find(sql_[at_]) == std::string_view::npos;
  return true;
}

bool scanner::accept_name(std::string_view& out) {
  if (at_ < sql_.size() && sql_[at_] == '`') {
    const std::size_t before = at_;
    if (accept_quoted('`', out) && !out.empty()) return true;
    at_ = before;
    return false;
  }
  out = peek_word();
  if (out.empty()) return false;
  take(out.size());
  return true;
}

std::string_view scanner::run_until(std::string_view stops) const {
  std::string_view run = rest().substr(0, rest().find_first_of(stops));
  // A `;` that nothing follows ends the statement and is no part of the value.
  if (run.ends_with(';') && is_blank_rest(rest().substr(run.size()))) {
    const std::size_t last = run.find_last_not_of(';');
    run = run.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
  return run;
}

bool scanner::accept_value(literal& out) {
  if (at_ >= sql_.size()) return false;
  out.is_null = false;
  if (sql_[at_] == '\'') return accept_quoted('\'', out.text);
  if (rest().starts_with("/*")) return false;  // a comment that is never closed
  out.text = run_until(value_stops);
  if (out.text.empty()) return false;
  take(out.text.size());
  if (equals_keyword(out.text, "null")) out = {.text = {}, .is_null = true};
  return true;
}

bool scanner::accept_address(std::string_view& out) {
  if (at_ >= sql_.size()) return false;
  if (sql_[at_] == '\'') return accept_quoted('\'', out);
  out = run_until(white_space);
  if (out.empty()) return false;
  take(out.size());
  return true;
}

std::string scanner::describe_next() const {
  if (at_ >= sql_.size()) return "end of statement";
  const char first = sql_[at_];
  if (first == '\'' && closing_quote('\'') == std::string_view::npos) return "a string that is never closed";
  if (first == '`' && closing_quote('`') == std::string_view::npos) return "a name whose backquote is never closed";
  if (rest().starts_with("``")) return "an empty name";
  if (rest().starts_with("/*")) return "a comment that is never closed";
  std::string_view token = peek_word();
  if (token.empty() && (first == '\'' || first == '`')) token = rest().substr(0, closing_quote(first) + 1 - at_);
  if (token.empty()) token = rest().substr(0, rest().find_first_of(value_stops));
  if (token.empty()) token = rest().substr(0, 1);
  const std::size_t shown = cut_at_character(token, described_bytes_max);
  return "`" + std::string(token.substr(0, shown)) + (shown < token.size() ? "...`" : "`");
}

}  // namespace pubsubsql::parser
