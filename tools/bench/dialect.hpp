#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/request_template.hpp"

namespace bench {

enum class operation { update, select, insert, publish };

/// Bytes to send and the number of replies that they have.
struct exchange {
  std::string bytes;
  std::size_t replies = 0;
};

/// The whole replies that some bytes begin with.
struct taken_replies {
  std::size_t bytes = 0;
  std::size_t replies = 0;
};

/// How a kind of server is talked to about stocks (`stock_rows.hpp`): what requests look like, and where replies end.
/// Knows bytes only, and keeps nothing of a connection.
class dialect {
 public:
  virtual ~dialect() = default;

  /// The first to be sent on any connection.
  [[nodiscard]] virtual exchange greeting() const { return {}; }
  /// Makes the table with its key and its tag; what it held is gone. One after the other.
  [[nodiscard]] virtual std::vector<exchange> make_table() const { return {}; }
  /// Sent on a connection before its first request. The table is there.
  [[nodiscard]] virtual exchange preparation() const { return {}; }

  /// By ticker: an update of bid, ask and time; a select of the whole row. An insert of a row. A message with the
  /// ticker, bid, ask and time that is not stored.
  [[nodiscard]] virtual request_template request(operation o) const = 0;
  [[nodiscard]] virtual std::size_t replies_to(operation) const { return 1; }

  /// Finds the ends of replies. Throws std::runtime_error with the server's words when one is an error.
  [[nodiscard]] virtual taken_replies take_replies(std::string_view bytes) const = 0;
};

[[nodiscard]] std::unique_ptr<dialect> make_framed_dialect();
[[nodiscard]] std::unique_ptr<dialect> make_redis_dialect();
/// Connects without a password.
[[nodiscard]] std::unique_ptr<dialect> make_postgresql_dialect(std::string database, std::string user);

}  // namespace bench
