#include "storage/durable/sqlite_wal.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

// The format: https://www.sqlite.org/fileformat.html#the_write_ahead_log. All numbers are big-endian; checksums are
// made of words in the byte order that the first number tells.

namespace pubsubsql::storage::durable {

namespace {

constexpr std::size_t header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;
constexpr std::uint32_t magic = 0x377f0682;  // its last bit: words of checksums are big-endian
constexpr std::uint32_t page_bytes_max = 65'536;

std::uint32_t big_endian(const char* at) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8U | static_cast<unsigned char>(at[i]);
  return number;
}

std::uint32_t little_endian(const char* at) {
  std::uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = number << 8U | static_cast<unsigned char>(at[i]);
  return number;
}

class wal_checksum {
 public:
  explicit wal_checksum(bool is_big_endian) : word_(is_big_endian ? big_endian : little_endian) {}

  void add(std::string_view bytes) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first_ += word_(bytes.data() + at) + second_;
      second_ += word_(bytes.data() + at + 4) + first_;
    }
  }
  [[nodiscard]] bool is_at(const char* stored) const {
    return big_endian(stored) == first_ && big_endian(stored + 4) == second_;
  }

 private:
  std::uint32_t (*word_)(const char*);
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

/// What tells the frames of one round through the file from those of rounds before.
std::string_view salts_of(const std::vector<char>& frame) {
  return {frame.data() + 8, 8};
}

std::string damaged_at(const std::string& path, std::uint64_t at) {
  return path + " is damaged at byte " + std::to_string(at) +
         ": committed changes that come after it would be lost; restore the directory from a backup, or, to go on "
         "without those changes, move that file away";
}

}  // namespace

std::optional<std::string> find_damage_in_wal(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, header_bytes> header{};
  if (!file.read(header.data(), header.size())) return std::nullopt;
  const std::uint32_t page_bytes = big_endian(header.data() + 8);
  const bool is_known = (big_endian(header.data()) & ~1U) == magic && page_bytes >= 512 && page_bytes <= page_bytes_max;
  wal_checksum sum((big_endian(header.data()) & 1U) != 0);
  sum.add({header.data(), 24});
  // SQLite would take none of a file with such a header. One that has never been written is empty.
  if (!is_known || !sum.is_at(header.data() + 24)) return damaged_at(path, 0);

  const std::string salts(header.data() + 16, 8);
  std::vector<char> frame(frame_header_bytes + page_bytes);
  std::optional<std::uint64_t> broken;
  int commits_behind = 0;
  for (std::uint64_t at = header_bytes; file.read(frame.data(), static_cast<std::streamsize>(frame.size()));
       at += frame.size()) {
    if (!broken) {
      sum.add({frame.data(), 8});
      sum.add({frame.data() + frame_header_bytes, page_bytes});
      if (salts_of(frame) == salts && sum.is_at(frame.data() + 16)) continue;
      broken = at;
    }
    const bool ends_transaction = big_endian(frame.data() + 4) != 0;
    if (salts_of(frame) == salts && ends_transaction) ++commits_behind;
  }
  // The last transaction may have been under way when the machine went down: it was not acknowledged then.
  if (!broken || commits_behind < 2) return std::nullopt;
  return damaged_at(path, *broken);
}

}  // namespace pubsubsql::storage::durable
