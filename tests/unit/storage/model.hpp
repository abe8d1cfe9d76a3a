#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pubsubsql::storage {

/// The engine's rules written down in the most obvious way, for one table: rows in a deque, everything found by looking
/// at everything. Replies and events have the form engine_driver gives them.
class model {
 public:
  using cell = std::optional<std::string>;
  using cells = std::vector<std::pair<std::string, cell>>;  // column and value, in the order written
  using condition = std::optional<std::pair<std::string, cell>>;

  std::string insert(const std::vector<std::string>& columns, const std::vector<std::vector<cell>>& rows, bool front,
                     const std::string& action);
  std::string update(const cells& set, const condition& where);
  std::string erase(const condition& where);
  std::string pop(bool front);
  std::string select(const condition& where) const;
  std::string key(const std::string& column);
  std::string tag(const std::string& column);
  std::string subscribe(std::uint64_t subscriber, const condition& where, bool skip);
  std::string unsubscribe(std::uint64_t subscriber);
  void drop(std::uint64_t subscriber);

  /// The events of the last call, in an order in which equal-ranked subscriptions stand by their id.
  [[nodiscard]] const std::vector<std::string>& events() const { return events_; }
  [[nodiscard]] bool exists() const { return exists_; }
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }

 private:
  struct row {
    std::uint64_t id = 0;
    std::map<std::string, std::string> values;  // no entry is NULL
    [[nodiscard]] cell get(const std::string& column) const;
  };
  struct subscription {
    std::uint64_t id = 0;
    std::uint64_t subscriber = 0;
    condition where;
  };

  static bool matches(const row& r, const condition& where);
  [[nodiscard]] bool has(const std::string& column) const;
  [[nodiscard]] bool violates_key(const row& candidate, const std::vector<std::string>& written) const;
  std::string show(const row& r, const std::vector<std::string>& columns) const;
  void emit(const subscription& s, const std::string& action, const row& r, const std::vector<std::string>& columns);
  void publish_whole(const std::string& action, const row& r);
  void publish_update(const row& before, const row& after, const cells& set);
  [[nodiscard]] std::string add_index(const std::string& column, bool unique);
  [[nodiscard]] static std::string failed() { return "error"; }

  bool exists_ = false;
  std::vector<std::string> columns_ = {"id"};
  std::map<std::string, bool> indexes_;  // column -> unique
  std::deque<row> rows_;
  std::uint64_t next_id_ = 0;
  std::uint64_t next_subscription_ = 1;
  std::vector<subscription> subscriptions_;
  std::vector<std::string> events_;
};

}  // namespace pubsubsql::storage
