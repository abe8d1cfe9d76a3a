#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include "tools/bench/dialect.hpp"
#include "tools/bench/dialogue.hpp"
#include "tools/bench/server_process.hpp"

namespace bench {

/// Where a server listens already, as the command line has it: `redis:PORT` or `postgresql:PORT[/DATABASE,USER]`.
struct peer_address {
  std::string kind;
  std::uint16_t port = 0;
  std::string database;
  std::string user;

  /// Throws std::invalid_argument when there is no port.
  [[nodiscard]] static peer_address parse(const std::string& text);
};

/// A server that requests are sent to: one that is started here, or one that listens already.
class peer {
 public:
  /// A pubsubsqld with so many workers.
  [[nodiscard]] static peer pubsubsql(const std::string& binary, unsigned threads);
  /// As the command line has it: `null`, `redis:PORT` or `postgresql:PORT[/DATABASE,USER]`. Throws
  /// std::invalid_argument with what is wrong.
  [[nodiscard]] static peer named(const std::string& text);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const dialect& speech() const { return *speech_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Nothing when it is not known.
  [[nodiscard]] std::optional<pid_t> process() const { return process_; }

  /// Has the table hold so many rows and nothing else, in a server started anew if it is started here. Does nothing if
  /// that is so already. `processor`: where the server is to run.
  void fill(std::uint64_t rows, std::optional<unsigned> processor);
  /// The rows are no longer as filled.
  void spoil() { filled_ = false; }

 private:
  void insert_rows(std::uint64_t rows);
  /// Throws std::runtime_error if the row is not found.
  void expect_row(dialogue& d, std::uint64_t row) const;

  peer(std::string name, std::unique_ptr<dialect> speech) : name_(std::move(name)), speech_(std::move(speech)) {}

  std::string name_;
  std::unique_ptr<dialect> speech_;
  std::function<std::unique_ptr<server_process>()> start_;  // empty: it listens already
  std::unique_ptr<server_process> server_;
  std::uint16_t port_ = 0;
  std::optional<pid_t> process_;
  bool keeps_rows_ = true;
  bool filled_ = false;
};

}  // namespace bench
