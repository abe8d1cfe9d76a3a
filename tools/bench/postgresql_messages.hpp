#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

/// Messages of PostgreSQL's protocol, version 3 ("Message Formats" in PostgreSQL's manual).
namespace bench::postgresql {

/// Appends it in network order.
void append_number(std::string& out, std::uint32_t number, unsigned bytes);
[[nodiscard]] std::string zero_ended(std::string_view text);
/// The length in front of a message's body counts itself.
constexpr std::size_t length_bytes = 4;

/// One statement, or several, as text.
[[nodiscard]] std::string query(const std::string& sql);
/// The end of what makes one request: the server answers it with `Z` when it is ready for the next.
[[nodiscard]] std::string sync();
/// Prepares a statement. All parameters are of the types that PostgreSQL finds fit.
[[nodiscard]] std::string parse(std::string_view name, const std::string& sql);
/// Runs a prepared statement with texts as parameters and in the result; a transaction of its own.
[[nodiscard]] std::string run(std::string_view name, std::initializer_list<std::string_view> parameters);

struct message {
  char type;
  std::string_view body;
};
/// Takes the message off that the bytes begin with; nothing: not all of it is there. Throws std::runtime_error with the
/// server's words when it is an error.
[[nodiscard]] std::optional<message> take_message(std::string_view& bytes);

}  // namespace bench::postgresql
