#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// Made-up rows of a table of stocks: a key, a tag and two texts, some 100 bytes together. The same number gives the
/// same row; a higher version gives it other texts.
struct sample_row {
  std::string ticker;
  std::string sector;
  std::string price;
  std::string note;
};

[[nodiscard]] sample_row make_row(std::uint64_t number, unsigned version);

/// `into T (...) values (...)`, to be put behind `insert ` or `stream insert `.
[[nodiscard]] std::string into_clause(const std::string& table, const sample_row& r);
/// `T set price = ..., note = ... where ticker = ...`.
[[nodiscard]] std::string set_clause(const std::string& table, const sample_row& r);

}  // namespace bench
