#include "tools/demo/jobs/pipeline.hpp"

#include <chrono>
#include <csignal>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace demo {

namespace {

/// A job that has not moved on for so long counts as abandoned. Long enough for a worker on a busy machine.
constexpr std::string_view abandoned_after = "interval '2' second";
constexpr std::chrono::milliseconds look_every{20};

/// The processes that work, each killed when this goes.
class crew {
 public:
  explicit crew(const pipeline_settings& s) : settings_(s) {
    for (unsigned i = 0; i < s.workers; ++i) hire();
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew() {
    for (const pid_t pid : workers_) end(pid);
  }

  /// Kills one of them in the middle of whatever it does, and starts another.
  void replace(std::size_t which) {
    end(workers_[which]);
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(which));
    hire();
  }

  /// Waits until all have gone home by themselves. Returns whether all of them were content.
  bool wait() {
    bool content = true;
    for (const pid_t pid : workers_) {
      int status = 0;
      waitpid(pid, &status, 0);
      content = content && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    workers_.clear();
    return content;
  }

  [[nodiscard]] std::size_t size() const { return workers_.size(); }

 private:
  void hire() {
    const std::string name = "w" + std::to_string(++hired_);
    const std::string port = std::to_string(settings_.port);
    const pid_t pid = fork();
    if (pid < 0) throw std::runtime_error("cannot start a worker");
    if (pid == 0) {
      execl(settings_.program.c_str(), settings_.program.c_str(), "--host", settings_.host.c_str(), "--port",
            port.c_str(), "--worker", name.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    workers_.push_back(pid);
  }

  static void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

  const pipeline_settings& settings_;
  std::vector<pid_t> workers_;
  unsigned hired_ = 0;
};

std::uint64_t count(pubsubsql::client& db, const std::string& query) {
  return db.execute(query)[0][0].as<std::uint64_t>();
}

void make_tables(pubsubsql::client& db) {
  for (const char* table : {"ci_jobs", "ci_results", "ci_pipeline"}) {
    db.execute("drop table if exists " + std::string(table));
  }
  db.execute(
      "create table ci_jobs (id bigint auto_increment primary key, name varchar(100) not null, "
      "status enum('new', 'initializing', 'running', 'done') not null default 'new', owner varchar(20), "
      "attempts int not null default 0, status_change_time datetime(3) not null default now(3))");
  db.execute("tag ci_jobs status");
  db.execute("create table ci_results (job_id bigint primary key, result varchar(200) not null)");
  db.execute("create table ci_pipeline (id bigint auto_increment primary key, state varchar(20) not null)");
}

void add_jobs(pubsubsql::client& db, unsigned jobs) {
  for (unsigned i = 1; i <= jobs; ++i) {
    db.stream("insert into ci_jobs (name) values ('commit " + std::to_string(i) + "')");
  }
  if (!db.drain().empty()) throw std::runtime_error("some jobs could not be added");
}

/// Jobs whose worker is dead, or as good as that, are new again.
std::uint64_t take_back_abandoned(pubsubsql::client& db) {
  return db
      .execute(
          "update ci_jobs set status = new, owner = null, status_change_time = now() "
          "where status in (initializing, running) and now() - status_change_time > " +
          std::string(abandoned_after))
      .affected();
}

bool report(pubsubsql::client& db, unsigned jobs, std::uint64_t taken_back) {
  const std::uint64_t done = count(db, "select count(*) from ci_jobs where status = 'done'");
  const std::uint64_t results = count(db, "select count(*) from ci_results");
  const std::uint64_t claims = count(db, "select sum(attempts) from ci_jobs");
  const std::uint64_t owners = count(db, "select count(distinct owner) from ci_jobs");
  std::cout << done << " of " << jobs << " jobs done, " << results << " results, " << claims << " claims by workers of "
            << owners << " names, " << taken_back << " taken back from dead ones\n";
  const bool right = done == jobs && results == jobs;
  std::cout << (right ? "every job was done exactly once\n" : "WRONG: a job was lost or done twice\n");
  return right;
}

}  // namespace

bool run_pipeline(const pipeline_settings& s) {
  pubsubsql::client db;
  db.connect(s.host, s.port);
  make_tables(db);
  crew workers(s);
  add_jobs(db, s.jobs);

  std::mt19937 dice(20'161'121);
  std::uint64_t taken_back = 0;
  unsigned killed = 0;
  while (true) {
    const std::uint64_t done = count(db, "select count(*) from ci_jobs where status = 'done'");
    if (done == s.jobs) break;
    // Kills are spread over the work, so that they come whatever the machine's speed.
    const std::uint64_t due = done * (s.kills + 1) / s.jobs;
    for (; killed < due && killed < s.kills; ++killed) workers.replace(dice() % workers.size());
    taken_back += take_back_abandoned(db);
    std::this_thread::sleep_for(look_every);
  }
  db.execute("insert into ci_pipeline (state) values (closed)");
  const bool content = workers.wait();
  if (!content) std::cout << "WRONG: a worker failed\n";
  return report(db, s.jobs, taken_back) && content;
}

}  // namespace demo
