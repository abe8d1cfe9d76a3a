#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "storage/durable/change_group.hpp"
#include "storage/durable/description_coding.hpp"
#include "storage/durable/sqlite_files.hpp"
#include "storage/durable/sqlite_wal.hpp"
#include "storage/row.hpp"

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;

namespace {

/// A directory in memory for files that consist of the input.
const std::string& scratch() {
  static const std::string path = "/dev/shm/fuzz_store_" + std::to_string(::getpid());
  return path;
}

void write(const std::string& name, std::string_view bytes) {
  std::ofstream(scratch() + "/" + name, std::ios::binary | std::ios::trunc) << bytes;
}

class discarding_loader : public table_loader {
 public:
  std::optional<std::string> on_table(const table_description&) override { return std::nullopt; }
  std::optional<std::string> on_row(row_position, std::span<const value>) override { return std::nullopt; }
};

/// What is read can be written, and is the same when it is read again.
void read_group(std::string_view bytes) {
  const change_group g = decode_group(bytes);
  if (g.empty()) return;
  std::string written;
  encode(g, written);
  const change_group again = decode_group(written);
  std::string rewritten;
  if (again.size() != g.size()) std::abort();
  encode(again, rewritten);
  if (written != rewritten) std::abort();
}

void read_description(std::string_view bytes) {
  byte_reader in(bytes);
  const table_description d = take_description(in);
  if (!in.good()) return;
  std::string written;
  put_description(written, d);
  byte_reader again(written);
  std::string rewritten;
  put_description(rewritten, take_description(again));
  if (!again.good() || written != rewritten) std::abort();
}

/// What is not as it should be is refused with a reason.
void read_files(std::string_view bytes) {
  std::filesystem::remove_all(scratch());
  std::filesystem::create_directories(scratch());
  const bool is_log = !bytes.empty() && bytes.front() == 'w';
  if (is_log) {
    static_cast<void>(sqlite_files(scratch()));
    write("pubsubsql.db-wal", bytes.substr(1));
    static_cast<void>(find_damage_in_wal(scratch() + "/pubsubsql.db-wal"));
  } else {
    write("pubsubsql.db", bytes);
  }
  try {
    sqlite_files files(scratch());
    discarding_loader loader;
    files.load(loader);
    static_cast<void>(files.read_journal([](std::string_view) { return true; }, 1000, 1U << 20));
  } catch (const sqlite_error& e) {
    if (*e.what() == '\0') std::abort();
  }
  std::filesystem::remove_all(scratch());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<value> values;
  switch (data[0]) {
    case 'g':
      read_group(bytes);
      break;
    case 'd':
      read_description(bytes);
      break;
    case 'f':
      read_files(bytes);
      break;
    default:
      // As it is read from a file: what stands before the number of columns is not looked at.
      static_cast<void>(row_view::read_values(std::string(row_view::header_bytes - 2, '\0') += bytes, values));
      break;
  }
  return 0;
}
