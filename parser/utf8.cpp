#include "parser/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "parser/characters.hpp"

namespace pubsubsql::parser {

namespace {

struct code_point_range {
  char32_t first;
  char32_t last;
};

#include "parser/unicode_tables.inc"

template <std::size_t N>
bool contains(const code_point_range (&ranges)[N], char32_t point) {
  const auto* it = std::lower_bound(std::begin(ranges), std::end(ranges), point,
                                    [](const code_point_range& range, char32_t wanted) { return range.last < wanted; });
  return it != std::end(ranges) && it->first <= point;
}

struct decoded {
  char32_t point = 0;
  std::size_t bytes = 0;  // 0: not valid UTF-8
};

decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && is_utf8_continuation(text[i]); };
  const auto low6 = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3fU); };
  const char32_t b0 = byte(0);
  if (b0 < 0x80) return {b0, 1};
  if (b0 < 0xc2) return {};
  if (b0 < 0xe0) return continues(1) ? decoded{((b0 & 0x1fU) << 6U) | low6(1), 2} : decoded{};
  if (b0 < 0xf0) {
    if (!continues(1) || !continues(2)) return {};
    const char32_t point = ((b0 & 0x0fU) << 12U) | (low6(1) << 6U) | low6(2);
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < 0x800 || surrogate ? decoded{} : decoded{point, 3};
  }
  if (b0 > 0xf4 || !continues(1) || !continues(2) || !continues(3)) return {};
  const char32_t point = ((b0 & 0x07U) << 18U) | (low6(1) << 12U) | (low6(2) << 6U) | low6(3);
  return point < 0x10000 || point > 0x10ffff ? decoded{} : decoded{point, 4};
}

enum class name_class : std::uint8_t { other, start, inner };

struct classified {
  name_class kind = name_class::other;
  std::size_t bytes = 1;
};

classified classify(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte < 0x80) {
    if (is_any_of(text.front(), character::name_start)) return {name_class::start, 1};
    return {is_any_of(text.front(), character::name_part) ? name_class::inner : name_class::other, 1};
  }
  const auto [point, bytes] = decode(text);
  if (contains(letters, point)) return {name_class::start, bytes};
  return {contains(digits, point) ? name_class::inner : name_class::other, bytes};
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;
    if (text.size() - at >= sizeof word) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & high_bits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t bytes = decode(text.substr(at)).bytes;
    if (bytes == 0) return at;
    at += bytes;
  }
  return std::string_view::npos;
}

std::size_t name_start_bytes(std::string_view text) {
  if (text.empty()) return 0;
  const auto [kind, bytes] = classify(text);
  return kind == name_class::start ? bytes : 0;
}

std::size_t name_bytes(std::string_view text) {
  std::size_t at = name_start_bytes(text);
  if (at == 0) return 0;
  while (at < text.size()) {
    const auto [kind, bytes] = classify(text.substr(at));
    if (kind == name_class::other) break;
    at += bytes;
  }
  return at;
}

std::size_t cut_at_character(std::string_view text, std::size_t wanted) {
  if (wanted >= text.size()) return text.size();
  while (wanted > 0 && is_utf8_continuation(text[wanted])) --wanted;
  return wanted;
}

}  // namespace pubsubsql::parser
