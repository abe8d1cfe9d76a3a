#include <csignal>
#include <cstring>
#include <string>
#include <string_view>

#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "server/access_control.hpp"
#include "server/config_check.hpp"
#include "server/durable_stores.hpp"
#include "server/file_descriptors.hpp"
#include "server/mysql_service.hpp"
#include "server/options.hpp"
#include "server/server.hpp"
#include "server/version.hpp"

namespace {

/// glibc raises its own threshold for memory taken straight from the system whenever such memory is freed, and then
/// keeps freed index arrays and row segments for itself. Pinned, what the engine frees goes back to the system.
void tune_allocator() {
  constexpr int threshold_bytes = 128 << 10;
  mallopt(M_MMAP_THRESHOLD, threshold_bytes);
  mallopt(M_TRIM_THRESHOLD, threshold_bytes);
}

void start_logging(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("pubsubsqld"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(level));
  spdlog::flush_on(spdlog::level::info);
}

/// What stands on the command line can be read by everybody on the machine.
void hide_passwords(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool joined = argument.starts_with("--mysql=");
    const bool apart = argument == "--mysql" && i + 1 < argc;
    if (!joined && !apart) continue;
    char* const address = apart ? argv[i + 1] : argv[i] + std::string_view("--mysql=").size();
    std::memset(address, '*', std::strlen(address));
  }
}

/// Scripts wait for these lines, so they are printed whatever the level is.
void say_listening(const std::string& host, std::uint16_t port, std::uint16_t http_port) {
  const auto level = spdlog::get_level();
  spdlog::set_level(spdlog::level::info);
  spdlog::info("listening on {}:{}", host, port);
  if (http_port > 0) spdlog::info("http listening on {}:{}", host, http_port);
  spdlog::set_level(level);
}

/// What is left to do does not wait for signals, and none cuts it short when their handlers go.
void block_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ending, signal);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace pubsubsql::server;
  int exit_status = 0;
  const auto settings = read_options(argc, argv, exit_status);
  if (!settings) return exit_status;
  hide_passwords(argc, argv);
  tune_allocator();
  start_logging(settings->log_level);
  if (settings->check_config) return check_config(*settings);

  spdlog::info("pubsubsqld {}", version);
  if (const auto too_few = raise_file_limit(settings->connections_max)) spdlog::warn("{}", *too_few);
  durable_stores stores(*settings);
  if (const auto problem = stores.open()) {
    spdlog::error("{}", *problem);
    return 1;
  }
  server s(*settings, stores.first());
  if (const auto problem = s.load_certificates()) {
    spdlog::error("{}", *problem);
    return 1;
  }
  if (const auto problem = stores.start(s)) {
    spdlog::error("{}", *problem);
    return 1;
  }
  access_control access(s.shared());
  if (!settings->users_file.empty()) {
    if (const auto problem = access.open(settings->users_file)) {
      spdlog::error("{}", *problem);
      return 1;
    }
    s.shared().access = &access;
  }
  mysql_service mysql(s.shared(), stores);
  s.serve_mysql(mysql);
  s.shared().stores = &stores;
  if (const auto problem = s.listen()) {
    spdlog::error("{}", *problem);
    return 1;
  }
  say_listening(settings->bind, s.port(), s.http_port());
  s.run();
  block_signals();
  access.stop();
  mysql.stop();
  stores.stop();
  stores.save_histories(s);
  spdlog::info("stopped");
  return 0;
}
