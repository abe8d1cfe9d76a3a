#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <pubsubsql/error.hpp>

namespace pubsubsql {

/// A value for a `?` of a statement: a number, a text, or NULL. It is data for the server, whatever it holds.
///
///     db.execute("insert into planets (name, moons) values (?, ?)", "Mars", 2);
///     db.execute("update planets set discovered = ? where name = ?", nullptr, name);
///
/// A text is not copied: it has to stay until the call that is given the parameter returns.
class parameter {
 public:
  parameter(std::nullptr_t) {}  // NOLINT: implicit, so that values can be written as they are
  parameter(std::nullopt_t) {}  // NOLINT

  /// true is 1, false is 0. Only a bool: what merely converts to one, as a pointer does, is a mistake.
  template <std::same_as<bool> T>
  parameter(T v) : value_(number{v ? "1" : "0"}) {}  // NOLINT

  template <typename T>
  requires(std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>) parameter(T v)  // NOLINT
      : value_(number{std::to_string(v)}) {}

  /// As the shortest text that is read back as the same number. Throws error (bad_value) for infinity and NaN, which
  /// SQL does not have.
  parameter(double v) : value_(number{shortest(v)}) {}  // NOLINT
  parameter(float v) : value_(number{shortest(v)}) {}   // NOLINT

  parameter(std::string_view v) : value_(v) {}                      // NOLINT
  parameter(const std::string& v) : value_(std::string_view(v)) {}  // NOLINT
  parameter(const char* v) : value_(std::string_view(v)) {}         // NOLINT

  /// NULL when there is none.
  template <typename T>
  requires std::constructible_from<parameter, const T&> parameter(const std::optional<T>& v)  // NOLINT
  {
    if (v) *this = parameter(*v);
  }

  /// Appends it as SQL has it: a number, a text in quotes, or null.
  void append_to(std::string& out) const;

 private:
  struct number {
    std::string written;
  };

  template <typename T>
  static std::string shortest(T v) {
    if (!std::isfinite(v)) throw error(errc::bad_value, "a parameter is infinite or no number; send null instead");
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, v).ptr};
  }

  std::variant<std::monostate, number, std::string_view> value_;
};

/// The statement together with the values for its `?`, in their order, as one statement, for whatever takes one:
///
///     db.subscribe(with_values("subscribe * from planets where moons > ?", 5), on_event);
///     co_await db.async_execute(with_values("delete from planets where name = ?", name), use_awaitable);
///
/// How many `?` there are is checked by the server; the offsets of its errors are those in `sql`.
[[nodiscard]] std::string with_values(std::string_view sql, std::span<const parameter> values);

template <typename... Values>
requires(sizeof...(Values) > 0 && (std::constructible_from<parameter, const Values&> && ...)) [[nodiscard]] std::string
    with_values(std::string_view sql, const Values&... values) {
  const parameter list[] = {parameter(values)...};
  return with_values(sql, std::span<const parameter>(list));
}

}  // namespace pubsubsql
