#include "parser/scanner.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "parser/keywords.hpp"
#include "parser/parser.hpp"
#include "parser/placeholders.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::parser {

namespace {

/// Enough of an unexpected word to recognise it.
constexpr std::size_t described_bytes_max = 40;

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

std::size_t number_bytes(std::string_view text) {
  const auto digits_from = [&](std::size_t at) {
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at;
  };
  std::size_t end = digits_from(0);
  bool any = end > 0;
  if (end < text.size() && text[end] == '.') {
    const std::size_t behind = digits_from(end + 1);
    any = any || behind > end + 1;
    end = behind;
  }
  if (!any) return 0;
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    const bool has_sign = end + 1 < text.size() && (text[end + 1] == '+' || text[end + 1] == '-');
    const std::size_t exponent = end + (has_sign ? 2 : 1);
    const std::size_t behind = digits_from(exponent);
    if (behind == exponent) return 0;
    end = behind;
  }
  const bool goes_on = end < text.size() && is_any_of(text[end], character::name_part | character::beyond_ascii);
  return goes_on ? 0 : end;
}

scanner::scanner(std::string_view sql, statement_arena& arena, placeholders* bound)
    : sql_(sql), arena_(arena), bound_(bound) {
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

bool scanner::accept_bound(literal& out) {
  bound_value given;
  if (!accept_placeholder(given)) return false;
  out = {.text = given.text, .is_null = given.is == bound_value::kind::null};
  return true;
}

bool scanner::accept_value(literal& out) {
  if (at_ >= sql_.size()) return false;
  out.is_null = false;
  out.is_default = false;
  if (sql_[at_] == '\'') return accept_quoted('\'', out.text);
  if (stands_at_placeholder()) return accept_bound(out);
  if (rest().starts_with("/*")) return false;  // a comment that is never closed
  out.text = run_until(character::white_space | character::list_mark);
  if (out.text.empty() || hides_placeholder(out.text)) return false;
  take(out.text.size());
  if (equals_keyword(out.text, "null")) out = {.text = {}, .is_null = true};
  return true;
}

bool scanner::accept_text(std::string_view& out) {
  return stands_at('\'') && accept_quoted('\'', out);
}

operand_kind scanner::accept_operand(literal& out, character operators) {
  if (at_ >= sql_.size()) return operand_kind::none;
  const char first = sql_[at_];
  if (first == '(' || first == '`') return operand_kind::expression;
  const std::size_t before = at_;
  out.is_null = false;
  out.is_default = false;
  if (first == '\'') {
    if (!accept_quoted('\'', out.text)) return operand_kind::none;
  } else if (!accept_bound(out)) {
    if (first == '/' && rest().starts_with("/*")) return operand_kind::none;  // a comment that is never closed
    out.text = run_until(character::white_space | character::list_mark | character::open_parenthesis);
    if (const std::size_t end = at_ + out.text.size(); end < sql_.size() && sql_[end] == '(') {
      if (is_function(out.text)) return operand_kind::expression;
      out.text = run_until(character::white_space | character::list_mark);
    }
    if (out.text.empty() || hides_placeholder(out.text)) return operand_kind::none;
    take(out.text.size());
    if (equals_keyword(out.text, "null")) out = {.text = {}, .is_null = true};
    out.is_default = equals_keyword(out.text, "default");
    if (equals_keyword(out.text, "current_user") || (equals_keyword(out.text, "interval") && interval_follows())) {
      at_ = before;
      return operand_kind::expression;
    }
  }
  if (!operator_follows(operators)) return operand_kind::value;
  at_ = before;
  return operand_kind::expression;
}

bool scanner::accept_number(std::string_view& out) {
  const std::size_t bytes = number_bytes(rest());
  if (bytes == 0) return false;
  out = rest().substr(0, bytes);
  take(bytes);
  return true;
}

bool scanner::accept_placeholder(bound_value& out) {
  if (!stands_at_placeholder()) return false;
  out = bound_->at(at_);
  const std::size_t behind = at_ + 1;
  take(1);
  constexpr std::string_view ends = ",);+-*/%|=<>!";
  glued_ = at_ == behind && at_ < sql_.size() && ends.find(sql_[at_]) == std::string_view::npos;
  return true;
}

bool scanner::accept_bound_value(bound_value& out) {
  using enum bound_value::kind;
  if (accept_text(out.text)) {
    out.is = text;
    return true;
  }
  const std::size_t sign = stands_at('-') ? 1 : 0;
  if (const std::size_t bytes = number_bytes(rest().substr(sign)); bytes > 0) {
    out = {.is = number, .text = rest().substr(0, sign + bytes)};
    take(sign + bytes);
    return true;
  }
  static constexpr std::pair<std::string_view, bound_value> words[] = {
      {"null", {.is = null}}, {"true", {.is = number, .text = "1"}}, {"false", {.is = number, .text = "0"}}};
  for (const auto& [word, value] : words) {
    if (!accept_keyword(word)) continue;
    out = value;
    return true;
  }
  return false;
}

bool scanner::hides_placeholder(std::string_view value) const {
  return bound_ == nullptr ? value == "?" : value.find('?') != std::string_view::npos;
}

bool scanner::is_operator(character kinds) const {
  const auto wanted = [&](character kind) {
    return (static_cast<std::uint8_t>(kinds) & static_cast<std::uint8_t>(kind)) != 0;
  };
  const char next = at_ + 1 < sql_.size() ? sql_[at_ + 1] : '\0';
  switch (sql_[at_]) {
    case '+':
    case '-':
    case '*':
    case '%':
    case '=':
    case '<':
    case '>':
      return true;
    case '/':
      return next != '*';
    case '|':
      return next == '|';
    case '!':
      return next == '=';
    default:
      break;
  }
  const std::string_view word = peek_word();
  const auto any_of = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view w) { return equals_keyword(word, w); });
  };
  return (wanted(character::arithmetic) && any_of({"div", "mod"})) ||
         (wanted(character::comparison) && any_of({"is", "in", "like", "between", "not"}));
}

