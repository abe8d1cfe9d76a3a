#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace pubsubsql::storage::durable {

/// Tells bytes that were kept under a number from bytes that a disk has damaged: FNV-1a of both, folded to 32 bits. It
/// stands in files, so it stays as it is.
[[nodiscard]] inline std::int64_t checksum(std::int64_t number, std::string_view bytes) {
  constexpr std::uint64_t prime = 0x100000001b3;
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](unsigned char byte) { hash = (hash ^ byte) * prime; };
  for (unsigned shift = 0; shift < 64; shift += 8) {
    add(static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> shift));
  }
  for (const char c : bytes) add(static_cast<unsigned char>(c));
  return static_cast<std::int32_t>(hash ^ (hash >> 32U));
}

}  // namespace pubsubsql::storage::durable
