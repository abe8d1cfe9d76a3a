#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parser/ast.hpp"
#include "parser/characters.hpp"

namespace pubsubsql::parser {

/// What stands where a value may stand.
enum class operand_kind : std::uint8_t {
  none,
  value,      ///< a value alone, quoted or bare
  expression  ///< a name in backquotes, a call, an interval, something in parentheses, or a value before an operator
};

class placeholders;

/// Reads a statement word by word. What a run of characters means depends on where it stands (a bare value may hold
/// nearly anything), so the parser asks for what the grammar has there, and gets it or not.
///
/// Everything read is a view into the statement; only doubled quotes cost a copy, into the arena. The scanner stands at
/// the first character of the next token, or at the end: white space and comments are passed over at once.
class scanner {
 public:
  /// `bound` has the values of the statement's `?`; nullptr: it may have none. REQUIRES: `sql` is valid UTF-8; all
  /// outlive the scanner.
  scanner(std::string_view sql, statement_arena& arena, placeholders* bound = nullptr);

  /// Byte of the next token in the statement, or the statement's size.
  [[nodiscard]] std::size_t offset() const { return at_; }

  /// Goes back to an offset() taken before.
  void rewind(std::size_t offset) { at_ = offset; }

  /// Whether nothing is left but `;`.
  [[nodiscard]] bool at_end() const { return at_ == sql_.size() || is_blank_rest(at_); }

  /// The word the scanner stands at, empty if it stands at something else. Nothing is taken.
  [[nodiscard]] std::string_view peek_word() const;

  // Each takes what it is asked for and returns true, or takes nothing and returns false.

  bool accept(char symbol);
  bool accept_symbol(std::string_view symbol);
  /// REQUIRES: `keyword` consists of lower case ASCII letters.
  bool accept_keyword(std::string_view keyword);
  /// Whether it stands next; nothing is taken. REQUIRES: as for accept_keyword().
  [[nodiscard]] bool keyword_follows(std::string_view keyword) const;
  /// A name, plain or in backquotes.
  bool accept_name(std::string_view& out);
  /// A quoted or bare value.
  bool accept_value(literal& out);
  /// A value alone. Takes nothing if it is none, or an expression; `operators` says which make it one.
  [[nodiscard]] operand_kind accept_operand(literal& out, character operators);
  /// A number without a sign: 12, 1.5, .5, 1e3.
  bool accept_number(std::string_view& out);
  /// A quoted text.
  bool accept_text(std::string_view& out);
  /// A `?` that stands for a value.
  bool accept_placeholder(bound_value& out);
  /// A value that is to be bound: a quoted text, a number with or without `-`, null, true or false.
  bool accept_bound_value(bound_value& out);
  /// A quoted value, or everything up to white space.
  bool accept_address(std::string_view& out);

  /// Whether an operator of these kinds stands next.
  [[nodiscard]] bool operator_follows(character kinds) const {
    return at_ < sql_.size() && is_any_of(sql_[at_], kinds) && is_operator(kinds);
  }

  /// Whether this character stands next.
  [[nodiscard]] bool stands_at(char symbol) const { return at_ < sql_.size() && sql_[at_] == symbol; }

  /// Whether the word `interval`, which was just taken, begins an interval rather than being a name or a value.
  [[nodiscard]] bool interval_follows() const;

  /// What was written from an offset() on, up to the end of what was taken last.
  [[nodiscard]] std::string_view source_from(std::size_t offset) const { return sql_.substr(offset, taken_ - offset); }

  /// Whether a `?` that stands for a value is next.
  [[nodiscard]] bool stands_at_placeholder() const { return bound_ != nullptr && stands_at('?'); }

  /// Whether the quoted value, or `?`, taken last runs straight into something else, as in `'a'b`.
  [[nodiscard]] bool glued() const { return glued_; }

  /// What stands next, for an error message; long text is cut.
  [[nodiscard]] std::string describe_next() const;
  /// A token, or the value that is bound to one, cut if it is long.
  [[nodiscard]] static std::string describe(std::string_view token);

 private:
  [[nodiscard]] std::string_view rest() const { return sql_.substr(at_); }
  [[nodiscard]] bool is_blank_rest(std::size_t from) const;
  [[nodiscard]] std::string_view run_until(character stop) const;
  void take(std::size_t bytes) {
    at_ += bytes;
    taken_ = at_;
    skip_blanks();
  }
  void skip_blanks();
  [[nodiscard]] bool is_operator(character kinds) const;
  /// Whether a bare value has a `?` that would be lost in it.
  [[nodiscard]] bool hides_placeholder(std::string_view value) const;
  [[nodiscard]] std::string_view peek_any_word() const;
  bool accept_quoted(char quote, std::string_view& out);
  bool accept_bound(literal& out);
  [[nodiscard]] std::size_t closing_quote(char quote) const;
  std::string_view undouble(std::string_view inner, char quote);

  std::string_view sql_;
  statement_arena& arena_;
  placeholders* bound_;
  std::size_t at_ = 0;
  std::size_t taken_ = 0;  // end of the token taken last
  bool glued_ = false;
};

/// The size of the white space and comments at the start of `text`. A comment that is never closed is not one.
[[nodiscard]] std::size_t blank_bytes(std::string_view text);

/// The size of the number, without a sign, at the start of `text`: 12, 1.5, .5, 1e3. 0: there is none.
[[nodiscard]] std::size_t number_bytes(std::string_view text);

// What every statement takes several times. Names beyond ASCII and comments are rare and cost a call.

inline void scanner::skip_blanks() {
  while (at_ < sql_.size() && is_white_space(sql_[at_])) ++at_;
  if (at_ < sql_.size() && (sql_[at_] == '-' || sql_[at_] == '/')) at_ += blank_bytes(rest());
}

inline std::string_view scanner::peek_word() const {
  if (at_ == sql_.size() || !is_any_of(sql_[at_], character::name_start)) return peek_any_word();
  std::size_t end = at_ + 1;
  while (end < sql_.size() && is_any_of(sql_[end], character::name_part)) ++end;
  if (end < sql_.size() && is_any_of(sql_[end], character::beyond_ascii)) return peek_any_word();
  return sql_.substr(at_, end - at_);
}

inline bool scanner::accept(char symbol) {
  if (at_ == sql_.size() || sql_[at_] != symbol) return false;
  take(1);
  return true;
}

inline bool scanner::accept_symbol(std::string_view symbol) {
  if (!rest().starts_with(symbol)) return false;
  take(symbol.size());
  return true;
}

inline bool scanner::keyword_follows(std::string_view keyword) const {
  if (sql_.size() - at_ < keyword.size()) return false;
  for (std::size_t i = 0; i < keyword.size(); ++i) {
    if ((sql_[at_ + i] | ' ') != keyword[i]) return false;  // upper case letters differ from lower in this bit only
  }
  return peek_word().size() == keyword.size();
}

inline bool scanner::accept_keyword(std::string_view keyword) {
  if (!keyword_follows(keyword)) return false;
  take(keyword.size());
  return true;
}

}  // namespace pubsubsql::parser
