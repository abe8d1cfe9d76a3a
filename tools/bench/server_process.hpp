#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace bench {

/// A pubsubsqld, or a null server, on a free port of this machine, from its start to its orderly end.
class server_process {
 public:
  /// Starts it and returns when it listens. Throws std::runtime_error with what it said when it does not.
  server_process(const std::string& binary, const std::vector<std::string>& flags);
  ~server_process();
  /// Starts a null server: this program once more.
  [[nodiscard]] static std::unique_ptr<server_process> start_null();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  /// The first word is the program's path.
  explicit server_process(std::vector<std::string> command);
  void spawn(std::vector<std::string> command);
  void wait_until_listening();

  pid_t process_ = -1;
  int log_ = -1;
  std::uint16_t port_ = 0;
  std::thread log_reader_;  // passes on what the server says after it listens
};

}  // namespace bench
