#include "tools/bench/request_template.hpp"

#include <array>
#include <cstring>

namespace bench {

namespace {

constexpr unsigned pair_values = 100;
constexpr std::size_t pair_digits = 2;

constexpr std::array<char, pair_values * pair_digits> make_pairs() {
  std::array<char, pair_values * pair_digits> pairs{};
  for (std::size_t i = 0; i < pair_values; ++i) {
    pairs[pair_digits * i] = static_cast<char>('0' + i / 10);
    pairs[pair_digits * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}

constexpr auto pairs = make_pairs();

/// The last digits of a number, an even count of them.
void put_digits(char* to, std::size_t digits, std::uint64_t number) {
  for (std::size_t end = digits; end > 0; end -= pair_digits) {
    std::memcpy(to + end - pair_digits, pairs.data() + pair_digits * (number % pair_values), pair_digits);
    number /= pair_values;
  }
}

/// Of a row's time only the last digits change.
constexpr std::size_t changing_time_digits = 8;
static_assert(ticker_digits % pair_digits == 0 && sector_digits % pair_digits == 0);
static_assert(stock_sectors == pair_values && changing_time_digits <= time_digits);

}  // namespace

stock_row request_template::row() {
  constexpr std::uint64_t number = 98'765;
  constexpr unsigned version = 1'234'567'890;
  return make_stock(number, version);
}

request_template::request_template(std::string bytes, std::optional<std::size_t> id_at)
    : bytes_(std::move(bytes)), id_at_(id_at) {
  const stock_row like = row();
  find(like.ticker, ticker_digits, tickers_);
  find(like.sector, sector_digits, sectors_);
  find(like.time, changing_time_digits, times_);
}

void request_template::find(const std::string& text, std::size_t digits, std::vector<std::size_t>& places) const {
  for (std::size_t at = bytes_.find(text); at != std::string::npos; at = bytes_.find(text, at + text.size())) {
    places.push_back(at + text.size() - digits);
  }
}

void request_template::write(char* to, std::uint64_t row, std::uint32_t request_id) const {
  std::memcpy(to, bytes_.data(), bytes_.size());
  if (id_at_) {
    const std::uint32_t id = __builtin_bswap32(request_id);
    std::memcpy(to + *id_at_, &id, sizeof id);
  }
  for (const std::size_t at : tickers_) put_digits(to + at, ticker_digits, row);
  for (const std::size_t at : sectors_) put_digits(to + at, sector_digits, row);
  for (const std::size_t at : times_) put_digits(to + at, changing_time_digits, request_id);
}

}  // namespace bench
