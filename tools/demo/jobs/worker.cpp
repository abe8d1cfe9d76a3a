#include "tools/demo/jobs/worker.hpp"

#include <chrono>

#include <pubsubsql/client.hpp>

namespace demo {

namespace {

/// How long a sleeping worker waits until it looks for itself: its connection may have been lost meanwhile.
constexpr std::chrono::milliseconds patience{1'000};

class worker {
 public:
  worker(const std::string& host, std::uint16_t port, std::string name) : name_(std::move(name)) {
    db_.connect(host, port);
    db_.subscribe("subscribe skip id from ci_jobs where status = 'new'");
    db_.subscribe("subscribe skip * from ci_pipeline");
  }

  void run() {
    while (true) {
      const pubsubsql::reply claimed = db_.execute(claim());
      if (!claimed.empty()) {
        finish(claimed[0]["id"].as<std::string>(), claimed[0]["name"].as<std::string>());
      } else if (is_over()) {
        return;
      } else {
        db_.next_event(patience);
      }
    }
  }

 private:
  [[nodiscard]] std::string claim() const {
    return "update ci_jobs set status = initializing, owner = " + name_ +
           ", attempts = attempts + 1, status_change_time = now() where status = new order by id limit 1 returning *";
  }

  bool is_over() { return !db_.execute("select id from ci_pipeline where state = closed").empty(); }

  void finish(const std::string& id, const std::string& job) {
    const std::string mine = " where id = " + id + " and owner = " + name_;
    db_.execute("update ci_jobs set status = running, status_change_time = now()" + mine);
    const std::string result = job + " built by " + name_;
    db_.execute("begin");
    const bool still_mine =
        db_.execute("update ci_jobs set status = done, status_change_time = now()" + mine + " and status = running")
            .affected() == 1;
    if (!still_mine) {
      // It took so long that the job was given to somebody else.
      db_.execute("rollback");
      return;
    }
    db_.execute("insert into ci_results (job_id, result) values (" + id + ", '" + result + "')");
    db_.execute("commit");
  }

  std::string name_;
  pubsubsql::client db_;
};

}  // namespace

void work(const std::string& host, std::uint16_t port, const std::string& name) {
  worker(host, port, name).run();
}

}  // namespace demo
