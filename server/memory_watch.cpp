#include "server/memory_watch.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace pubsubsql::server {

namespace {

std::uint64_t page_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// The number that the file begins with; nothing where there is none, such as `max`.
std::uint64_t number_in(const char* path, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? number : otherwise;
}

}  // namespace

std::uint64_t resident_bytes() {
  // /proc/self/statm: the size, the resident part and more, in pages.
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t length = ::read(file, text.data(), text.size());
  ::close(file);
  if (length <= 0) return 0;
  const char* const begin = text.data();
  const char* const end = begin + length;
  const char* const second = std::find(begin, end, ' ');
  std::uint64_t pages = 0;
  if (second != end) std::from_chars(second + 1, end, pages);
  return pages * page_bytes();
}

std::uint64_t resident_bytes_peak() {
  // Not what getrusage tells, which begins with the size of the process that this one was started by.
  std::ifstream file("/proc/self/status");
  constexpr std::string_view name = "VmHWM:";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;  // in kB
  }
  return 0;
}

std::uint64_t memory_for_process() {
  const std::uint64_t machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page_bytes();
  const std::uint64_t group = std::min(number_in("/sys/fs/cgroup/memory.max", machine),
                                       number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", machine));
  return std::min(machine, group);
}

void memory_watch::look(std::uint64_t used) {
  const std::uint64_t enough = limit_ - limit_ / 20;
  if (exceeded() == 0 && used > limit_) {
    exceeded_.store(limit_, std::memory_order_relaxed);
    spdlog::error(
        "out of memory: {} bytes are in use, more than {}; statements that add to it are refused until it is less than "
        "{}: delete rows, end subscriptions, or raise --max-memory",
        used, limit_, enough);
  } else if (exceeded() != 0 && used < enough) {
    exceeded_.store(0, std::memory_order_relaxed);
    spdlog::warn("memory is free again: {} bytes are in use; all statements are taken", used);
  }
}

}  // namespace pubsubsql::server
