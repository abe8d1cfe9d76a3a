#include "parser/scanner.hpp"

#include "parser/keywords.hpp"
#include "parser/parser.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::parser {

namespace {

/// Enough of an unexpected word to recognise it.
constexpr std::size_t described_bytes_max = 40;

}  // namespace

std::size_t blank_bytes(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_any_of(text[at], character::white_space)) {
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

bool scanner::is_blank_rest(std::size_t from) const {
  return is_blank(sql_.substr(from));
}

std::string_view scanner::peek_any_word() const {
  return rest().substr(0, name_bytes(rest()));
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

std::string_view scanner::run_until(character stop) const {
  std::size_t end = at_;
  while (end < sql_.size() && !is_any_of(sql_[end], stop)) ++end;
  // A `;` that nothing follows ends the statement and is no part of the value.
  if (end > at_ && sql_[end - 1] == ';' && is_blank_rest(end)) {
    while (end > at_ && sql_[end - 1] == ';') --end;
  }
  return sql_.substr(at_, end - at_);
}

bool scanner::accept_value(literal& out) {
  if (at_ >= sql_.size()) return false;
  out.is_null = false;
  if (sql_[at_] == '\'') return accept_quoted('\'', out.text);
  if (rest().starts_with("/*")) return false;  // a comment that is never closed
  out.text = run_until(character::white_space | character::list_mark);
  if (out.text.empty()) return false;
  take(out.text.size());
  if (equals_keyword(out.text, "null")) out = {.text = {}, .is_null = true};
  return true;
}

bool scanner::accept_address(std::string_view& out) {
  if (at_ >= sql_.size()) return false;
  if (sql_[at_] == '\'') return accept_quoted('\'', out);
  out = run_until(character::white_space);
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
  if (token.empty()) token = run_until(character::white_space | character::list_mark);
  if (token.empty()) token = rest().substr(0, 1);
  const std::size_t shown = cut_at_character(token, described_bytes_max);
  return "`" + std::string(token.substr(0, shown)) + (shown < token.size() ? "...`" : "`");
}

}  // namespace pubsubsql::parser
