#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/stock_rows.hpp"

namespace bench {

/// A request in the bytes it is sent as, in which only the digits of a row's number change from one to the next. Making
/// one is a copy and a few stores.
class request_template {
 public:
  /// The row that a request is spelled with to become a template.
  [[nodiscard]] static stock_row row();

  /// Bytes of a request about row(): wherever its ticker, sector and time stand, there are those of other rows later.
  /// `id_at`: where the number of the request goes, as 32 bits big-endian.
  explicit request_template(std::string bytes, std::optional<std::size_t> id_at = std::nullopt);

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  /// Writes size() bytes.
  void write(char* to, std::uint64_t row, std::uint32_t request_id) const;

 private:
  void find(const std::string& text, std::size_t digits, std::vector<std::size_t>& places) const;

  std::string bytes_;
  std::optional<std::size_t> id_at_;
  std::vector<std::size_t> tickers_;
  std::vector<std::size_t> sectors_;
  std::vector<std::size_t> times_;
};

}  // namespace bench
