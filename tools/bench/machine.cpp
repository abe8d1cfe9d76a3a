#include "tools/bench/machine.hpp"

#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace bench {

namespace {

/// What follows the separator in the first line that begins so; empty when there is none.
std::string value_in(const char* path, std::string_view begin, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(begin)) continue;
    std::string value = line.substr(line.find(separator) + 1);
    std::erase(value, '"');
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
  }
  return {};
}

}  // namespace

void describe_machine(report& out) {
  out.fact("cores", std::to_string(std::thread::hardware_concurrency()));
  out.fact("processor", value_in("/proc/cpuinfo", "model name", ':'));
  out.fact("system", value_in("/etc/os-release", "PRETTY_NAME", '='));
}

}  // namespace bench
