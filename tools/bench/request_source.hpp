#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/bench/dialect.hpp"

namespace bench {

/// Requests one after the other: operations by a pattern that repeats, updates, selects and messages about any of
/// the rows by chance (the same in every run), inserts of rows behind them. Allocates nothing after it was made.
class request_source {
 public:
  struct request {
    std::size_t bytes = 0;
    std::uint32_t replies = 0;
  };

  /// REQUIRES: `rows` > 0 unless the pattern has inserts only.
  request_source(const dialect& speech, std::vector<operation> pattern, std::uint64_t rows);

  /// No request is larger.
  [[nodiscard]] std::size_t bytes_max() const;
  /// Writes the next one.
  request write_next(char* to);

 private:
  [[nodiscard]] std::uint64_t any_row();

  struct spelling {
    request_template form;
    std::uint32_t replies;
  };
  std::array<spelling, 4> spellings_;  // by operation
  std::vector<operation> pattern_;
  std::uint64_t rows_;
  std::size_t next_ = 0;
  std::uint64_t inserted_ = 0;
  std::uint32_t requests_ = 0;
  std::uint64_t chance_ = 0x9E3779B97F4A7C15U;
};

}  // namespace bench
