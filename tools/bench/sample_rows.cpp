#include "tools/bench/sample_rows.hpp"

#include <array>
#include <cstdio>

namespace bench {

namespace {

constexpr std::uint64_t sectors = 100;

}  // namespace

sample_row make_row(std::uint64_t number, unsigned version) {
  std::array<char, 32> ticker{};
  std::snprintf(ticker.data(), ticker.size(), "stock-%010llu", static_cast<unsigned long long>(number));
  const std::uint64_t mixed = (number * 0x9E3779B97F4A7C15U) ^ (version * 0xC2B2AE3D27D4EB4FU);
  return {
      .ticker = ticker.data(),
      .sector = "sector-" + std::to_string(number % sectors),
      .price = std::to_string(mixed % 100'000) + "." + std::to_string(10 + mixed / 100'000 % 90),
      .note = "revision " + std::to_string(version) + " of the note that goes with number " + std::to_string(mixed)};
}

std::string into_clause(const std::string& table, const sample_row& r) {
  return "into " + table + " (ticker, sector, price, note) values (" + r.ticker + ", " + r.sector + ", " + r.price +
         ", '" + r.note + "')";
}

std::string set_clause(const std::string& table, const sample_row& r) {
  return table + " set price = " + r.price + ", note = '" + r.note + "' where ticker = " + r.ticker;
}

}  // namespace bench
