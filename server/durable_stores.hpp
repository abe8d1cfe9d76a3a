#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "parser/result.hpp"
#include "server/options.hpp"
#include "storage/durable/mysql_store.hpp"
#include "storage/durable/sqlite_store.hpp"
#include "storage/durable/store_switch.hpp"

namespace pubsubsql::server {

class server;

/// How the stores are, each as of a moment of its own.
struct store_numbers {
  std::optional<storage::durable::mysql_lane::status> mysql = {};     ///< nothing: none is connected
  std::optional<storage::durable::sqlite_store::status> sqlite = {};  ///< nothing: there is no data directory

  /// Changes that MySQL has not got yet, those in the journal among them.
  [[nodiscard]] std::uint64_t mysql_lag_rows() const;
  /// Of whichever is further behind.
  [[nodiscard]] std::uint64_t lag_rows() const;
  [[nodiscard]] double lag_seconds() const;
};

[[nodiscard]] constexpr double to_seconds(std::chrono::milliseconds t) {
  return std::chrono::duration<double>(t).count();
}

/// The stores that the options ask for, and the way that changes take through them: MySQL first, because it may refuse
/// a change, and then SQLite, which has every table as MySQL has it and the journal of what MySQL has still to get.
class durable_stores {
 public:
  explicit durable_stores(const options& o) : options_(o) {}
  ~durable_stores();
  durable_stores(const durable_stores&) = delete;
  durable_stores& operator=(const durable_stores&) = delete;

  /// Opens what can be opened before there is a server. Returns what went wrong, for the user.
  [[nodiscard]] std::optional<std::string> open();

  /// Where the workers hand over their changes.
  [[nodiscard]] storage::durable::store_switch& first() { return switch_; }
  /// The MySQL that is written to; nullptr: none. From any thread.
  [[nodiscard]] std::shared_ptr<storage::durable::mysql_store> mysql() const;
  [[nodiscard]] storage::durable::sqlite_store* sqlite() const { return sqlite_.get(); }

  /// How they are. From any thread.
  [[nodiscard]] store_numbers numbers() const;

  /// Loads all tables into the server and starts to store. Returns what went wrong, for the user.
  [[nodiscard]] std::optional<std::string> start(server& s);

  // While the server runs, and no worker submits

  /// A MySQL to change to, with what the journal held delivered. Throws mysql_error; std::string in the result: what is
  /// wrong with the address.
  [[nodiscard]] result<std::unique_ptr<storage::durable::mysql_store>, std::string> connect(const std::string& address);
  void use(std::unique_ptr<storage::durable::mysql_store> mysql);
  /// Goes on without MySQL; what is under way is written first.
  void drop_mysql();

  /// Stores what is under way, and ends. After the server's workers have ended.
  void stop();
  /// With MySQL alone, leaves there what tables keep of their changes, so that subscribers go on after the next start.
  /// After stop(), and before the server goes.
  void save_histories(const server& s);

 private:
  [[nodiscard]] std::optional<std::string> open_sqlite();
  [[nodiscard]] std::optional<std::string> open_mysql();
  [[nodiscard]] result<std::unique_ptr<storage::durable::mysql_store>, std::string> make_mysql(
      const std::string& address) const;
  void load(server& s);
  [[nodiscard]] bool load_from_mysql(server& s);
  void load_from_mysql(server& s, storage::durable::table_loader& loader);
  void connect_mysql();
  void overwrite_mysql(server& s, const std::string& table);
  void load_from_sqlite(server& s);

  const options& options_;
  storage::durable::store_switch switch_;
  storage::durable::result_handler on_results_;
  storage::durable::correction_handler on_correction_;
  std::unique_ptr<storage::durable::sqlite_store> sqlite_;
  mutable std::mutex mysql_mutex_;
  std::shared_ptr<storage::durable::mysql_store> mysql_;  // exchanged under mysql_mutex_
};

/// The error about a table that is in both places and has never been one.
[[nodiscard]] std::string two_tables(std::string_view table);

}  // namespace pubsubsql::server
