#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <pubsubsql/event.hpp>
#include <pubsubsql/options.hpp>
#include <pubsubsql/reply.hpp>

namespace pubsubsql {

/// The subscriptions of one client across its connections: which handle is which number of the server just now, which
/// statement makes it again, and behind which change of its table it goes on then.
///
/// Invariants:
/// 1. live_ holds exactly the entries whose pubsubid is not 0.
/// 2. An entry has a position exactly when all rows up to it have been received, so that the changes behind it are all
///    that is missing. While initial rows come it has none.
class subscription_book {
 public:
  struct entry {
    std::string sql;
    std::string table;
    bool dispatched = false;     ///< events go to a callback
    std::uint64_t pubsubid = 0;  ///< on the present connection; 0 while not confirmed
    bool resume = false;
    bool skip = false;                           ///< there are no initial rows
    std::optional<std::uint64_t> position = {};  ///< of subscriptions that resume
  };

  /// Notes a subscription about to be asked for. No handle when the text is no subscribe statement.
  [[nodiscard]] std::optional<subscription> add(std::string_view sql, bool dispatched,
                                                const subscribe_options& how = {});

  /// What asks for it on the next connection: its statement, and where it resumes with its position in it.
  /// REQUIRES: the handle is known.
  [[nodiscard]] std::string statement(subscription handle) const;

  /// The server agreed, with the members of its reply. Whether it goes on behind the position it had.
  bool confirm(subscription handle, std::uint64_t pubsubid, std::optional<std::uint64_t> seq = {}, bool resync = false);

  /// An event came. Takes its position away where nothing can begin behind it.
  void passed(event& e);

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
