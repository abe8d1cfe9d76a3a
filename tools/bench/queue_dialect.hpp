#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tools/bench/dialect.hpp"

namespace bench {

/// How a queue of a kind of server is filled, and how workers empty it. Knows bytes only, and keeps nothing of a
/// connection.
class queue_dialect {
 public:
  /// `speech`: how the server is talked to otherwise.
  explicit queue_dialect(std::unique_ptr<dialect> speech) : speech_(std::move(speech)) {}
  virtual ~queue_dialect() = default;
  queue_dialect(const queue_dialect&) = delete;
  queue_dialect& operator=(const queue_dialect&) = delete;

  [[nodiscard]] const dialect& speech() const { return *speech_; }

  /// Makes the queue; what it held is gone. One after the other.
  [[nodiscard]] virtual std::vector<exchange> make_queue(bool durable) const = 0;
  /// Adds a row for each number from `begin` up to `end`.
  [[nodiscard]] virtual exchange push(std::uint64_t begin, std::uint64_t end) const = 0;
  /// Sent on a worker's connection before its first pop.
  [[nodiscard]] virtual exchange preparation(bool durable) const = 0;
  /// Takes some rows off the queue. It has one reply.
  [[nodiscard]] virtual std::string pop() const = 0;

  struct reply {
    std::size_t bytes = 0;     ///< 0: not all of it is there
    std::uint64_t rows = 0;    ///< that were taken off
    exchange acknowledgement;  ///< to be sent for them
  };
  /// Reads the reply that the bytes begin with. Throws std::runtime_error with the server's words when it is an error.
  [[nodiscard]] virtual reply read_reply(std::string_view bytes) const = 0;

 private:
  std::unique_ptr<dialect> speech_;
};

/// Leases, and acknowledgements by id.
[[nodiscard]] std::unique_ptr<queue_dialect> make_framed_queue(unsigned rows_of_a_pop);
/// Rows that are deleted as they are read, `for update skip locked`; in an unlogged table unless durable. Connects
/// without a password.
[[nodiscard]] std::unique_ptr<queue_dialect> make_postgresql_queue(std::string database, std::string user,
                                                                   unsigned rows_of_a_pop);

}  // namespace bench
