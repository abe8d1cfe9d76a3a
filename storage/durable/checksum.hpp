#pragma once

#include <cstdint>
#include <string_view>

namespace pubsubsql::storage::durable {

/// FNV-1a with 64 bits, of all that is added one behind the other, numbers as eight bytes, the lowest first. Its values
/// stand in files, so it stays as it is.
class fnv_1a {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) add(static_cast<unsigned char>(c));
  }
  void add(std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) add(static_cast<unsigned char>(number >> shift));
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  void add(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }

  std::uint64_t hash_ = 0xcbf29ce484222325;
};

/// Tells bytes that were kept under a number from bytes that a disk has damaged: the hash of both, folded to 32 bits.
[[nodiscard]] inline std::int64_t checksum(std::int64_t number, std::string_view bytes) {
  fnv_1a both;
  both.add(static_cast<std::uint64_t>(number));
  both.add(bytes);
  return static_cast<std::int32_t>(both.hash() ^ (both.hash() >> 32U));
}

}  // namespace pubsubsql::storage::durable
