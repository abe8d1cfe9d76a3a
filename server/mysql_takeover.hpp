#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/durable_stores.hpp"
#include "server/shared_state.hpp"
#include "storage/durable/mysql_store.hpp"
#include "storage/table_description.hpp"
#include "storage/text_hash.hpp"

namespace pubsubsql::server {

class table_runner;

/// What is known of the tables that MySQLs have had from this server: by address and name, the number of the last
/// change that it can have.
using mirrored_tables = std::map<std::string, storage::text_map<std::uint64_t>, std::less<>>;

/// One `mysql connect`: makes MySQL's tables and memory's one and the same, table by table. MySQL's rows count where it
/// knows all changes of a table, memory's where it is ahead or MySQL has no such table.
///
/// Everything that can go wrong does so before anything in memory or in the data directory is changed. In MySQL tables
/// may have been made or filled by then: they are remembered, and the next `mysql connect` goes on with them.
///
/// Used by the thread of the service, while all workers are paused. Everything throws mysql_error or sqlite_error.
class mysql_takeover {
 public:
  /// Does work on a table's worker and waits for it.
  using runner = std::function<void(unsigned owner, const std::function<void(table_runner&)>& work)>;

  /// All but `mysql` outlive this.
  mysql_takeover(shared_state& shared, durable_stores& stores, mirrored_tables& mirrored, runner on_worker,
                 std::unique_ptr<storage::durable::mysql_store> mysql);
  ~mysql_takeover();
  mysql_takeover(const mysql_takeover&) = delete;
  mysql_takeover& operator=(const mysql_takeover&) = delete;

  /// To be called once. Then MySQL is in use.
  void run();

 private:
  using lead = storage::durable::mysql_store::lead;
  using mysql_table = storage::durable::mysql_table;

  /// A table that both have, and what memory's is to become.
  struct shared_table {
    mysql_table theirs;
    const storage::table* ours = nullptr;
    lead leads = lead::mysql;
    storage::durable::mysql_store::comparison becomes = {};
  };

  [[nodiscard]] const storage::table* find(std::string_view table) const;
  /// Those that stores have.
  [[nodiscard]] std::vector<const storage::table*> tables_here() const;
  /// Whether MySQL's table of the name has come from here.
  [[nodiscard]] bool is_known(const storage::table& ours) const;
  /// It is about to go there.
  void note_mirrored(const storage::table& ours);
  [[nodiscard]] lead who_leads(const storage::table& ours);
  void look_at_all();
  void load(const mysql_table& t);
  void overwrite(shared_table& t);
  void require_possible(const shared_table& t);
  void store_in_data_directory();
  void correct_memory();

  shared_state& shared_;
  durable_stores& stores_;
  mirrored_tables& mirrored_;
  runner on_worker_;
  std::unique_ptr<storage::durable::mysql_store> mysql_;

  std::vector<shared_table> both_;
  std::vector<mysql_table> only_theirs_;
  std::vector<const storage::table*> only_ours_;
  std::vector<storage::table_description> loaded_;  ///< made in memory, and taken away again if something fails
  bool done_ = false;
};

}  // namespace pubsubsql::server
