#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/durable_stores.hpp"
#include "server/mysql_takeover.hpp"
#include "server/shared_state.hpp"
#include "server/worker_message.hpp"
#include "storage/table_differences.hpp"

namespace pubsubsql::server {

class table_runner;

/// What the `mysql ...` statements do. Those that talk to MySQL are done one after the other on a thread of the
/// service's own, over connections of their own, and answered from there.
class mysql_service {
 public:
  /// Both outlive the service.
  mysql_service(shared_state& shared, durable_stores& stores);
  ~mysql_service();
  mysql_service(const mysql_service&) = delete;
  mysql_service& operator=(const mysql_service&) = delete;

  // From any thread

  /// The state of the mirroring.
  void encode_status(std::string& out, const reply_address& to) const;

  // Answered later

  void connect(const reply_route& to, std::string address);
  void disconnect(const reply_route& to);
  void list_tables(const reply_route& to);
  /// Has work on tables done by their worker, after what has been sent there before.
  using sender = std::function<void(unsigned owner, table_work work)>;
  void check(const reply_route& to, std::string table, const sender& send);
  /// Corrects MySQL, or memory when `from_mysql`.
  void repair(const reply_route& to, std::string table, bool from_mysql, const sender& send);

  /// Ends what is under way. To be called after the workers have ended.
  void stop();

 private:
  using job = std::function<void()>;

  void run();
  void show_state();
  void enqueue(job j);
  /// Runs the job, and answers the route with MySQL's error if there is one.
  void attempt(const reply_route& to, const job& j);
  void on_table(unsigned owner, std::function<void(table_runner&)> work);
  void answer(const reply_route& to, std::string bytes);
  void fail(const reply_route& to, std::string_view message);

  /// Has `work` run on the service's thread while nothing else happens on the table.
  void with_table(const reply_route& to, const std::string& table, const sender& send,
                  std::function<void(const storage::table&)> work);
  /// The MySQL that is connected. Throws mysql_error when there is none.
  [[nodiscard]] std::shared_ptr<storage::durable::mysql_store> mysql() const;
  [[nodiscard]] storage::durable::mysql_connection connect_for(const std::string& table);
  /// Does work on a table's worker and waits for it.
  void on_table_now(unsigned owner, const std::function<void(table_runner&)>& work);
  void await(std::future<void> done);
  void end_transactions();
  void pause_all();
  void resume_all();
  void connect_now(const reply_route& to, const std::string& address);
  void check_now(const reply_route& to, const storage::table& t);
  void repair_mysql_now(const reply_route& to, const storage::table& t);
  void repair_memory_now(const reply_route& to, const storage::table& t);

  shared_state& shared_;
  durable_stores& stores_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;  // guarded by mutex_
  bool stopped_ = false;  // guarded by mutex_
  // Only used by the thread
  std::vector<std::string> shown_;
  mirrored_tables mirrored_;
  std::thread thread_;
};

}  // namespace pubsubsql::server
