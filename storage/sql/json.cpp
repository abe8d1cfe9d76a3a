#include "storage/sql/json.hpp"

#include <string>

namespace pubsubsql::storage::sql {

namespace {

/// Walks over one JSON text without recursion: what encloses the place reached is on a stack of its own.
class json_walker {
 public:
  explicit json_walker(std::string_view text) : text_(text) {}

  std::optional<json_fault> walk() {
    skip_blanks();
    if (at_end()) return fault("The document is empty.");
    for (;;) {
      if (auto f = read_value_start()) return f;
      if (opened_) continue;
      if (auto f = read_value_end()) return f;
      if (open_.empty()) break;
    }
    return at_end() ? std::nullopt : std::optional(fault("The document root must not be followed by other values."));
  }

 private:
  static constexpr std::size_t depth_max = 100;

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char front() const { return at_end() ? '\0' : text_[at_]; }
  [[nodiscard]] json_fault fault(std::string_view what) const { return {what, at_}; }
  void skip_blanks() {
    while (!at_end() && (front() == ' ' || front() == '\t' || front() == '\n' || front() == '\r')) ++at_;
  }
  bool skip(char c) {
    if (at_end() || front() != c) return false;
    ++at_;
    return true;
  }

  /// A value, or the beginning of an array or object up to where its first value starts.
  std::optional<json_fault> read_value_start() {
    skip_blanks();
    opened_ = false;
    const char c = front();
    if (c == '"') return read_string();
    if (c == '{' || c == '[') return open(c);
    if (c == 't') return read_word("true");
    if (c == 'f') return read_word("false");
    if (c == 'n') return read_word("null");
    return read_number();
  }

  std::optional<json_fault> open(char c) {
    if (open_.size() == depth_max) return fault("The JSON document exceeds the maximum depth.");
    ++at_;
    skip_blanks();
    if (skip(c == '{' ? '}' : ']')) return std::nullopt;
    open_ += c;
    opened_ = true;
    return c == '{' ? read_name() : std::nullopt;
  }

  /// After a value: what closes, and the mark that leads to the next value.
  std::optional<json_fault> read_value_end() {
    for (;;) {
      skip_blanks();
      if (open_.empty()) return std::nullopt;
      const bool object = open_.back() == '{';
      if (skip(',')) {
        skip_blanks();
        return object ? read_name() : std::nullopt;
      }
      if (!skip(object ? '}' : ']')) {
        return fault(object ? "Missing a comma or '}' after an object member."
                            : "Missing a comma or ']' after an array element.");
      }
      open_.pop_back();
    }
  }

  std::optional<json_fault> read_name() {
    if (front() != '"') return fault("Missing a name for object member.");
    if (auto f = read_string()) return f;
    skip_blanks();
    if (!skip(':')) return fault("Missing a colon after a name of object member.");
    return std::nullopt;
  }

  std::optional<json_fault> read_string() {
    ++at_;
    for (; !at_end() && front() != '"'; ++at_) {
      if (static_cast<unsigned char>(front()) < 0x20) return fault("Invalid encoding in string.");
      if (front() != '\\') continue;
      ++at_;
      if (front() == 'u') {
        for (int i = 0; i < 4; ++i) {
          ++at_;
          if (std::string_view("0123456789abcdefABCDEF").find(front()) == std::string_view::npos || at_end()) {
            return fault("Incorrect hex digit after \\u escape in string.");
          }
        }
      } else if (at_end() || std::string_view("\"\\/bfnrt").find(front()) == std::string_view::npos) {
        return fault("Invalid escape character in string.");
      }
    }
    return skip('"') ? std::nullopt : std::optional(fault("Missing a closing quotation mark in string."));
  }

  std::optional<json_fault> read_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fault("Invalid value.");
    at_ += word.size();
    return std::nullopt;
  }

  bool skip_digits() {
    const std::size_t start = at_;
    while (front() >= '0' && front() <= '9') ++at_;
    return at_ > start;
  }

  std::optional<json_fault> read_number() {
    const std::size_t start = at_;
    skip('-');
    if (!skip('0') && !skip_digits()) {
      at_ = start;
      return fault("Invalid value.");
    }
    if (skip('.') && !skip_digits()) return fault("Miss fraction part in number.");
    if (skip('e') || skip('E')) {
      if (!skip('+')) skip('-');
      if (!skip_digits()) return fault("Miss exponent in number.");
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;
  bool opened_ = false;  // the last value was the beginning of one that encloses others
};

}  // namespace

std::optional<json_fault> check_json(std::string_view text) {
  return json_walker(text).walk();
}

}  // namespace pubsubsql::storage::sql
