#include "server/metrics/process_usage.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pubsubsql::server {

namespace {

double cpu_seconds(clockid_t of) {
  timespec taken{};
  ::clock_gettime(of, &taken);
  return static_cast<double>(taken.tv_sec) + static_cast<double>(taken.tv_nsec) / 1e9;
}

/// /proc/self/statm: the size, the resident part and more, in pages.
void read_memory(process_usage& out) {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(file >> size >> resident)) return;
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  out.virtual_bytes = size * page_bytes;
  out.resident_bytes = resident * page_bytes;
}

std::uint64_t count_open_files() {
  constexpr const char* directory = "/proc/self/fd";
  struct stat about {};
  if (::stat(directory, &about) == 0 && about.st_size > 0) return static_cast<std::uint64_t>(about.st_size);
  std::error_code failed;
  const std::filesystem::directory_iterator files(directory, failed);
  // The one that lists them is among them.
  return failed ? 0 : static_cast<std::uint64_t>(std::distance(begin(files), end(files))) - 1;
}

/// The 22nd field of /proc/self/stat: clock ticks from the boot of the system to the start of the process. The second
/// is a name in parentheses, with anything in it.
double read_start() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  constexpr int fields_between = 19;
  std::string field;
  for (int i = 0; i < fields_between; ++i) fields >> field;
  double ticks = 0;
  if (!(fields >> ticks)) return 0;
  timespec now{};
  timespec since_boot{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  return static_cast<double>(now.tv_sec - since_boot.tv_sec) +
         static_cast<double>(now.tv_nsec - since_boot.tv_nsec) / 1e9 +
         ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

process_usage read_process_usage() {
  static const double started_at = read_start();
  process_usage out;
  read_memory(out);
  out.open_files = count_open_files();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) out.open_files_max = files.rlim_cur;
  out.cpu_seconds = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  out.started_at_seconds = started_at;
  return out;
}

double thread_cpu_seconds() {
  return cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
}

}  // namespace pubsubsql::server