bool scanner::interval_follows() const {
  // What may follow the name of a column, so that `interval` is one.
  static constexpr std::string_view never_amounts[] = {
      "and", "as",    "between", "for",    "group", "having",    "in",    "is",  "like", "not", "on",
      "or",  "order", "limit",   "offset", "asc",   "returning", "where", "xor", "div",  "mod", "desc"};
  if (at_ >= sql_.size()) return false;
  const char first = sql_[at_];
  if (first == '\'' || first == '(' || (first >= '0' && first <= '9') || stands_at_placeholder()) return true;
  scanner ahead = *this;
  std::string_view amount;
  if (ahead.accept('-')) {
    if (!ahead.accept_number(amount)) return false;
  } else {
    if (!ahead.accept_name(amount)) return false;
    const auto is_amount = [&](std::string_view word) { return equals_keyword(amount, word); };
    if (first != '`' && std::ranges::any_of(never_amounts, is_amount)) return false;
    if (first != '`' && ahead.stands_at('(')) return is_function(amount);
  }
  return is_interval_unit(ahead.peek_word());
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
  const std::string_view run = run_until(character::white_space | character::list_mark);
  const bool needs_quotes = first != '?' && hides_placeholder(run);
  std::string_view token = needs_quotes ? run : peek_word();
  if (token.empty() && (first == '\'' || first == '`')) token = rest().substr(0, closing_quote(first) + 1 - at_);
  if (token.empty()) token = run;
  if (token.empty()) token = rest().substr(0, 1);
  if (token == "?" && bound_ == nullptr) return "`?` without a value";
  return describe(token) + (needs_quotes ? ", which needs quotes, as it has a `?`" : "");
}

std::string scanner::describe(std::string_view token) {
  const std::size_t shown = cut_at_character(token, described_bytes_max);
  return "`" + std::string(token.substr(0, shown)) + (shown < token.size() ? "...`" : "`");
}

}  // namespace pubsubsql::parser
