#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>

#include <pubsubsql/error.hpp>

namespace pubsubsql {

/// One column's value in one row: text, or NULL. A view, valid as long as the reply or event that it came from.
class value {
 public:
  value(std::optional<std::string_view> text, std::string_view column) : text_(text), column_(column) {}

  [[nodiscard]] bool is_null() const { return !text_; }

  /// The text as the server sent it; empty for NULL, which is_null() tells from an empty string.
  [[nodiscard]] std::string_view text() const { return text_.value_or(std::string_view{}); }

  /// The value as a number (any arithmetic type but bool and characters) or as a std::string. Throws error
  /// (bad_value) when it is NULL, when not all of it is such a number, and when the number does not fit the type.
  template <typename T>
  [[nodiscard]] T as() const {
    if (!text_) fail("is NULL; ask is_null() first");
    if constexpr (std::same_as<T, std::string>) {
      return std::string(*text_);
    } else {
      return number<T>();
    }
  }

  friend bool operator==(const value& v, std::string_view text) { return v.text_ == text; }
  friend std::ostream& operator<<(std::ostream& out, const value& v) { return out << v.text_.value_or("NULL"); }

 private:
  template <typename T>
  requires(std::integral<T> || std::floating_point<T>) && (!std::same_as<T, bool>)&&(!std::same_as<T, char>)
                                                              [[nodiscard]] T number() const {
    T n{};
    const char* end = text_->data() + text_->size();
    const auto [stop, failure] = std::from_chars(text_->data(), end, n);
    if (failure == std::errc::result_out_of_range) fail("is out of the number type's range");
    if (failure != std::errc{} || stop != end) fail("is no such number");
    return n;
  }

  [[noreturn]] void fail(const char* why) const {
    std::string what = "column '" + std::string(column_) + "' ";
    if (text_) what += "holds '" + std::string(text_->substr(0, 64)) + "', which ";
    throw error(errc::bad_value, what + why);
  }

  std::optional<std::string_view> text_;
  std::string_view column_;
};

}  // namespace pubsubsql
