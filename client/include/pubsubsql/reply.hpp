#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pubsubsql/error.hpp>
#include <pubsubsql/rows.hpp>

namespace pubsubsql {

/// A subscription as this client knows it. It stays the same when the client reconnects, unlike the server's pubsubid.
enum class subscription : std::uint64_t { none = 0 };

/// What the server answered to one statement, all batches of a large result collected. Itself a range of its rows:
///
///     for (auto row : db.execute("select * from stocks")) std::cout << row["ticker"] << '\n';
class reply {
 public:
  /// Members of the answer beyond the usual ones, such as `connections` of `status`, as text; a list repeats its name.
  using fact = std::pair<std::string, std::string>;

  reply() = default;

  /// The kind of statement: "select", "insert", "subscribe"...
  [[nodiscard]] const std::string& action() const { return action_; }

  /// How many rows were inserted, updated, deleted or selected; 0 for statements without rows.
  [[nodiscard]] std::uint64_t affected() const { return affected_; }

  /// How many subscriptions `unsubscribe` ended.
  [[nodiscard]] std::uint64_t subscriptions() const { return subscriptions_; }

  /// Of `subscribe`: this client's handle, and the server's number on this connection.
  [[nodiscard]] pubsubsql::subscription subscription() const { return subscription_; }
  [[nodiscard]] std::uint64_t pubsubid() const { return pubsubid_; }

  /// Of `subscribe ... with seq` or `since`: the position of the rows that come, or behind which events begin; and
  /// whether it cannot begin where that was asked for, so that the rows come anew.
  [[nodiscard]] std::optional<std::uint64_t> seq() const { return seq_; }
  [[nodiscard]] bool resync() const { return resync_; }
  /// Of `subscribe ... as NAME`: whether events come behind what was acknowledged, and no rows before them.
  [[nodiscard]] bool resumed() const { return resumed_; }

  /// Whether the answer has columns (select, or `returning`), though perhaps no rows.
  [[nodiscard]] bool has_rows() const { return !rows_.columns().empty(); }
  [[nodiscard]] const pubsubsql::rows& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& columns() const { return rows_.columns(); }

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] row operator[](std::size_t index) const { return rows_[index]; }
  [[nodiscard]] pubsubsql::rows::iterator begin() const { return rows_.begin(); }
  [[nodiscard]] pubsubsql::rows::iterator end() const { return rows_.end(); }

  [[nodiscard]] const std::vector<fact>& facts() const { return facts_; }

 private:
  friend class protocol;

  std::string action_;
  std::uint64_t affected_ = 0;
  std::uint64_t subscriptions_ = 0;
  pubsubsql::subscription subscription_{};
  std::uint64_t pubsubid_ = 0;
  std::optional<std::uint64_t> seq_;
  bool resync_ = false;
  bool resumed_ = false;
  pubsubsql::rows rows_;
  std::vector<fact> facts_;
};

/// A `stream` statement that the server refused.
struct stream_error {
  std::uint32_t id = 0;  ///< what stream() returned for it
  error why;
};

}  // namespace pubsubsql
