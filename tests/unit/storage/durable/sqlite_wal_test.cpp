#include "storage/durable/sqlite_wal.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "storage/durable/checksum.hpp"
#include "storage/durable/sqlite_database.hpp"

using namespace pubsubsql::storage::durable;

namespace {

/// A database whose last five transactions are in its log only, and what the log consists of.
class open_log {
 public:
  open_log() : directory_(std::filesystem::temp_directory_path() / ("wal_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    database_ = std::make_unique<sqlite_database>(path());
    database_->run("pragma journal_mode = wal");
    database_->run("create table t (a)");
    database_->run("pragma wal_checkpoint(truncate)");
    for (int i = 0; i < 5; ++i) database_->run("insert into t values (1)");
    std::ifstream in(path() + "-wal", std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
  }
  ~open_log() {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  open_log(const open_log&) = delete;
  open_log& operator=(const open_log&) = delete;

  [[nodiscard]] std::string path() const { return (directory_ / "db").string(); }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  /// What is said of a log of these bytes.
  [[nodiscard]] std::string damage_in(const std::string& bytes) const {
    const std::string copy = (directory_ / "copy-wal").string();
    std::ofstream(copy, std::ios::binary | std::ios::trunc) << bytes;
    return find_damage_in_wal(copy).value_or("");
  }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<sqlite_database> database_;
  std::string bytes_;
};

constexpr std::size_t frame_bytes = 24 + 4096;

}  // namespace

TEST_CASE("wal: sound logs, and logs that a crash cut off") {
  const open_log log;
  REQUIRE(log.bytes().size() == 32 + 5 * frame_bytes);
  CHECK_FALSE(find_damage_in_wal("/does/not/exist"));
  CHECK(log.damage_in("").empty());
  for (std::size_t size = 0; size <= log.bytes().size(); size += 517) {
    INFO("cut to " << size);
    CHECK(log.damage_in(log.bytes().substr(0, size)).empty());
  }
  // Frames of an earlier round through the file may follow.
  std::string earlier = log.bytes();
  for (std::size_t frame = 2; frame < 5; ++frame) earlier[32 + frame * frame_bytes + 8] ^= 0x55;
  CHECK(log.damage_in(earlier).empty());
  // The last transaction, which nobody has been told of.
  std::string torn = log.bytes();
  torn[32 + 4 * frame_bytes + 100] ^= 1;
  CHECK(log.damage_in(torn).empty());
}

TEST_CASE("wal: a bit that has changed before the last transaction is found") {
  const open_log log;
  for (std::size_t at = 0; at < 32 + 3 * frame_bytes; at += 97) {
    INFO("byte " << at);
    std::string damaged = log.bytes();
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const std::string found = log.damage_in(damaged);
    CHECK(found.find("is damaged at byte") != std::string::npos);
  }
}

TEST_CASE("checksums: a bit in the bytes or in the number makes another") {
  const std::string bytes = "some bytes of a row";
  const std::int64_t right = checksum(7, bytes);
  CHECK(right == checksum(7, bytes));
  CHECK(right != checksum(8, bytes));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK(checksum(7, changed) != right);
  }
}
