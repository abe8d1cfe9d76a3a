#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// The frame codec of the wire protocol (`docs/protocol.md`): an 8-byte header, big-endian, then the payload.
namespace pubsubsql::parser {

inline constexpr std::size_t frame_header_bytes = 8;

struct frame_header {
  std::uint32_t payload_bytes = 0;
  std::uint32_t request_id = 0;  ///< 0 marks a published event; clients never use it

  bool operator==(const frame_header&) const = default;
};

[[nodiscard]] constexpr std::array<char, frame_header_bytes> encode(frame_header header) {
  const auto byte = [](std::uint32_t word, int shift) { return static_cast<char>((word >> shift) & 0xffU); };
  const auto [size, id] = header;
  return {byte(size, 24), byte(size, 16), byte(size, 8), byte(size, 0),
          byte(id, 24),   byte(id, 16),   byte(id, 8),   byte(id, 0)};
}

/// REQUIRES: bytes.size() >= frame_header_bytes.
[[nodiscard]] constexpr frame_header decode_frame_header(std::string_view bytes) {
  const auto word = [bytes](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  return {.payload_bytes = word(0), .request_id = word(4)};
}

}  // namespace pubsubsql::parser
