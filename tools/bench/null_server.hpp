#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/null_events.hpp"
#include "tools/bench/workload.hpp"

namespace bench {

/// A server that speaks the framed protocol and does nothing else: it goes from frame to frame by their lengths and
/// answers each with a reply made beforehand; updates become ready-made events for those who have subscribed. It shows
/// what one core and the loopback interface allow. One thread; a subcommand of the program, so that the other workloads
/// can start it as a process of its own.
class null_server : public workload {
 public:
  null_server();
  ~null_server() override;

  [[nodiscard]] std::string name() const override { return "null-server"; }
  [[nodiscard]] std::string description() const override {
    return "Serves ready-made replies until it is killed: the practical limit for the other workloads";
  }
  void add_options(CLI::App& to) override;
  /// Says `listening on 127.0.0.1:PORT` on stderr, and serves until the process ends.
  void run(report& out) override;

 private:
  struct connection;

  void listen();
  void accept_all();
  void on_ready(connection& c);
  /// One read. False when the connection is to be closed.
  [[nodiscard]] bool receive(connection& c);
  /// Answers the whole frames that these bytes begin with; returns how many bytes those are.
  [[nodiscard]] std::size_t take_frames(connection& c, std::string_view bytes);
  /// Sends what the kernel takes now. False when the connection is to be closed.
  [[nodiscard]] bool flush(connection& c);
  /// Sends the events of a turn, all of a connection together.
  void flush_events();
  void watch(connection& c, bool to_write);
  void close(connection& c);

  std::uint16_t port_ = 0;
  int listener_ = -1;
  int epoll_ = -1;
  std::vector<std::unique_ptr<connection>> connections_;  // by descriptor
  null_events events_;
  std::vector<char> input_;
};

}  // namespace bench
