#include "tools/bench/process_usage.hpp"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <unistd.h>

namespace bench {

namespace {

namespace fs = std::filesystem;

/// The inode of the socket that listens there, as /proc/net/tcp has it. IPv6 sockets take IPv4 connections as well.
std::string listening_inode(const char* list, std::uint16_t port) {
  constexpr std::string_view listen_state = "0A";
  std::ifstream file(list);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    if (state != listen_state) continue;
    if (std::stoul(local.substr(local.rfind(':') + 1), nullptr, 16) == port) return inode;
  }
  return {};
}

bool has_socket(const fs::path& process, const std::string& inode) {
  std::error_code hidden;
  for (const auto& descriptor : fs::directory_iterator(process / "fd", hidden)) {
    if (fs::read_symlink(descriptor.path(), hidden) == "socket:[" + inode + "]") return true;
  }
  return false;
}

cpu_set_t only_on(unsigned processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return set;
}

}  // namespace

process_usage process_usage::of(pid_t process) {
  const std::string directory = "/proc/" + std::to_string(process);
  process_usage usage;
  // The first number of schedstat is the time on a processor in nanoseconds; stat has it only in ticks of 10 ms.
  std::error_code gone;
  for (const auto& task : fs::directory_iterator(directory + "/task", gone)) {
    std::ifstream file(task.path() / "schedstat");
    std::int64_t nanoseconds = 0;
    file >> nanoseconds;
    usage.cpu += std::chrono::nanoseconds(nanoseconds);
  }
  std::ifstream memory(directory + "/statm");
  std::uint64_t pages = 0;
  if (!(memory >> pages >> pages)) throw std::runtime_error("there is no process " + std::to_string(process));
  usage.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return usage;
}

process_usage process_usage::settled(pid_t process) {
  constexpr std::chrono::milliseconds pause{50};
  constexpr std::chrono::nanoseconds idle_cpu_max = std::chrono::milliseconds(1);
  constexpr unsigned idle_pauses = 4;
  constexpr unsigned pauses_max = 400;
  process_usage last = of(process);
  for (unsigned idle = 0, waited = 0; idle < idle_pauses && waited < pauses_max; ++waited) {
    std::this_thread::sleep_for(pause);
    const process_usage now = of(process);
    const bool changed = now.cpu - last.cpu > idle_cpu_max || now.resident_bytes != last.resident_bytes;
    idle = changed ? 0 : idle + 1;
    last = now;
  }
  return last;
}

process_usage process_usage::of_family(pid_t process) {
  process_usage usage = of(process);
  std::error_code gone;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(process) + "/task", gone)) {
    std::ifstream children(task.path() / "children");
    for (pid_t child = 0; children >> child;) {
      const process_usage used = of_family(child);
      usage.cpu += used.cpu;
      usage.resident_bytes += used.resident_bytes;
    }
  }
  return usage;
}

std::optional<pid_t> process_listening_on(std::uint16_t port) {
  std::string inode = listening_inode("/proc/net/tcp", port);
  if (inode.empty()) inode = listening_inode("/proc/net/tcp6", port);
  if (inode.empty()) return std::nullopt;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
    if (has_socket(entry.path(), inode)) return static_cast<pid_t>(std::stol(name));
  }
  return std::nullopt;
}

pid_t listener_on(std::uint16_t port) {
  const std::optional<pid_t> process = process_listening_on(port);
  if (!process) throw std::runtime_error("cannot find the process that listens on port " + std::to_string(port));
  return *process;
}

bool bind_to_processor(pid_t process, unsigned processor) {
  const cpu_set_t only = only_on(processor);
  std::error_code hidden;
  bool bound = false;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(process) + "/task", hidden)) {
    const auto thread = static_cast<pid_t>(std::stol(task.path().filename()));
    bound = ::sched_setaffinity(thread, sizeof only, &only) == 0;
    if (!bound) break;
  }
  return bound;
}

processor_binding::processor_binding(std::optional<unsigned> processor) : before_{} {
  ::sched_getaffinity(0, sizeof before_, &before_);
  if (!processor) return;
  const cpu_set_t only = only_on(*processor);
  ::sched_setaffinity(0, sizeof only, &only);
}

processor_binding::~processor_binding() {
  ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace bench
