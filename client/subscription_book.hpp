#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <pubsubsql/reply.hpp>

namespace pubsubsql {

/// The subscriptions of one client across its connections: which handle is which number of the server just now, and
/// which statement makes it again.
///
/// Invariant: live_ holds exactly the entries whose pubsubid is not 0.
class subscription_book {
 public:
  struct entry {
    std::string sql;
    std::string table;
    bool dispatched = false;     ///< events go to a callback
    std::uint64_t pubsubid = 0;  ///< on the present connection; 0 while not confirmed
  };

  /// Notes a subscription about to be asked for. No handle when the text is no subscribe statement.
  [[nodiscard]] std::optional<subscription> add(std::string_view sql, bool dispatched);

  /// The server agreed, and this is its number.
  void confirm(subscription handle, std::uint64_t pubsubid);

  void remove(subscription handle);

  /// An unsubscribe statement succeeded: removes what it ended.
  void unsubscribed(std::string_view sql);

  /// The connection is gone: nothing is confirmed any more.
  void disconnected();

  /// Both are nullptr or `none` when there is no such subscription.
  [[nodiscard]] const entry* find(subscription handle) const;
  [[nodiscard]] subscription by_pubsubid(std::uint64_t pubsubid) const;

  /// Every handle, oldest first.
  [[nodiscard]] std::vector<subscription> handles() const;

  /// The statement that ends one subscription on the present connection.
  [[nodiscard]] static std::string unsubscribe_statement(std::string_view table, std::uint64_t pubsubid);

 private:
  std::map<subscription, entry> entries_;
  std::unordered_map<std::uint64_t, subscription> live_;
  std::uint64_t last_handle_ = 0;
};

}  // namespace pubsubsql
