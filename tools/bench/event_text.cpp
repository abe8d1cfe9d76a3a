#include "tools/bench/event_text.hpp"

#include <stdexcept>

namespace bench {

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  const std::string_view digits = text.substr(0, number_digits);
  for (const char c : digits) {
    if (c < '0' || c > '9') throw std::runtime_error("not the number of an event: " + std::string(digits));
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

}  // namespace bench
