#include "storage/sql/byte_text.hpp"

#include <cstddef>

#include "storage/hex_digit.hpp"

namespace pubsubsql::storage::sql {

namespace {

constexpr std::string_view bytes_prefix = "0x";

}  // namespace

void append_digits(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::size_t begin = out.size();
  out.resize(begin + 2 * bytes.size());
  char* to = out.data() + begin;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = digits[byte >> 4U];
    *to++ = digits[byte & 0xfU];
  }
}

std::string_view write_bytes(std::string_view bytes, std::string& out) {
  out = bytes_prefix;
  append_digits(out, bytes);
  return out;
}

std::string_view read_bytes(std::string_view text, std::string& out) {
  if (!text.starts_with(bytes_prefix) || text.size() % 2 != 0) return text;
  const std::string_view digits = text.substr(bytes_prefix.size());
  out.resize(digits.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = hex_digit(digits[2 * i]);
    const auto low = hex_digit(digits[2 * i + 1]);
    if (!high || !low) return text;
    out[i] = static_cast<char>(*high * 16 + *low);
  }
  return out;
}

}  // namespace pubsubsql::storage::sql
