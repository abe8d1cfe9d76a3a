#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/bench/stock_rows.hpp"

/// The event of the publish/subscribe workloads: an update of a stock, whose `time` says which publish it is.
namespace bench {

/// What the message of such an event has before its `pubsubid`, and from there to the number of its rows.
inline constexpr std::string_view event_head = R"({"status":"ok","action":"update","pubsubid":")";
inline constexpr std::string_view event_columns = R"(","columns":["id","bid","ask","time"],"rows":)";

/// The number of the publish is in the last digits of the time. In the event's message and in each of its rows, which
/// all have the same size, it is that far from the end.
inline constexpr std::size_t number_digits = 12;
inline constexpr std::size_t number_from_row_end = number_digits + std::string_view(R"("])").size();
inline constexpr std::size_t number_from_event_end = number_from_row_end + std::string_view("]}").size();

/// Writes the number over that of a text.
inline void put_number(char* digits, std::uint64_t number) {
  for (std::size_t i = number_digits; i > 0; number /= 10) digits[--i] = static_cast<char>('0' + number % 10);
}
/// Reads the digits in front of the text. Throws std::runtime_error when they are none.
[[nodiscard]] std::uint64_t number_in(std::string_view text);

}  // namespace bench
