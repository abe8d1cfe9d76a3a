#include "tools/bench/server_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

namespace {

std::vector<std::string> server_command(const std::string& binary, const std::vector<std::string>& flags) {
  std::vector<std::string> words = {binary, "--port", "0", "--http-port", "0", "--log-level", "warning"};
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

}  // namespace

server_process::server_process(const std::string& binary, const std::vector<std::string>& flags)
    : server_process(server_command(binary, flags)) {}

std::unique_ptr<server_process> server_process::start_null() {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  return std::unique_ptr<server_process>(new server_process({self, "null-server", "--port", "0"}));
}

server_process::server_process(std::vector<std::string> command) {
  spawn(std::move(command));
  wait_until_listening();
  log_reader_ = std::thread([log = log_] {
    std::array<char, 4096> said;
    for (ssize_t n = 0; (n = ::read(log, said.data(), said.size())) > 0;) std::cerr.write(said.data(), n);
  });
}

server_process::~server_process() {
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
  if (log_reader_.joinable()) log_reader_.join();
  ::close(log_);
}

void server_process::spawn(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  const int problem = ::posix_spawn(&process_, arguments.front(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  log_ = ends[0];
  if (problem == 0) return;
  ::close(log_);
  throw std::system_error(problem, std::generic_category(), "cannot start " + command.front());
}

void server_process::wait_until_listening() {
  constexpr std::string_view sign = "listening on ";
  std::string said;
  for (char c = 0; ::read(log_, &c, 1) == 1;) {
    said += c;
    if (c != '\n' || said.find(sign) == std::string::npos) continue;
    port_ = static_cast<std::uint16_t>(std::stoi(said.substr(said.rfind(':') + 1)));
    return;
  }
  ::waitpid(process_, nullptr, 0);
  ::close(log_);
  throw std::runtime_error("the server does not start:\n" + said);
}

}  // namespace bench
