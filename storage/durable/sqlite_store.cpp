#include "storage/durable/sqlite_store.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <optional>

#include <spdlog/spdlog.h>
#include <sqlite3.h>

namespace pubsubsql::storage::durable {

namespace {

constexpr std::chrono::milliseconds retry_after{500};

store_error to_error(const sqlite_error& e) {
  const bool full = (e.code() & 0xff) == SQLITE_FULL;
  return {.code = e.code(),
          .sqlstate = {},
          .message = std::string(e.what()) + (full ? "; nothing was changed, free some space where --data is" : "")};
}

}  // namespace

sqlite_store::sqlite_store(const std::string& directory, const settings& s)
    : settings_(s), files_(directory), journalled_(files_.journal_size()), always_retry_(s.always_retry) {}

sqlite_store::~sqlite_store() {
  stop();
}

void sqlite_store::start(result_handler on_results) {
  results_ = std::make_unique<result_sorter>(std::move(on_results));
  thread_ = std::thread([this] { run(); });
}

void sqlite_store::submit(std::vector<write>& writes) {
  queue_.push(writes);
}

void sqlite_store::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void sqlite_store::run() {
  while (auto batch = queue_.pop(settings_.transaction_bytes_max)) {
    if (!batch->writes.empty()) commit(batch->writes);
    for (const write_queue::job& j : batch->jobs) j();
  }
}

bool sqlite_store::is_void(const write& w) const {
  if (w.group != nullptr) return false;
  const auto it = refusals_.find(w.changes->table_name());
  return it != refusals_.end() && w.epoch <= it->second.epoch && w.origin.ticket > it->second.ticket;
}

void sqlite_store::write_all(const std::vector<write>& writes) {
  files_.begin();
  for (const write& w : writes) {
    if (is_void(w)) continue;
    for (const auto& s : w.statements()) files_.apply(*s);
    if (w.journal) files_.append_to_journal(w.group != nullptr ? *w.group : change_group{w.changes});
  }
  files_.commit();
}

void sqlite_store::commit(std::vector<write>& writes) {
  try {
    write_all(writes);
  } catch (const sqlite_error& e) {
    files_.roll_back();
    errors_.fetch_add(1, std::memory_order_relaxed);
    const bool one = writes.size() == 1;
    if (e.is_about_the_file()) {
      report(e.what());
      on_failure(writes, to_error(e), true);
    } else if (one) {
      on_failure(writes, to_error(e), false);
    } else {
      // One of them is at fault: the others go in without it.
      for (write& w : writes) {
        std::vector<write> single;
        single.push_back(std::move(w));
        commit(single);
      }
    }
    return;
  }
  report({});
  commits_.fetch_add(1, std::memory_order_relaxed);
  queue_.done(writes);
  const auto journalled = std::ranges::count_if(writes, [this](const write& w) { return w.journal && !is_void(w); });
  journalled_.fetch_add(static_cast<std::uint64_t>(journalled), std::memory_order_relaxed);
  for (const write& w : writes) {
    if (w.awaited && !is_void(w)) results_->add({.origin = w.origin});
  }
  results_->hand_over();
}

/// `may_pass`: the same writes may succeed later.
void sqlite_store::on_failure(std::vector<write>& writes, const store_error& why, bool may_pass) {
  // Those that have not been tried yet do not wait in vain either.
  if (may_pass && !always_retry_) std::ranges::move(queue_.take_awaited(), std::back_inserter(writes));
  // What was taken back before stays void; all else is refused, not only the first write of each table.
  std::erase_if(writes, [this](const write& w) {
    if (!is_void(w)) return false;
    queue_.done({&w, 1});
    return true;
  });
  std::vector<write> again;
  for (write& w : writes) {
    if (may_pass && (always_retry_ || !w.awaited)) {
      again.push_back(std::move(w));
      continue;
    }
    if (always_retry_ || !w.awaited) {
      spdlog::error("a change of table {} is not in the data directory: {} (SQLite error {})",
                    table_names({w.statements().begin(), w.statements().end()}), why.message, why.code);
      if (w.awaited) results_->add({.origin = w.origin});  // MySQL has it
      queue_.done({&w, 1});
      continue;
    }
    if (w.group == nullptr) {
      refusal& first = refusals_[std::string(w.changes->table_name())];
      if (first.epoch != w.epoch) first = {.epoch = w.epoch, .ticket = w.origin.ticket};
    }
    results_->add({.origin = w.origin, .what = write_result::fate::refused, .error = why, .rows = {}});
    queue_.done({&w, 1});
  }
  results_->hand_over();
  if (again.empty()) return;
  if (queue_.closed()) {
    spdlog::error("{} changes could not be stored before the end: {}", again.size(), why.message);
    queue_.done(again);
    return;
  }
  queue_.push_front(again);
  std::this_thread::sleep_for(retry_after);
}

void sqlite_store::run_in_transaction(const std::function<void(sqlite_files&)>& work) {
  if (!thread_.joinable()) return do_job(work);
  // An error goes over as plain data: an exception that two threads share is freed by whoever is last.
  std::promise<std::optional<store_error>> done;
  queue_.push_job([&] {
    std::optional<store_error> failure;
    try {
      do_job(work);
    } catch (const sqlite_error& e) {
      failure = store_error{.code = e.code(), .sqlstate = {}, .message = e.what()};
    }
    done.set_value(std::move(failure));
  });
  const std::optional<store_error> failure = done.get_future().get();
  if (failure) throw sqlite_error(failure->code, failure->message);
}

void sqlite_store::do_job(const std::function<void(sqlite_files&)>& work) {
  files_.begin();
  try {
    work(files_);
    const std::uint64_t journalled = files_.journal_size();
    files_.commit();
    journalled_.store(journalled, std::memory_order_relaxed);
  } catch (...) {
    files_.roll_back();
    throw;
  }
}

void sqlite_store::report(const std::string& problem) {
  const std::scoped_lock lock(error_mutex_);
  if (problem == last_error_) return;
  if (problem.empty()) {
    spdlog::info("the store in the data directory works again");
  } else {
    spdlog::error("the store in the data directory cannot be written: {}", problem);
  }
  last_error_ = problem;
}

std::string sqlite_store::last_error() const {
  const std::scoped_lock lock(error_mutex_);
  return last_error_;
}

}  // namespace pubsubsql::storage::durable
